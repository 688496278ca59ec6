"""Run one target: ``python -m tests.fuzz.target NAME --runs N --seed S --folder DIR``.

A target is a module with SEEDS to begin from, WORDS to put in, and `try_one`, which raises where
what it is given is not treated as it should be.
"""

import argparse
import collections
import importlib
import json
import os
import resource
import sys
from pathlib import Path

import atheris

# Longest time for one input, in seconds, and most memory for all of them, in MB.
TIMEOUT_S = 30
MEMORY_MB = 1_500


def main():
    """Run and write what was counted; a finding ends the process with its input in `folder`."""
    asked = arguments()
    with atheris.instrument_imports(include=["server"]):
        target = importlib.import_module(f"tests.fuzz.{asked.name}")
    seeds = asked.folder / asked.name / "seeds"
    seeds.mkdir(parents=True)
    for number, seed in enumerate(target.SEEDS):
        (seeds / str(number)).write_bytes(seed)
    words = asked.folder / asked.name / "words"
    words.write_text("".join(f'"{escaped(word)}"\n' for word in target.WORDS))
    counts = collections.Counter()

    def try_one(data):
        counts["taken" if target.try_one(data) else "refused"] += 1
        if sum(counts.values()) in (1, asked.runs):
            write(asked, counts)
        if sum(counts.values()) == asked.runs:
            # The fuzzer would end the process with the interpreter's lock held, for which threads
            # of pyarrow may wait that it waits for.
            os._exit(0)

    limits = [f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={MEMORY_MB}", "-max_len=4096"]
    found = f"-artifact_prefix={asked.folder / asked.name}/found-"
    how = [f"-runs={asked.runs}", f"-seed={asked.seed}", "-verbosity=0", f"-dict={words}", found]
    atheris.Setup([sys.argv[0], *limits, *how, str(seeds)], try_one)
    atheris.Fuzz()


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args()


def write(asked, counts):
    """Leave what was counted behind."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"taken": counts["taken"], "refused": counts["refused"]}
    told |= {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss // 1024}
    (asked.folder / asked.name / "counts.json").write_text(json.dumps(told))


def escaped(word):
    """Return a word as a dictionary of the fuzzer has it."""
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
