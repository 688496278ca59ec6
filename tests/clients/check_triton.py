"""Ask a server with tritonclient, and fail where the answer is another: ``check_triton.py URL``."""

import numpy as np
import tritonclient.http as triton
from reference import reference
from tritonclient.utils import InferenceServerException

expected = reference()
client = triton.InferenceServerClient(expected.url.removeprefix("http://"))


def tensors(*, binary_data, shape=(-1, 1)):
    found = []
    for name, datatype, values in expected.columns():
        array = values.reshape(shape)
        tensor = triton.InferInput(name, list(array.shape), datatype)
        found.append(tensor.set_data_from_numpy(array, binary_data=binary_data))
    return found[::-1]  # the order is free


def check(result, names=expected.default):
    assert [each["name"] for each in result.get_response()["outputs"]] == names
    for name in names:
        expected.check(name, result.as_numpy(name))


def refused(told, ask):
    try:
        ask()
    except InferenceServerException as error:
        said = error
    else:
        raise AssertionError(f"nothing was refused where this was expected: {told}")
    assert told in said.message(), said
    return said.status()


def check_metadata():
    assert client.is_server_live()
    assert client.is_server_ready()
    for version in ("", expected.version):
        assert client.is_model_ready(expected.name, version)
        metadata = client.get_model_metadata(expected.name, version)
        assert [(each["name"], each["datatype"]) for each in metadata["inputs"]] == [
            (name, datatype) for name, datatype, _ in expected.columns()
        ]
        assert metadata["versions"] == [expected.version]
        assert client.get_model_config(expected.name, version) == expected.contract
    assert not client.is_model_ready("none such")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_repository_index()[0]["name"] == expected.name


def check_inference():
    for number, (binary_data, shape) in enumerate(
        (binary, shape) for binary in (True, False) for shape in ((-1, 1), (-1,))
    ):
        request_id = f"triton-{expected.run}-{number}"
        inputs = tensors(binary_data=binary_data, shape=shape)
        result = client.infer(expected.name, inputs, request_id=request_id)
        check(result)
        assert result.get_response()["id"] == request_id
        assert result.get_response()["model_version"] == expected.version
        expected.check_stored(request_id)


def check_outputs():
    for binary_data in (True, False):
        names = expected.default[::-1]
        outputs = [triton.InferRequestedOutput(name, binary_data) for name in names]
        inputs = tensors(binary_data=True)
        check(client.infer(expected.name, inputs, outputs=outputs), names)
    explained = client.infer(expected.name, inputs, parameters={"explain": True})
    names = [output["name"] for output in expected.contract["outputs"]]
    assert {each["name"] for each in explained.get_response()["outputs"]} == {*names}


def check_ids():
    ids = [f"row {number}" for number in range(len(expected.rows))]
    named = triton.InferInput("id", [len(ids)], "BYTES")
    named.set_data_from_numpy(np.array(ids, object))
    outputs = [triton.InferRequestedOutput("prediction_id")]
    inputs = [*tensors(binary_data=True), named]
    request_id = f"triton-{expected.run}-ids"
    result = client.infer(expected.name, inputs, outputs=outputs, request_id=request_id)
    expected.check_stored(request_id, ids)
    for each in result.as_numpy("prediction_id").tolist():
        assert expected.ask(f"/predictions/{each.decode()}")["id"] in ids


def check_compression():
    for way in ("gzip", "deflate"):
        inputs = tensors(binary_data=True)
        check(
            client.infer(
                expected.name,
                inputs,
                request_compression_algorithm=way,
                response_compression_algorithm=way,
            )
        )


def check_at_once():
    waiting = [client.async_infer(expected.name, tensors(binary_data=True)) for _ in range(3)]
    for each in waiting:
        check(each.get_result())


def check_refusals():
    inputs = tensors(binary_data=True)
    status = refused("no model 'none such'", lambda: client.infer("none such", inputs))
    assert status == "404"
    name = next(each for each, _, _ in expected.columns() if each not in expected.nullable)
    twice = [*inputs, inputs[0]]
    assert refused("there twice", lambda: client.infer(expected.name, twice)) == "400"
    stranger = triton.InferInput("stranger", [1], "FP32")
    stranger.set_data_from_numpy(np.zeros(1, np.float32))
    refused("the model takes", lambda: client.infer(expected.name, [*inputs, stranger]))
    least = [each for each in inputs if each.name() != name]
    refused(f"input {name}: missing", lambda: client.infer(expected.name, least))
    number = next(n for n, each in enumerate(inputs) if each.datatype() == "FP32")
    wrong = triton.InferInput(inputs[number].name(), [len(expected.rows)], "BYTES")
    wrong.set_data_from_numpy(np.array(["x"] * len(expected.rows), object))
    refused(
        "expected numbers",
        lambda: client.infer(expected.name, [*inputs[:number], wrong, *inputs[number + 1 :]]),
    )
    output = [triton.InferRequestedOutput("none such")]
    refused('output "none such"', lambda: client.infer(expected.name, inputs, outputs=output))
    output = [triton.InferRequestedOutput(expected.default[0], class_count=2)]
    assert (
        refused("classification", lambda: client.infer(expected.name, inputs, outputs=output))
        == "501"
    )
    refused("nothing is here", lambda: client.get_system_shared_memory_status())


check_metadata()
check_inference()
check_outputs()
check_ids()
check_compression()
check_at_once()
check_refusals()
statistics = client.get_inference_statistics(expected.name)["model_stats"][0]
assert statistics["inference_count"] >= 10 * len(expected.rows), statistics
print(f"tritonclient: {expected.name} answers it as it answers POST /predict")
