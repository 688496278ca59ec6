"""Ask the tools that know Docker, Compose and Kubernetes: ``python -m tests.ops.check_manifests``.

They live in an environment of their own, made here from its pins. With the path of the list of what
an image holds, that is checked too.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")


def main():
    """Make the environment and check with it; return 1 if something is not as it should be."""
    with tempfile.TemporaryDirectory(prefix="sextant-checkers-") as name:
        python = Path(name) / "bin" / "python"
        pins = ["--require-hashes", "-r", HERE / "checkers.txt"]
        subprocess.run([UV, "venv", "-q", "--python", sys.executable, name], check=True)
        subprocess.run([UV, "pip", "install", "-q", "--python", python, *pins], check=True)
        return subprocess.run([python, HERE / "checkers.py", *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
