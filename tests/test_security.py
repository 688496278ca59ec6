"""SECURITY.md claims what the attacks try, and nothing else."""

import re
from pathlib import Path

from tests.attack.attacks import all_attacks

ROOT = Path(__file__).parents[1]


def test_every_attack_has_its_row_and_every_row_its_attack():
    rows = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(all_attacks())


def test_what_it_points_to_is_there():
    text = (ROOT / "SECURITY.md").read_text()

    for path in re.findall(r"\]\(([\w/.-]+)\)|`(tests/[\w/.]+)`", text):
        assert (ROOT / (path[0] or path[1])).exists(), path
