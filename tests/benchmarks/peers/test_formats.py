"""What is sent and read is what the server itself takes and answers."""

from random import Random

import numpy as np
import pytest

from benchmarks.instances import InstanceMaker
from benchmarks.peers import answers, bodies
from benchmarks.peers.contenders import CONTENDERS, OURS
from benchmarks.peers.starting import NotRight, check
from server.app import create_app
from server.config import Settings


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = create_app(Settings(database=tmp_path_factory.mktemp("log") / "log.duckdb"))
    with app.test_client() as client:
        yield client
    app.extensions["sextant"].log.close()


@pytest.fixture(scope="module")
def rows(client):
    contract = client.get("/model").json
    maker = InstanceMaker(contract, Random(0))
    names = [feature["name"] for feature in contract["features"]]
    made = (maker.make(missing_share=0) for _ in range(30))
    rows = [{name: row.get(name) for name in names} for row in made]
    return [row for row in rows if None not in row.values()][:3]


def ask(client, form, rows):
    path = (form.path or OURS.path).format(model_name="sdss")
    headers = {"Content-Type": form.media_type, **dict(form.headers)}
    answer = client.post(path, data=form.write(rows), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.data, {name.lower(): value for name, value in answer.headers}


@pytest.mark.parametrize("form", OURS.formats, ids=lambda form: form.name)
@pytest.mark.parametrize("n_rows", [1, 3])
def test_every_format_is_answered_with_the_same_probabilities(client, rows, form, n_rows):
    expected = answers.in_objects(*ask(client, OURS.formats[0], rows[:n_rows]))

    answer = ask(client, form, rows[:n_rows])

    check(OURS, form, answer, expected)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'{"probabilities": [[0.9, 0.1]]}', "shape"),
        (b'{"probabilities": [[0.9, 0.06, 0.04]]}', "differ by 0.01"),
        (b'{"probabilities": [[0.9, 0.05, NaN]]}', "differ by nan"),
    ],
)
def test_another_answer_is_not_right(answer, said):
    fastapi = next(each for each in CONTENDERS if each.name == "fastapi")

    with pytest.raises(NotRight, match=said):
        check(fastapi, fastapi.formats[0], (answer, {}), np.array([[0.9, 0.05, 0.05]]))


def test_the_header_of_a_binary_body_says_where_its_json_ends():
    body = bodies.as_v2_binary([{"u": 1.5, "g": 2.5}])

    assert np.frombuffer(body[bodies.V2_JSON_BYTES :], "<f4").tolist() == [1.5, 2.5]


def test_rows_are_written_as_each_peer_takes_them():
    rows = [{"u": 1.0, "g": 2.0}, {"u": 3.0, "g": 4.0}]

    assert bodies.as_matrix(rows) == b'{"rows": [[1.0, 2.0], [3.0, 4.0]]}'
    assert bodies.as_rows(rows[:1]) == b'{"rows": [{"u": 1.0, "g": 2.0}]}'
    assert bodies.as_inputs(rows) == b'{"inputs": {"u": [[1.0], [3.0]], "g": [[2.0], [4.0]]}}'
    assert answers.in_named(b'{"predictions": {"probabilities": [[1]]}}', {}).tolist() == [[1]]
