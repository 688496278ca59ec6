"""Try what SECURITY.md says is kept out, on a real server: ``python -m tests.attack``.

Prints what held and what did not; exits with 1 if anything got through.
"""

import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.attack.attacks import all_attacks
from tests.attack.target import attacked


def main():
    """Run every attack on one server, which has to live through all of them."""
    begin, failed = time.monotonic(), []
    made = tempfile.TemporaryDirectory(prefix="sextant-attack-")
    with made as folder, attacked(Path(folder)) as target:
        for name, attack in all_attacks().items():
            told = attack.__doc__.strip().splitlines()[0]
            try:
                attack(target)
            except Exception:
                failed.append(name)
                traceback.print_exc()
            print(f"{'GOT IN' if name in failed else 'held':6}  {name:28}  {told}", flush=True)
        lives = target.ask("GET", "/health/ready").status == 200
    print(f"{len(failed)} of {len(all_attacks())} got in, in {time.monotonic() - begin:.0f} s")
    if not lives:
        print("the server does not answer any more")
    return 1 if failed or not lives else 0


if __name__ == "__main__":
    sys.exit(main())
