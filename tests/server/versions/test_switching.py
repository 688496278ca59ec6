"""A switch is made whole or not at all, and a refusal says why and changes nothing."""

import csv
import gc
import re
import weakref

import pytest

from server.commands.run import run
from server.contract import InvalidModel
from server.storage.open_log import OpenLog
from server.versions import serving_file as files
from server.versions.serving_file import Serving, read_serving, write_serving
from tests.server.conftest import SHIPPED
from tests.server.versions.conftest import ask, key_of, rewrite, switch


def test_promote_roll_back_and_forth(client, penguins, serving_file):
    answered = []
    for verb, body in (
        ("challenge", {"model": "penguins/2", "share": 1}),
        ("promote", {}),
        ("rollback", {}),
        ("rollback", {}),
        ("challenge", {"model": "penguins/1", "share": 0.5, "shadow": True}),
        ("withdraw", {}),
    ):
        told = switch(client, verb, **body)
        answered.append(client.post("/predict", json=penguins[0]).json["model"]["version"])
        read = read_serving(serving_file)
        assert read.champion == f"penguins/{told['champion']['version']}"
        assert told == client.get("/models").json

    assert answered == ["2", "2", "2", "2", "2", "2"]
    assert told["previous"] == {
        "champion": "penguins/2",
        "challenger": "penguins/1",
        "share": 0.5,
        "shadow": True,
    }
    assert told["models"] == ["penguins/1", "penguins/2", "penguins/3", "tiny/1"]


def test_who_is_the_champion_is_what_pages_and_documents_tell_of(client, penguins):
    client.post("/predict", json=penguins[:3])
    switch(client, "promote", model="penguins/2")
    client.post("/predict", json=penguins[:5])

    assert client.get("/model").json["model_version"] == "2"
    assert client.get("/openapi.json").json["info"]["version"] == "2"
    monitor = client.get("/monitor").json
    assert (monitor["model"]["version"], monitor["traffic"]["predictions"]) == ("2", 5)
    assert client.get("/labels").json["model"]["version"] == "2"
    assert 'version="2"} 1.0' in client.get("/metrics").text
    assert client.get("/health/ready").status_code == 200
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 200


def test_it_is_there_after_a_restart(make_app, serving_file, penguins, tmp_path):
    first = make_app(model=serving_file, database=tmp_path / "a.duckdb")
    switch(first.test_client(), "challenge", model="penguins/2", share=0.4)
    before = first.test_client().post("/predict", json=penguins).json["predictions"]

    second = make_app(model=serving_file, database=tmp_path / "b.duckdb")
    after = second.test_client().post("/predict", json=penguins).json["predictions"]

    assert [row["model"] for row in before] == [row["model"] for row in after]


def test_what_answered_before_is_let_go(client):
    model = weakref.ref(client.application.extensions["sextant"].lineup.champion.model)

    switch(client, "promote", model="penguins/2")
    client.get("/openapi.json")

    gc.collect()
    assert model() is None


def damage(serving_file):
    path = second_of(serving_file)
    path.write_bytes(path.read_bytes()[:-1000])


def second_of(serving_file):
    return serving_file.parent / "penguins" / "2.onnx"


def misplace(serving_file):
    (serving_file.parent / "penguins" / "1.onnx").rename(serving_file.parent / "penguins/2.onnx")


def change_by_hand(serving_file):
    serving_file.write_text('champion = "penguins/2"\n')


@pytest.mark.parametrize(
    ("harm", "body", "told"),
    [
        (None, {"model": "penguins/4"}, "No such file"),
        (None, {"model": "../penguins/2"}, "names no model"),
        (None, {"model": "penguins/../../x"}, "names no model"),
        (None, {"model": "..", "x": 1}, "unknown field"),
        (None, {"model": "tiny/1"}, "it does not take age"),
        (None, {}, "nobody challenges"),
        (damage, {"model": "penguins/2"}, "damaged"),
        (misplace, {"model": "penguins/2"}, "says of itself that it is penguins/1"),
        (change_by_hand, {"model": "penguins/2"}, "changed by hand"),
    ],
)
def test_a_refusal_says_why_and_leaves_all_as_it_was(
    client, penguins, serving_file, harm, body, told
):
    if harm:
        harm(serving_file)
    before = client.get("/models").json, serving_file.read_bytes()

    answer = client.post("/models/promote", json=body)

    assert answer.status_code == (400 if "x" in body else 409)
    assert told in answer.json["detail"]
    assert (client.get("/models").json, serving_file.read_bytes()) == before
    assert client.post("/predict", json=penguins[0]).json["model"]["version"] == "1"


def test_a_file_whose_golden_rows_do_not_hold_is_refused(client, serving_file, binary_model):
    golden = key_of(binary_model.path, "golden")
    golden["outputs"]["probabilities"][0] = [0.5, 0.5]
    rewrite(binary_model.path, second_of(serving_file), model_version="2", golden=golden)

    answer = client.post("/models/challenge", json={"model": "penguins/2", "share": 0.1})

    assert answer.status_code == 409
    assert "golden row 0 should give probabilities" in answer.json["detail"]


def test_a_file_that_is_not_its_pipeline_is_refused(client, serving_file, binary_model):
    parity = {
        **key_of(binary_model.path, "parity"),
        "max_difference": 0.1,
        "label_differences": 3,
    }
    rewrite(binary_model.path, second_of(serving_file), model_version="2", parity=parity)

    answer = client.post("/models/promote", json={"model": "penguins/2"})

    assert answer.status_code == 409
    assert "an answer differs by 0.1, 1e-06 may, 3 labels differ" in answer.json["detail"]


def test_a_disk_that_cannot_be_written_changes_nothing(client, penguins, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_whole", full)

    answer = client.post("/models/promote", json={"model": "penguins/2"})

    assert (answer.status_code, "No space left" in answer.json["detail"]) == (409, True)
    assert client.post("/predict", json=penguins[0]).json["model"]["version"] == "1"
    assert client.get("/models").json["previous"] is None


def test_a_log_that_cannot_have_the_table_changes_nothing(client, penguins, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OpenLog, "add", fail)

    answer = client.post("/models/promote", json={"model": "penguins/3"})

    assert answer.status_code == 409
    assert client.post("/predict", json=penguins[0]).json["model"]["version"] == "1"


def test_two_switches_at_once_are_one(client):
    switching = client.application.extensions["sextant-models"]
    with switching._changing():
        answer = client.post("/models/promote", json={"model": "penguins/2"})

    assert (answer.status_code, answer.json["detail"]) == (
        409,
        "another switch is at work: try again",
    )


def test_a_server_of_one_file_says_so(make_app):
    client = make_app().test_client()

    told = client.get("/models").json
    answer = client.post("/models/rollback", json={})

    assert (told["file"], told["challenger"], told["models"]) == (None, None, [])
    assert told["champion"]["name"] == "sdss"
    assert answer.status_code == 409
    assert "one file for good" in answer.json["detail"]


@pytest.mark.parametrize("where", [{"headers": {"Host": "evil.example"}}, {"data": "{}"}])
def test_a_switch_is_asked_from_here_and_in_json(client, where):
    answer = client.post("/models/rollback", **where)

    assert answer.status_code in (403, 415)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "champion is missing"),
        ("champion = 1", "champion: 1 is not str"),
        ('champion = "penguins"', "names no model"),
        ('champion = "penguins/1"\nshare = 0.5', "challenger is missing"),
        ('champion = "a/1"\nchallenger = "a/1"', "is the champion already"),
        ('champion = "a/1"\nchallenger = "a/2"\nshare = 1.5', "share: 1.5"),
        ('champion = "a/1"\nchallenger = "a/2"\nshare = nan', "share: nan"),
        ('champion = "a/1"\nchallenger = "a/2"\nshare = true', "share: True is not float"),
        ('champion = "a/1"\nchampions = "b/1"', "champions is not known"),
        ('champion = "a/1"\n[previous]\nshare = 1', "previous.champion is missing"),
        ("champion = \xff", "is not TOML"),
        ('champion = "penguins/4"', "cannot be read"),
        ('champion = "penguins/1"\nchallenger = "tiny/1"', "it does not take age"),
    ],
)
def test_a_file_that_makes_no_sense_stops_the_start(make_app, serving_file, text, told):
    serving_file.write_text(text, encoding="latin-1")

    with pytest.raises(InvalidModel, match=re.escape(told)):
        make_app(model=serving_file)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "serving.toml"
    before = Serving("a b/1", "é/2", 0.1, shadow=True)
    wanted = Serving("é/2").after(before)

    write_serving(path, wanted)

    assert read_serving(path) == wanted
    assert [each.name for each in tmp_path.iterdir()] == ["serving.toml"]


def test_the_command_writes_where_no_server_runs(
    second_penguins, binary_model, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "none.duckdb"))
    monkeypatch.setenv("SEXTANT_MODEL", str(tmp_path / "mine" / "serving.toml"))

    def models(*arguments):
        code = run(["models", *arguments])
        told = capsys.readouterr()
        return code, told.out.splitlines(), told.err

    assert "is one model file" in _as_one_file(monkeypatch, models)
    assert models("add", str(binary_model.path))[1][1].endswith("the champion is penguins/1")
    assert models("add", str(second_penguins))[0] == 0
    assert models("challenge", "penguins/2", "--share", "0.1")[1] == [
        "penguins/1  champion",
        "penguins/2  challenger for 0.1 of the callers",
    ]
    assert models("promote")[1] == ["penguins/1  champion before", "penguins/2  champion"]
    (tmp_path / "mine" / "penguins" / "2.onnx").unlink()
    assert "No such file" in models("rollback")[2]
    code, told, error = models("promote", "penguins/1")
    assert (code, told) == (0, ["penguins/1  champion", "penguins/2  champion before"])
    assert "cannot be compared with" in error
    assert models("challenge", "penguins/2")[2].startswith("say which share")


def _as_one_file(monkeypatch, models):
    with monkeypatch.context() as other:
        other.setenv("SEXTANT_MODEL", str(SHIPPED))
        return models()[2]


def test_another_file_under_the_same_name_is_not_taken(
    serving_file, binary_model, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("SEXTANT_MODEL", str(serving_file))
    other = tmp_path / "other.onnx"
    rewrite(binary_model.path, other, description="another")
    before = (serving_file.parent / "penguins" / "1.onnx").read_bytes()

    code = run(["models", "add", str(other)])

    assert code == 1
    assert "another file is penguins/1 already" in capsys.readouterr().err
    assert (serving_file.parent / "penguins" / "1.onnx").read_bytes() == before


def test_versions_that_say_other_things_have_tables_of_their_own(client, penguins):
    switch(client, "challenge", model="penguins/3", share=0.5)

    answer = client.post("/predict?explain=true", json=penguins[:40]).json["predictions"]
    text = client.post("/predict", json=penguins[:40], headers={"Accept": "text/csv"}).text
    switch(client, "promote")
    client.post("/predict", json=penguins[:4])

    assert {("reasons" in row, row["model"]["version"]) for row in answer} == {
        (True, "1"),
        (False, "3"),
    }
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["id"] for line in lines] == [row["id"] for row in penguins[:40]]
    assert [line["label"] for line in lines] == [row["label"] for row in answer]
    tables = ask(client, "SELECT count(*), count(novelty) FROM predictions")
    assert tables == [[84, 2 * sum("reasons" in row for row in answer)]]
    assert client.get("/monitor").json["traffic"]["predictions"] > 4
    assert client.get("/models").json["champion"]["version"] == "3"


def test_a_log_of_both_is_read_as_one(client, penguins):
    client.post("/predict", json=penguins[:3])
    switch(client, "promote", model="penguins/2")
    client.post("/predict", json=penguins[:2])

    found = ask(client, "SELECT model_version, count(*) FROM predictions GROUP BY ALL ORDER BY ALL")

    assert found == [["1", 3], ["2", 2]]
