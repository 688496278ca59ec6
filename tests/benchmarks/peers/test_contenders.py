"""Every contender has the files that it is started from, pinned."""

import json
import re

import pytest

from benchmarks.peers import building
from benchmarks.peers.contenders import CONTENDERS, NODE, OWN
from benchmarks.peers.rounds import Results
from benchmarks.peers.tables import given

PEERS = [each for each in CONTENDERS if each not in OWN]


def test_every_peer_is_named_with_a_version():
    table = given(PEERS, {each.name: Results() for each in PEERS})

    assert len(re.findall(r"\| [\w-]+ \d+\.\d+\.\d+ \|", table)) == len(PEERS)


@pytest.mark.parametrize("contender", PEERS, ids=lambda each: each.name)
def test_what_a_peer_is_started_from_is_there(contender):
    here = building.HERE / contender.name
    named = [part for part in (*contender.command, *contender.prepare) if "{here}/" in part]

    assert all((here / part.removeprefix("{here}/")).is_file() for part in named)
    assert named or any(here.glob("serve.*"))


def test_the_lock_of_node_has_a_hash_a_package_and_no_address_of_one():
    lock = json.loads((building.HERE / "node" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}

    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())


def test_a_peer_that_cannot_be_built_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(building.NotBuilt, match="node and npm not on this machine: apt-get"):
        building.make_environment(NODE, tmp_path / "cache")

    table = given([NODE], {"node": Results(reason="not built: no\nnode | npm")})
    assert "| not built: no node / npm |" in table


def test_without_a_pipeline_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(SystemExit, match=r"make model DATA=path/to/table\.csv"):
        building.make_models(tmp_path, tmp_path / "model")


def test_the_empty_route_needs_a_part_of_what_the_server_needs(tmp_path):
    sizes = [building.installed_mb(each, tmp_path) for each in OWN]

    assert 1 < sizes[0] < 10 < sizes[2]
