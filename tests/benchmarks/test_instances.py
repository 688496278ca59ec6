from random import Random
from typing import Any

import pytest

from benchmarks.instances import InstanceMaker


@pytest.fixture
def contract() -> dict[str, Any]:
    def feature(name: str, kind: str, **others: Any) -> dict[str, Any]:
        known = {"nullable": False, "range": None, "categories": None, "closed": False}
        return {"name": name, "type": kind, "unit": "", "meaning": "", **known, **others}

    return {
        "features": [
            feature("mass", "float32", range=[1.0, 9.0]),
            feature("islands", "int64", range=[0, 3]),
            feature("colour", "string", categories=["black", "grey"], closed=True),
            feature("depth", "float32", range=[-5.0, 5.0], nullable=True),
        ],
        "golden": {
            "inputs": {
                "mass": [2.5, 8.9],
                "islands": [3, 0],
                "colour": ["grey", "black"],
                "depth": [0.5, None],
            }
        },
    }


def made_from(contract: dict[str, Any]) -> InstanceMaker:
    return InstanceMaker(contract, Random(0))


def test_every_value_lies_in_what_the_model_was_trained_on(contract: dict[str, Any]) -> None:
    maker = made_from(contract)

    instances = [maker.make(missing_share=0.2) for _ in range(500)]

    for instance in instances:
        assert 1 <= instance["mass"] <= 9
        assert isinstance(instance["islands"], int)
        assert 0 <= instance["islands"] <= 3
        assert instance["colour"] in ("black", "grey")
        assert instance.get("depth") is None or -5 <= instance["depth"] <= 5
    assert {instance["colour"] for instance in instances} == {"black", "grey"}


def test_only_nullable_inputs_are_missing_now_left_out_now_null(contract: dict[str, Any]) -> None:
    maker = made_from(contract)

    instances = [maker.make(missing_share=1) for _ in range(50)]

    always = {"mass", "islands", "colour", "id"}
    assert {frozenset(instance) for instance in instances} == {
        frozenset(always),
        frozenset(always | {"depth"}),
    }
    assert all(instance.get("depth") is None for instance in instances)


def test_nothing_is_missing_where_the_golden_row_is_whole(contract: dict[str, Any]) -> None:
    for column in contract["golden"]["inputs"].values():
        del column[1]
    maker = made_from(contract)

    instances = [maker.make(missing_share=0) for _ in range(50)]

    assert None not in [value for instance in instances for value in instance.values()]
    assert {len(instance) for instance in instances} == {5}


def test_every_instance_has_an_id_of_its_own(contract: dict[str, Any]) -> None:
    maker = made_from(contract)

    ids = [maker.make(missing_share=0)["id"] for _ in range(20)]

    assert len(set(ids)) == 20
