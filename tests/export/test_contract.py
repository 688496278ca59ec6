"""The metadata are those of docs/contract.md, and the shipped file keeps its bars."""

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from export.contract import RESERVED, TAIL_BYTES, check_names, default_version, plain
from export.errors import InvalidContract
from tests.conftest import Exported, contract_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return one section of the page, without its subsections."""
    return re.split(r"\n##+ ", PAGE.split(f"{title}\n", 1)[1])[0]


def keys_of_table(title: str) -> set[str]:
    rows = re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", section(title), re.M)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def keys_in_braces(title: str) -> set[str]:
    return set(re.findall(r'"(\w+)"', re.search(r"`\{(.*?)\}`", section(title))[1]))


@pytest.fixture(scope="module", params=["survey", "binary", "regression", "shipped"])
def contract(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "shipped":
        return contract_of(ROOT / "models" / "sdss.onnx")
    if request.param == "survey":
        return contract_of(request.getfixturevalue("model_path"))
    exported: Exported = request.getfixturevalue(f"{request.param}_model")
    return contract_of(exported.path)


def test_every_key_is_documented_and_every_documented_key_is_there(
    contract: dict[str, Any],
) -> None:
    assert set(contract) == keys_of_table("## The keys")


def test_features_outputs_scores_and_parity_have_the_documented_keys(
    contract: dict[str, Any],
) -> None:
    for entries, title in (
        (contract["features"], "### A feature"),
        (contract["outputs"], "### An output"),
        (contract["metrics"], "### A score"),
        ([contract["parity"]], "### Parity"),
    ):
        for entry in entries:
            assert set(entry) == keys_in_braces(title)


def test_reserved_names_are_the_documented_ones() -> None:
    sentence = PAGE.split("a request or the log uses:\n", 1)[1].split("\n", 1)[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == RESERVED


def test_the_shipped_model_keeps_its_bars() -> None:
    scores = {
        (score["name"], score["mode"]): score["mean"]
        for score in contract_of(ROOT / "models" / "sdss.onnx")["metrics"]
        if "stratified" in score["split"]
    }

    assert scores["macro_f1", "with redshift"] >= 0.984
    assert scores["log_loss", "with redshift"] <= 0.032
    assert scores["macro_f1", "without redshift"] >= 0.953
    assert scores["log_loss", "without redshift"] <= 0.118


def test_the_shipped_model_comes_from_a_clean_commit_and_a_known_table() -> None:
    contract = contract_of(ROOT / "models" / "sdss.onnx")

    assert re.fullmatch("[0-9a-f]{40}", contract["git_commit"])
    assert contract["data_sha256"].startswith("6e2389dd")
    assert contract["parity"]["label_differences"] == 0


def test_the_shipped_model_leaves_room_in_a_megabyte() -> None:
    assert (ROOT / "models" / "sdss.onnx").stat().st_size < 700_000


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_feature_cannot_take_a_name_of_the_log(name: str) -> None:
    with pytest.raises(InvalidContract, match="rename the column"):
        check_names([name.upper()], ["value"], [])


@pytest.mark.parametrize("name", ['5" pipe', "a\\b"])
def test_a_name_that_json_escapes_is_for_classes_only(name: str) -> None:
    check_names(["a"], ["label", "probabilities"], [name, "b"])

    with pytest.raises(InvalidContract, match="which JSON has to escape: rename the column"):
        check_names([name], ["value"], [])


def test_a_feature_cannot_be_called_like_an_output() -> None:
    with pytest.raises(InvalidContract, match="'Head' and 'head'"):
        check_names(["u", "Head"], ["label", "probabilities", "head"], ["a", "b"])


def test_numbers_are_written_by_their_shortest_text() -> None:
    assert plain([np.float32(19.47406), np.nan, np.int64(3), {"a": np.float64(0.1)}]) == [
        19.47406,
        None,
        3,
        {"a": 0.1},
    ]


def test_the_file_ends_in_the_sha256_of_what_stands_before(model_path: Path) -> None:
    content = model_path.read_bytes()
    before, tail = content[:-TAIL_BYTES], content[-TAIL_BYTES:]

    digest = hashlib.sha256(before).hexdigest().encode()

    assert tail == b'\x72\x51\x0a\x0bfile_sha256\x12\x42"' + digest + b'"'


def test_the_last_entry_is_read_and_changes_nothing_else(model_path: Path) -> None:
    content = model_path.read_bytes()
    whole = onnx.load_from_string(content)
    without = onnx.load_from_string(content[:-TAIL_BYTES])

    last = whole.metadata_props.pop()

    assert last.key == "file_sha256"
    assert whole == without


def test_a_version_names_date_and_graph(model_path: Path) -> None:
    version = default_version(onnx.load(model_path), "2026-11-21T20:15:00Z")

    assert re.fullmatch(r"2026\.11\.21-[0-9a-f]{8}", version)
