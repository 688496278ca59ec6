"""A run from its options to the README, and what it does not write."""

import sys
from xml.etree import ElementTree

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import publishing
from benchmarks.peers.chart import chart
from benchmarks.peers.contenders import CONTENDERS, OURS
from benchmarks.peers.rounds import Results
from benchmarks.wrk import Figures


def test_without_wrk_nothing_is_compared_and_it_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["peers"])

    assert peers.main() == 0

    assert "wrk is not installed" in capsys.readouterr().out


def test_a_peer_that_is_not_there_is_named_with_those_that_are(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["peers", "--only", "fastapi", "gunicorn"])

    with pytest.raises(SystemExit, match=r"no such peer: gunicorn; there are empty,.* mlserver"):
        peers.main()


def test_what_is_published_takes_the_place_of_what_was(monkeypatch, tmp_path):
    readme, picture = tmp_path / "README.md", tmp_path / "peers.svg"
    readme.write_text(f"before\n{publishing._BEGIN}\nold\n{publishing._END}\nafter\n")
    monkeypatch.setattr(publishing, "README", readme)
    monkeypatch.setattr(publishing, "CHART", picture)

    publishing.publish(r"new \1", "<svg/>")

    assert readme.read_text() == (
        f"before\n{publishing._BEGIN}\n{publishing._PICTURE}\n\nnew \\1\n{publishing._END}\nafter\n"
    )
    assert picture.read_text() == "<svg/>"


def test_without_its_place_nothing_is_written(monkeypatch, tmp_path):
    readme, picture = tmp_path / "README.md", tmp_path / "peers.svg"
    readme.write_text("no markers\n")
    monkeypatch.setattr(publishing, "README", readme)
    monkeypatch.setattr(publishing, "CHART", picture)

    with pytest.raises(SystemExit, match="has not the lines"):
        publishing.publish("new", "<svg/>")

    assert readme.read_text() == "no markers\n"
    assert not picture.exists()


def test_the_readme_has_the_place():
    assert publishing.README.read_text().count(publishing._BEGIN) == 1


def test_the_chart_ranks_what_was_measured_and_marks_ours():
    rates = {each.name: 100.0 + number for number, each in enumerate(CONTENDERS)}
    results = {
        name: Results(figures={32: [Figures(rate, 1, 2, 12_345)]}) for name, rate in rates.items()
    }
    results["ray"] = Results(reason="did not start")

    root = ElementTree.fromstring(chart(CONTENDERS, results))  # noqa: S314  # our own

    bars = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.get("x")]
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(bars) == len(CONTENDERS) - 1
    assert [each.get("class") for each in bars].count("ours") == 1
    assert texts[1] == "MLflow"
    assert OURS.title in texts
    assert "Ray Serve" not in texts
    assert "111 (12 ms)" in texts
