import pytest

from server.storage.database import open_database
from server.storage.memory import find_limit, most_bytes


def made(tmp_path, groups, **limits):
    """Write what /proc and /sys show: the groups of the process, and the limits of some."""
    (tmp_path / "cgroup").write_text(groups)
    for path, text in limits.items():
        file = tmp_path / "mount" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return find_limit(tmp_path / "cgroup", tmp_path / "mount")


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/\n", {"memory.max": "268435456"}, 268435456),
        ("0::/\n", {"memory.max": "max"}, None),
        # The least on the way up counts.
        ("0::/a/b\n", {"a/b/memory.max": "900", "a/memory.max": "800", "memory.max": "max"}, 800),
        # A container that is shown its own group alone, under the path that the host has for it.
        ("0::/kubepods/pod1/c1\n", {"memory.max": "268435456"}, 268435456),
        (
            "9:cpu,cpuacct:/x\n5:memory:/docker/c1\n",
            {"memory/docker/c1/memory.limit_in_bytes": "268435456"},
            268435456,
        ),
        ("5:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("5:cpu:/\n", {}, None),
        ("", {}, None),
    ],
)
def test_the_least_limit_of_the_control_groups_is_found(tmp_path, groups, limits, expected):
    assert made(tmp_path, groups, **limits) == expected


def test_where_there_are_no_control_groups_there_is_no_limit(tmp_path):
    assert find_limit(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "wanted", "expected"),
    [(None, 1_000, 1_000), (400, 1_000, 100), (40_000, 1_000, 1_000)],
)
def test_a_quarter_of_what_is_allowed_may_be_had(monkeypatch, limit, wanted, expected):
    monkeypatch.setattr("server.storage.memory.find_limit", lambda: limit)

    assert most_bytes(wanted) == expected


def test_the_log_keeps_to_it(monkeypatch, tmp_path):
    monkeypatch.setattr("server.storage.memory.find_limit", lambda: 256 * 2**20)

    with open_database(tmp_path / "log.duckdb") as connection:
        ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()

    assert limit == "42.6 MiB"
