"""Ask a server with ``mlserver infer``, and fail where the answer is another."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from reference import reference

expected = reference()
MLSERVER = Path(sys.executable).with_name("mlserver")


def lines(prefix):
    """Return one request a row, as its files have them."""
    columns = list(expected.columns())
    return [
        {
            "id": f"{prefix}-{row}",
            "inputs": [
                {
                    "name": name,
                    "shape": [1],
                    "datatype": datatype,
                    "data": [None if value != value else value],
                }
                for name, datatype, value in (
                    (name, datatype, values[row].item() if datatype != "BYTES" else values[row])
                    for name, datatype, values in columns
                )
            ],
            "outputs": [{"name": name} for name in expected.default],
        }
        for row in range(len(expected.rows))
    ]


def infer(folder, requests, *more):
    given, answered = folder / "in.ndjson", folder / "out.ndjson"
    given.write_text("".join(json.dumps(each) + "\n" for each in requests))
    command = [MLSERVER, "infer", "--url", expected.url.removeprefix("http://")]
    command += ["--model-name", expected.name, "-i", given, "-o", answered]
    subprocess.run(
        [*command, "--retries", "1", *more], check=True, capture_output=True, timeout=200
    )
    found = [json.loads(line) for line in answered.read_text().splitlines()]
    return sorted(found, key=lambda each: each["parameters"]["batch_index"])


def check(answers):
    assert len(answers) == len(expected.rows), answers
    for name in expected.default:
        said = []
        for answer in answers:
            assert "outputs" in answer, answer
            assert answer["model_name"] == expected.name
            output = next(each for each in answer["outputs"] if each["name"] == name)
            said.append(np.array(output["data"]).reshape(output["shape"][1:]))
        expected.check(name, np.array(said))


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    # Starting it takes seconds: what is refused goes along with what is answered one by one.
    prefix = f"mlserver-{expected.run}"
    stranger = lines("stranger")[0]
    stranger["inputs"][0]["name"] = "stranger"
    *answers, refused = infer(folder, [*lines(prefix), stranger], "--batch-size", "1")
    check(answers)
    assert 'input "stranger": the model takes' in refused["error"]["msg"], refused
    for row in range(len(expected.rows)):
        found = expected.ask(f"/predictions?format=json&request={prefix}-{row}")["predictions"]
        assert len(found) == 1, found
    together = ["--binary-data", "--batch-size", str(len(expected.rows))]
    check(infer(folder, lines("together"), *together))
print(f"mlserver infer: {expected.name} answers it as it answers POST /predict")
