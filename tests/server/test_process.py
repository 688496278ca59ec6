"""A real server in a process of its own: how it starts, what it says, how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.server.conftest import OBJECT, ROOT, SHIPPED

pytestmark = pytest.mark.slow
STAR = {**OBJECT, "redshift": -8.96e-06}


def refused(tmp_path, **variables):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEXTANT_")},
        "SEXTANT_DATABASE": str(tmp_path / "log.duckdb"),
        "SEXTANT_PORT": "0",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "server"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def raw(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def test_the_greeting_holds_a_line_that_works(start_server):
    server = start_server()
    contract = server.get("/model")[1]
    curl = server.greeting.splitlines()[-1]

    answer = subprocess.run(curl, shell=True, capture_output=True, text=True)  # noqa: S602  # as a person would

    assert f"sdss {contract['model_version']} at {server.url}" in server.greeting
    assert len(re.findall("±", server.greeting)) == len(
        [score for score in contract["metrics"] if score["headline"]]
    )
    assert json.loads(answer.stdout)["label"] in contract["class_names"]


def test_predictions_outlive_the_server(start_server):
    first = start_server()
    answer = first.post("/predict", STAR)[1]
    path = f"/predictions/{answer['prediction_id']}"
    before = first.get(path)
    assert first.stop() == 0

    assert start_server().get(path) == before
    assert before[1]["probabilities"] == answer["probabilities"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_orderly_and_leaves_one_file(start_server, tmp_path, how):
    server = start_server()
    server.post("/predict", STAR)

    assert server.stop(how) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.duckdb"]
    assert "every prediction it answered is in the log" in server.last_words[0]


def test_a_request_in_flight_is_finished_before_the_stop(start_server):
    server = start_server()
    body = json.dumps([STAR] * 10_000).encode()
    answers = []
    sender = threading.Thread(target=lambda: answers.append(server.post("/predict", body)))
    sender.start()
    time.sleep(0.1)

    code = server.stop()
    sender.join()

    assert code == 0
    # Either the whole body had come in, and it was answered, or the connection was closed.
    assert [status for status, _ in answers] == [200]
    assert len(answers[0][1]["predictions"]) == 10_000


def test_who_has_connected_when_the_stop_comes_is_answered(start_server):
    server = start_server()
    body = json.dumps(STAR).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request_ = head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    for connection in connections:
        connection.sendall(request_)

    code = server.stop()
    answers = [connection.recv(65536) for connection in connections]
    for connection in connections:
        connection.close()

    assert code == 0
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SEXTANT_PORT": "x"}, "SEXTANT_PORT: 'x' is not a whole number"),
        ({"SEXTANT_MODEL": "none.onnx"}, "none.onnx: cannot be read: No such file"),
        ({"SEXTANT_MODEL": "x" * 300}, "cannot be read: File name too long"),
        ({"SEXTANT_MODEL": "LICENSE"}, "LICENSE: is no model file of Sextant's, or damaged"),
        (
            {"SEXTANT_HOST": "192.0.2.1", "SEXTANT_OPEN_TO_ALL": "predict"},
            "set SEXTANT_HOST or SEXTANT_PORT",
        ),
        ({"SEXTANT_HOST": "0.0.0.0"}, "python -m server key NAME --scopes predict,read"),  # noqa: S104  # it does not start
    ],
)
def test_a_server_that_cannot_start_says_why(tmp_path, variables, message):
    process = refused(tmp_path, **variables)

    assert process.returncode == 1
    assert process.stderr.startswith("Sextant cannot start: ")
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_a_misspelt_variable_is_told_and_does_not_stop_the_start(start_server):
    server = start_server(modle="mine.onnx")

    assert server.stop() == 0
    assert "SEXTANT_MODLE is no setting and changes nothing" in server.last_words[1]


def test_a_second_server_on_the_same_log_names_the_first(start_server, tmp_path):
    first = start_server(tmp_path / "log.duckdb")

    process = refused(tmp_path)

    assert process.returncode == 1
    assert f"PID {first.process.pid}" in process.stderr
    assert first.post("/predict", STAR)[0] == 200


def test_a_port_in_use_is_named(start_server, tmp_path):
    first = start_server()

    process = refused(tmp_path, SEXTANT_PORT=str(first.port))

    assert process.returncode == 1
    assert f"127.0.0.1:{first.port}" in process.stderr


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 262_144 + b"\r\n\r\n", 431),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: zip\r\n\r\n", 501),
    ],
)
def test_what_never_reaches_the_app_is_a_problem_too(start_server, request_, status):
    answer = raw(start_server().port, request_)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode()) or answer.startswith(
        f"HTTP/1.0 {status} ".encode()
    )
    assert b"application/problem+json" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == status


def test_what_never_reaches_the_app_is_said_as_clients_of_v2_read_it(start_server):
    request = (
        b"POST /v2/models/sdss/infer HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 99999999999\r\n\r\n"
    )

    head, _, body = raw(start_server().port, request).partition(b"\r\n\r\n")

    assert b"Content-Type: application/json\r\n" in head
    assert json.loads(body)["status"] == 413
    assert json.loads(body)["error"] == json.loads(body)["detail"]


def test_a_body_somewhat_too_large_is_answered_and_stores_nothing(start_server):
    server = start_server(max_body_bytes=1_000_000)

    status, problem = server.post("/predict", b" " * 3_000_000)

    assert (status, problem["status"]) == (413, 413)
    assert server.get("/predictions?format=json")[1]["predictions"] == []


def test_other_models_are_served_by_their_contracts(start_server, binary_model, regression_model):
    for exported in (binary_model, regression_model):
        server = start_server(model=exported.path)
        rows = json.loads(exported.X_holdout.head(5).to_json(orient="records"))

        status, answer = server.post("/predict", rows)

        assert status == 200
        expected = exported.pipeline.predict(exported.X_holdout.head(5))
        if "label" in answer["predictions"][0]:
            assert [row["label"] for row in answer["predictions"]] == [str(y) for y in expected]
        else:
            values = [row["value"] for row in answer["predictions"]]
            assert values == pytest.approx(expected, rel=1e-4)
        stored = server.get("/predictions?format=json")[1]["predictions"]
        assert [row["prediction_id"] for row in reversed(stored)][-5:] == [
            row["prediction_id"] for row in answer["predictions"]
        ]
        server.stop()


def test_nothing_is_written_at_home_and_nobody_is_called(start_server, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    trace = tmp_path / "trace"
    if not any(os.access(f"{folder}/strace", os.X_OK) for folder in os.get_exec_path()):
        pytest.skip("strace is not installed")
    # A clean environment: a CI variable would hide what onnxruntime does elsewhere.
    server = start_server(
        tmp_path / "log" / "predictions.duckdb",
        prefix=["strace", "-f", "-e", "trace=connect,sendto", "-o", str(trace)],
        environment={"HOME": str(home), "PATH": os.environ["PATH"]},
        model=SHIPPED,
    )
    server.post("/predict", STAR)
    time.sleep(1)
    server.process.send_signal(signal.SIGTERM)
    child = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True
    ).stdout.split()
    for pid in child:
        os.kill(int(pid), signal.SIGTERM)
    server.process.communicate(timeout=20)

    assert list(home.rglob("*")) == []
    calls = re.findall(r"connect\(.*?sa_family=AF_INET.*", trace.read_text())
    assert calls == []
