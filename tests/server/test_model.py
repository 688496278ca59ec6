import hashlib
import json
import random

import msgspec
import numpy as np
import onnx
import pytest

from server.contract import InvalidModel, to_decimals
from server.model import Model
from tests.server.conftest import SHIPPED
from tests.server.storage.test_parts import odd_model

_ODD_EVALUATION = (
    '{"of": "", "heads": [{"head": "x", "rows": 1, "confusion": [[1]], "reliability": [],'
    ' "importance": null}]}'
)


@pytest.fixture
def altered(tmp_path):
    """Write the shipped model with some keys of its contract changed, or removed with None."""

    def alter(**keys):
        model = onnx.load(SHIPPED)
        metadata = {item.key: item.value for item in model.metadata_props} | keys
        metadata |= {"file_sha256": None}
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, {k: v for k, v in metadata.items() if v is not None})
        path = tmp_path / "altered.onnx"
        path.write_bytes(stamped(model.SerializeToString()))
        return path

    return alter


def stamped(content):
    """Append the last entry of the metadata, as export does."""
    last = onnx.ModelProto()
    digest = hashlib.sha256(content).hexdigest()
    last.metadata_props.add(key="file_sha256", value=json.dumps(digest))
    return content + last.SerializeToString()


def key(name):
    return json.loads(
        next(item.value for item in onnx.load(SHIPPED).metadata_props if item.key == name)
    )


def test_the_shipped_model_keeps_its_promises():
    model = Model(SHIPPED)
    columns = {f.name: np.array([15, 16], np.float32) for f in model.contract.features}

    prediction = model.predict(columns)

    promised = {output.name: (2, *output.shape) for output in model.contract.outputs}
    assert {name: array.shape for name, array in prediction.outputs.items()} == promised
    assert prediction.inference_ms > 0


def test_what_is_not_asked_for_is_not_computed():
    model = Model(SHIPPED)
    columns = {f.name: np.array([15], np.float32) for f in model.contract.features}

    prediction = model.predict(columns, explain=False)

    assert list(prediction.outputs) == ["label", "probabilities", "head"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidModel, match=r"none\.onnx: cannot be read: No such file"):
        Model(tmp_path / "none.onnx")


def test_the_file_asked_for_is_served_however_its_hash_is_written():
    asked = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()

    assert Model(SHIPPED, asked.upper()).contract.model_name == "sdss"


@pytest.mark.parametrize("content", [SHIPPED.read_bytes(), b"not a model"], ids=["whole", "none"])
def test_another_file_than_asked_for_is_refused_with_both_hashes(tmp_path, content, monkeypatch):
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    found, asked = hashlib.sha256(content).hexdigest(), 64 * "a"
    monkeypatch.delattr("onnxruntime.InferenceSession")  # it is not to be opened

    with pytest.raises(InvalidModel, match=f"SEXTANT_MODEL_SHA256 is {asked}.*sha256 is {found}"):
        Model(path, asked)


@pytest.mark.parametrize(
    "content", [b"", b"not a model", SHIPPED.read_bytes()[:100_000], stamped(b"not a model")]
)
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)

    with pytest.raises(InvalidModel, match=r"broken\.onnx"):
        Model(path)


def test_a_model_without_contract_is_refused_with_the_mend(altered):
    path = altered(contract_version=None)

    with pytest.raises(InvalidModel, match=r"has no contract.*export_model"):
        Model(path)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"features": None}, "has no features in its metadata.*export the model again"),
        ({"features": "[{"}, "features in its metadata that is not JSON"),
        ({"features": "[]"}, "golden inputs are"),
        ({"kind": '"clustering"'}, "cannot read: Invalid enum value"),
        ({"contract_version": "2"}, "has contract version 2, and this server reads version 1"),
        ({"outputs": "[]"}, "outputs are"),
        ({"golden": '{"inputs": {}, "outputs": {}}'}, "golden inputs are"),
        ({"class_names": '["A", "B"]'}, "shapes of outputs are"),
        ({"novelty": "null"}, "shapes of outputs are"),
        ({"evaluation": _ODD_EVALUATION}, "axes of the evaluation are"),
        ({"class_names": '["A", "a", "B"]'}, "the classes"),
        ({"class_names": '["A", "", "B"]'}, "the classes"),
    ],
)
def test_a_broken_contract_is_refused(altered, keys, message):
    with pytest.raises(InvalidModel, match=message):
        Model(altered(**keys))


def _explained_by_nothing(explanation):
    explanation["heads"][0]["contributions"] = "base_values"


def _without_shares(reference):
    reference["inputs"]["u"]["shares"] = []


def _with_falling_edges(reference):
    reference["derived"]["u-g"]["edges"].reverse()


def _in_another_order(novelty):
    novelty["columns"].reverse()


def _of_an_unknown_input(novelty):
    novelty["columns"][-1]["name"] = "y"


def _of_other_classes(explanation):
    explanation["columns"] = ["A", "B", "C"]


def _less_than_nothing(evaluation):
    evaluation["heads"][0]["importance"][0][0] = -1


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("explanation", _explained_by_nothing, "heads of the explanation are"),
        ("explanation", _of_other_classes, "columns of the explanation are"),
        ("reference", _without_shares, r"distributions of the reference are \['u'\]"),
        ("reference", _with_falling_edges, r"distributions of the reference are \['u-g'\]"),
        ("novelty", _in_another_order, "bounds of novelty are"),
        ("novelty", _of_an_unknown_input, r"bounds of novelty are \['y'\]"),
        ("evaluation", _less_than_nothing, "importances of the evaluation are"),
    ],
)
def test_what_a_contract_says_beside_the_answer_must_fit(altered, name, damage, message):
    value = key(name)
    damage(value)

    with pytest.raises(InvalidModel, match=message):
        Model(altered(**{name: json.dumps(value)}))


def test_a_file_that_does_not_answer_as_it_promises_is_refused(altered):
    golden = key("golden")
    golden["outputs"]["probabilities"][0][0] += 1e-5

    with pytest.raises(InvalidModel, match="golden row 0 should give probabilities"):
        Model(altered(golden=json.dumps(golden)))


def test_a_golden_label_counts(altered):
    golden = key("golden")
    golden["outputs"]["label"][1] = "COMET"

    with pytest.raises(InvalidModel, match="golden row 1 should give label COMET"):
        Model(altered(golden=json.dumps(golden)))


def test_a_graph_with_other_inputs_than_promised_is_refused(altered):
    features = key("features")
    features[0]["type"] = "int64"

    with pytest.raises(InvalidModel, match="promises the inputs"):
        Model(altered(features=json.dumps(features)))


def test_golden_rows_must_be_there(altered):
    golden = key("golden")
    empty = {part: {name: [] for name in columns} for part, columns in golden.items()}

    with pytest.raises(InvalidModel, match="golden rows are"):
        Model(altered(golden=json.dumps(empty)))


@pytest.mark.parametrize("name", ["id", "Prediction_ID", "head", "G", "", "a\nb", 'a"b', "a\\b"])
def test_a_feature_with_a_name_that_is_taken_or_unspeakable_is_refused(altered, name):
    features, golden = key("features"), key("golden")
    golden["inputs"][name] = golden["inputs"].pop(features[0]["name"])
    features[0]["name"] = name

    with pytest.raises(InvalidModel, match="has a contract with the name"):
        Model(altered(features=json.dumps(features), golden=json.dumps(golden)))


@pytest.mark.parametrize("role", ["detail", "value"])
def test_an_output_in_another_role_is_refused(altered, role):
    outputs = key("outputs")
    outputs[1]["role"] = role

    with pytest.raises(InvalidModel, match="outputs are"):
        Model(altered(outputs=json.dumps(outputs)))


@pytest.mark.parametrize("value", ["x", [1], {}, True, 1e39])
def test_golden_rows_of_another_type_are_refused(altered, value):
    golden = key("golden")
    golden["inputs"]["u"][0] = value

    with pytest.raises(InvalidModel):
        Model(altered(golden=json.dumps(golden)))


def test_metadata_that_is_not_utf8_is_refused(tmp_path):
    content = SHIPPED.read_bytes()[:-83].replace(b"Tells stars", b"Tells \xfftars")
    path = tmp_path / "latin.onnx"
    path.write_bytes(stamped(content))

    with pytest.raises(InvalidModel, match="utf-8"):
        Model(path)


def test_every_flipped_bit_is_found(tmp_path):
    chance, content = random.Random(0), SHIPPED.read_bytes()
    path = tmp_path / "damaged.onnx"
    for _ in range(100):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)

        with pytest.raises(InvalidModel, match="damaged"):
            Model(path)


def test_unknown_keys_are_ignored(altered):
    assert Model(altered(added_later="1")).contract.model_name == "sdss"


def test_floats_are_said_in_the_fewest_digits():
    values = np.random.default_rng(0).random(1_000, dtype=np.float32)

    for value, said in zip(values, to_decimals(values), strict=True):
        assert np.float32(said) == value
        assert len(str(said)) <= 13


def test_the_contract_can_be_said_again():
    contract = Model(SHIPPED).contract

    assert msgspec.json.decode(msgspec.json.encode(contract))["model_name"] == "sdss"


def test_a_row_without_a_finite_answer_is_named_once_however_much_of_it_is_infinite(tmp_path):
    odd_model(tmp_path / "odd.onnx")
    model = Model(tmp_path / "odd.onnx")
    sizes = np.array([0.5, 3.4e38], dtype=np.float32)

    prediction = model.predict(
        {"it's.a.size": sizes, "kind": np.array(["x", "x"], dtype=object)}, explain=True
    )

    infinite = [
        name
        for name, array in prediction.outputs.items()
        if name != "derived" and array.dtype == np.float32 and not np.isfinite(array).all()
    ]
    assert len(infinite) > 1
    assert prediction.not_finite == [1]
