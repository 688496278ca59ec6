import pytest

from server.access import key_ring
from server.access.api_keys import make_key
from server.access.key_ring import KeyRing
from server.config import InvalidSettings, Settings


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of keys that is looked at whenever a key is asked for."""
    monkeypatch.setattr(key_ring, "_EVERY_S", 0.0)
    return tmp_path / "keys.txt"


def test_keys_come_from_the_environment_and_from_a_file(file):
    of_file, line = make_key("a", "read")
    of_settings, other = make_key("b", "sql")
    third, another = make_key("c", "admin")
    file.write_text(f"{line}\n")

    ring = KeyRing(Settings(keys_file=str(file), keys=f"{other}; {another}"))

    assert [ring.find(key).name for key in (of_file, of_settings, third)] == ["a", "b", "c"]
    assert ring.find("sextant_other") is None
    assert ring.find("\xe9") is None


def test_a_key_is_known_from_when_its_line_is_there_until_it_is_taken_away(file):
    first, line = make_key("a", "read")
    second, other = make_key("b", "read")
    file.write_text(f"{line}\n")
    ring = KeyRing(Settings(keys_file=str(file)))

    file.write_text(f"{line}\n{other}\n")
    assert ring.find(second).name == "b"
    file.write_text(f"{other}\n")

    assert ring.find(first) is None
    assert ring.find(second).name == "b"
    file.write_text("# none\n")
    assert ring.find(second) is None


def test_a_file_that_others_may_write_to_is_told_of(file, caplog):
    file.write_text(f"{make_key('a', 'read')[1]}\n")
    file.chmod(0o664)

    KeyRing(Settings(keys_file=str(file)))

    assert "others may write to it" in caplog.text


@pytest.mark.parametrize("damage", ["gone", "half a line", "no UTF-8"])
def test_what_is_wrong_in_a_changed_file_is_logged_and_the_keys_stay(file, caplog, damage):
    key, line = make_key("a", "read")
    file.write_text(f"{line}\n")
    ring = KeyRing(Settings(keys_file=str(file)))

    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"a read\n" if damage == "half a line" else b"\xff\n")
    found = [ring.find(key).name for _ in range(3)]

    assert found == ["a"] * 3
    assert len(caplog.records) == 1
    assert "the keys that were read before stay" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keys_file": "none.txt"}, "SEXTANT_KEYS_FILE: none.txt: No such file"),
        ({"keys_file": __file__}, "line 1: expected NAME"),
        ({"keys": " ; "}, "SEXTANT_KEYS: there is no key: make one"),
        ({"keys": "a;b"}, "SEXTANT_KEYS, line 1"),
    ],
)
def test_a_server_without_the_keys_it_was_told_of_does_not_start(settings, message):
    with pytest.raises(InvalidSettings, match=message):
        KeyRing(Settings(**settings))
