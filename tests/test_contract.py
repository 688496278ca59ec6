"""Where the two sides meet: what export writes is what the server reads and what the page says."""

import re
from pathlib import Path

import onnx
import pytest

from export.contract import RESERVED
from server import contract as read
from server import explained
from server.model import Model
from server.storage.layout import _FIRST, _LAST

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "models" / "sdss.onnx"
DOCUMENT = (ROOT / "docs" / "contract.md").read_text()


def keys_of(path):
    return {item.key for item in onnx.load(path).metadata_props}


@pytest.fixture(params=["shipped", "survey", "binary", "regression"])
def path(request, model_path, binary_model, regression_model):
    return {
        "shipped": SHIPPED,
        "survey": model_path,
        "binary": binary_model.path,
        "regression": regression_model.path,
    }[request.param]


def test_the_server_reads_every_key_that_export_writes(path):
    assert keys_of(path) == {"contract_version", *read.Contract.__struct_fields__}


def test_the_server_serves_what_export_writes(path):
    contract = Model(path).contract

    assert contract.golden.inputs
    assert contract.parity.label_differences == 0
    assert all(score.sd >= 0 for score in contract.metrics)


def test_every_key_is_documented():
    table = DOCUMENT.split("## The keys")[1].split("### A feature")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == keys_of(SHIPPED)


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("A feature", read.Feature),
        ("An output", read.Output),
        ("A score", read.Score),
        ("Parity", read.Parity),
        ("Golden rows", read.Golden),
        ("The evaluation", explained.Evaluation),
        ("The explanation", explained.Explanation),
        ("Prediction sets and intervals", explained.Conformal),
        ("Novelty", explained.Novelty),
        ("The reference", explained.Reference),
    ],
)
def test_every_part_is_documented(title, part):
    shape = DOCUMENT.split(f"### {title}")[1].split("`")[1]

    assert re.findall(r'"(\w+)"', shape) == list(part.__struct_fields__)


def test_no_feature_can_take_the_name_of_a_column_or_a_field():
    names = {*_FIRST, *_LAST, "instances", "model", "label", "value", "probabilities"}
    documented = DOCUMENT.split("one of the names that a request or the log uses:")[1]

    assert names <= set(RESERVED)
    assert set(RESERVED) == set(
        re.findall(r"`(\w+)`", documented.split("\n\n")[0].split("\nEmpty")[0])
    )
