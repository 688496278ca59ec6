"""What the fuzzer begins from, and what it has found, is treated as it should be, without it."""

import importlib

import pytest

from tests.fuzz.campaign import SHARES


@pytest.mark.parametrize("name", SHARES)
def test_a_target_takes_some_of_its_seeds_and_refuses_some(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the statements are run in a folder of their own
    target = importlib.import_module(f"tests.fuzz.{name}")

    taken = [target.try_one(seed) for seed in target.SEEDS]

    assert {*taken} == {True, False}


def test_every_input_has_a_target():
    assert sum(SHARES.values()) == pytest.approx(1)
