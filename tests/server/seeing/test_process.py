"""The log of a real server, in a process of its own."""

import json
import signal
import subprocess
import sys

import pytest

from tests.server.conftest import OBJECT, ROOT, SHIPPED

pytestmark = pytest.mark.slow
STAR = {**OBJECT, "redshift": -8.96e-06}


def lines_of(server):
    assert server.stop() == 0
    return [json.loads(line) for line in server.last_words[1].splitlines()]


def test_where_no_terminal_reads_it_every_line_is_json(start_server):
    server = start_server(modle="mine.onnx", model=SHIPPED)
    server.post("/predict", STAR)
    server.get("/health/ready")

    misspelt, predicted, ready = lines_of(server)

    assert misspelt["message"] == "SEXTANT_MODLE is no setting and changes nothing"
    assert (predicted["route"], predicted["rows"]) == ("/predict", 1)
    assert predicted["parts_ms"]["wait"] > 0
    assert ready["route"] == "/health/ready"


def test_text_is_written_where_it_is_asked_for(start_server):
    server = start_server(log_format="text")
    server.get("/health/live")

    assert server.stop() == 0
    assert " INFO server.requests: GET /health/live 200 " in server.last_words[1]


def test_a_warning_level_leaves_requests_out(start_server):
    server = start_server(log_level="warning")
    server.get("/health/live")

    assert lines_of(server) == []


def test_what_never_reaches_the_app_is_counted_and_logged(start_server):
    import http.client

    server = start_server()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("GET", "/")
    connection.putheader("Transfer-Encoding", "rubbish")
    connection.endheaders()
    assert connection.getresponse().status == 501
    connection.close()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()

    refused, _ = lines_of(server)

    assert 'duration_seconds_count{method="GET",route="(refused)",status="501"} 1.0' in text
    assert "http_server_active_requests 1.0" in text
    assert (refused["route"], refused["status"]) == ("(refused)", 501)


def test_a_fault_of_the_server_is_one_line_with_its_request(start_server, tmp_path):
    database = tmp_path / "log.duckdb"
    server = start_server(database)
    server.post("/predict", STAR)
    # A page cannot be made while the folder for files is a file.
    (tmp_path / "log.duckdb.queries").write_text("in the way")
    server.get("/predictions.parquet")

    lines = lines_of(server)

    (fault,) = [line for line in lines if "exc_info" in line]
    assert "Traceback" in fault["exc_info"]
    assert fault["request_id"] == lines[-1]["request_id"]
    assert lines[-1]["level"] == "WARNING"


def test_a_log_that_nobody_reads_stops_neither_answers_nor_the_stop(start_server):
    server = start_server(model=SHIPPED)
    for _ in range(400):  # twice what a pipe holds
        assert server.get("/health/live")[0] == 200

    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(timeout=20) == 0


def test_a_closed_standard_error_does_not_write_into_the_database(start_server, tmp_path):
    database = tmp_path / "log.duckdb"
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh"]
    server = start_server(database, prefix=closed, model=SHIPPED)
    answer = server.post("/predict", STAR)[1]
    for _ in range(20):
        server.get("/health/live")
    assert server.stop() == 0

    stored = start_server(database, model=SHIPPED).get(f"/predictions/{answer['prediction_id']}")

    assert stored[0] == 200


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1 / 0", "the server ends"),
        (
            "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
            "thread",
        ),
        ("import warnings\nwarnings.warn('old')", "UserWarning: old"),
    ],
)
def test_what_ends_a_thread_or_the_server_is_a_line_too(code, told):
    start = "from server.seeing.log_writer import start_log\nlog = start_log('json', 'info')\n"

    done = subprocess.run(
        [sys.executable, "-c", start + code], cwd=ROOT, capture_output=True, text=True
    )

    (line,) = map(json.loads, done.stderr.splitlines())
    assert told in line["message"]
