from typing import Any
from uuid import UUID

import pytest

from benchmarks.answers import WrongAnswer, check_model, check_page, check_predictions

CONTRACT = {
    "model_name": "birds",
    "model_version": "1",
    "class_names": ["owl", "tit"],
    "features": [{"name": "mass"}],
    "outputs": [
        {"name": "label", "role": "label", "type": "string", "values": ["owl", "tit"]},
        {"name": "probabilities", "role": "probabilities", "type": "float32", "values": None},
        {"name": "head", "role": "detail", "type": "string", "values": ["day", "night"]},
    ],
}
REGRESSION = {
    **CONTRACT,
    "class_names": [],
    "outputs": [{"name": "value", "role": "value", "type": "float32", "values": None}],
}


BESIDE = {
    **CONTRACT,
    "novelty": {"columns": [{"name": "mass"}]},
    "outputs": [
        *CONTRACT["outputs"],
        {"name": "prediction_set", "role": "prediction_set", "type": "bool", "values": None},
        {"name": "novelty", "role": "novelty", "type": "bool", "values": None},
    ],
}
INTERVAL = {
    **REGRESSION,
    "outputs": [
        *REGRESSION["outputs"],
        {"name": "interval", "role": "interval", "type": "float32", "values": None},
    ],
}


def prediction(number: int, **others: Any) -> dict[str, Any]:
    return {
        "prediction_id": str(UUID(int=number)),
        "id": f"row-{number}",
        "label": "owl",
        "probabilities": {"owl": 0.75, "tit": 0.25},
        "head": "night",
        "warnings": [],
        "model": {"name": "birds", "version": "1"},
        "inputs": {"mass": 0.3},
        **others,
    }


def test_right_answers_pass() -> None:
    instances = [{"id": "row-1"}, {"id": "row-2"}]

    check_predictions(CONTRACT, instances, [prediction(1), prediction(2)])
    check_predictions(REGRESSION, [{"id": "row-1"}], [prediction(1, value=3.5)])
    check_model(CONTRACT, prediction(1))
    beside = prediction(1, prediction_set=["owl"], novelty=[{"feature": "mass"}])
    check_predictions(BESIDE, [{"id": "row-1"}], [beside])
    within = prediction(1, value=3.5, interval={"low": 3.0, "high": 4.0})
    check_predictions(INTERVAL, [{"id": "row-1"}], [within])


@pytest.mark.parametrize(
    ("contract", "others", "message"),
    [
        (BESIDE, {"prediction_set": ["cat"], "novelty": []}, "prediction_set of"),
        (BESIDE, {"prediction_set": [], "novelty": [{"feature": "age"}]}, "novelty of"),
        (INTERVAL, {"value": 5.0, "interval": {"low": 3.0, "high": 4.0}}, "interval from"),
    ],
)
def test_what_is_wrong_beside_an_answer_is_noticed(
    contract: dict[str, Any], others: dict[str, Any], message: str
) -> None:
    with pytest.raises(WrongAnswer, match=message):
        check_predictions(contract, [{"id": "row-1"}], [prediction(1, **others)])


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"id": "row-9"}, "'row-9' stands where row-1 belongs"),
        ({"label": "cat"}, "label 'cat'"),
        ({"label": "tit"}, "tit is not the likeliest"),
        ({"probabilities": {"owl": 0.75, "tit": 0.2}}, "add up to 0.95"),
        ({"probabilities": {"owl": 1.0}}, "probabilities of"),
        ({"head": "dusk"}, "head 'dusk'"),
        ({"warnings": None}, "warnings is not a list"),
    ],
)
def test_a_wrong_answer_is_noticed(others: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongAnswer, match=message):
        check_predictions(CONTRACT, [{"id": "row-1"}], [prediction(1, **others)])


def test_an_answer_short_of_rows_is_noticed() -> None:
    with pytest.raises(WrongAnswer, match="1 of 2 answered"):
        check_predictions(CONTRACT, [{"id": "row-1"}, {"id": "row-2"}], [prediction(1)])


def test_an_answer_out_of_order_is_noticed() -> None:
    instances = [{"id": "row-1"}, {"id": "row-2"}]

    with pytest.raises(WrongAnswer, match="'row-2' stands where row-1 belongs"):
        check_predictions(CONTRACT, instances, [prediction(2), prediction(1)])


def test_an_answer_from_another_model_is_noticed() -> None:
    with pytest.raises(WrongAnswer, match="answered by"):
        check_model(CONTRACT, {"model": {"name": "birds", "version": "2"}})


def test_a_value_that_is_not_finite_is_noticed() -> None:
    with pytest.raises(WrongAnswer, match="value inf"):
        check_predictions(REGRESSION, [{"id": "row-1"}], [prediction(1, value=float("inf"))])


def test_a_page_goes_on_where_the_last_one_ended() -> None:
    oldest = check_page(CONTRACT, [prediction(4), prediction(3)], None)

    assert oldest == UUID(int=3)
    assert check_page(CONTRACT, [prediction(2)], oldest) == UUID(int=2)
    with pytest.raises(WrongAnswer, match="out of order"):
        check_page(CONTRACT, [prediction(3)], oldest)
