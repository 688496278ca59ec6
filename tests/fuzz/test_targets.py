"""What the fuzzer begins from, and what it has found, is treated as it should be, without it."""

import importlib
import re

import pytest

from server.sql import tree
from tests.fuzz.campaign import SHARES


@pytest.mark.parametrize("name", SHARES)
def test_a_target_takes_some_of_its_seeds_and_refuses_some(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the statements are run in a folder of their own
    target = importlib.import_module(f"tests.fuzz.{name}")

    taken = [target.try_one(seed) for seed in target.SEEDS]

    assert {*taken} == {True, False}


def test_every_input_has_a_target():
    assert sum(SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "hole"),
    [
        ("ALLOWED", "getvariable('mark')"),
        ("ALLOWED", "current_setting('home_directory')"),
        ("ALLOWED", "nextval('numbers')"),
        ("ALLOWED_TABLES", "(SELECT content FROM read_text('mark.csv'))"),
    ],
)
def test_a_hole_in_the_guard_would_be_seen(name, hole, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    target = importlib.import_module("tests.fuzz.statements")
    function = re.search(r"(\w+)\('", hole)[1]
    known = getattr(tree, name)
    assert target.try_one(f"\1SELECT {hole}".encode()) is False

    monkeypatch.setattr(tree, name, known | {function})

    with pytest.raises(AssertionError):
        target.try_one(f"\1SELECT {hole}".encode())
