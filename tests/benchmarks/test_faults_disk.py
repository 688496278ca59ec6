"""What the disk may hold after a crash: nothing that was synced is missing, all else may be."""

from pathlib import Path
from random import Random

from benchmarks.faults.disk import KINDS, PAGE, Disk
from benchmarks.faults.journal import Done, Kind, read_journal

NONE, ALL, _, SOME, TORN = KINDS
A, B = b"a" * PAGE, b"b" * PAGE


def after(*steps: tuple[Kind, str, int, bytes], kind: str, seed: int = 0) -> dict[str, bytes]:
    """Return the files after a crash that follows these steps."""
    disk = Disk()
    for step in steps:
        disk.follow(Done(*step, end=0))
    return disk.after_crash(kind, Random(seed))


def made(path: str = "log") -> tuple[Kind, str, int, bytes]:
    return Kind.CREATED, path, 0, b""


def written(data: bytes, offset: int = 0, path: str = "log") -> tuple[Kind, str, int, bytes]:
    return Kind.WRITTEN, path, offset, data


SYNCED = (Kind.SYNCED, "log", 0, b"")
SYNC_FAILED = (Kind.SYNC_FAILED, "log", 0, b"")


def test_what_was_synced_is_there_and_what_was_not_may_be_missing() -> None:
    steps = [made(), written(A), SYNCED, written(B, PAGE)]

    assert after(*steps, kind=NONE) == {"log": A}
    assert after(*steps, kind=ALL) == {"log": A + B}


def test_of_two_pages_either_may_be_missing_and_one_may_be_torn() -> None:
    steps = [made(), SYNCED, written(A + B)]

    some = {after(*steps, kind=SOME, seed=seed)["log"] for seed in range(50)}
    torn = {after(*steps, kind=TORN, seed=seed)["log"] for seed in range(200)}

    assert some == {b"", A, A + B, bytes(PAGE) + B}
    sectors = {content[at : at + 512] for content in torn for at in range(0, len(content), 512)}
    assert sectors == {bytes(512), A[:512], B[:512]}
    assert any(A[:512] + bytes(512) in content for content in torn)


def test_a_page_may_be_there_as_it_was_between_two_changes() -> None:
    steps = [made(), SYNCED, written(b"one"), written(b"two", 3)]

    some = {after(*steps, kind=SOME, seed=seed)["log"] for seed in range(50)}

    assert some == {b"", b"one", b"onetwo"}


def test_a_sync_after_one_that_failed_does_not_bring_back_what_that_lost() -> None:
    steps = [made(), SYNCED, written(A), SYNC_FAILED, written(B, PAGE), SYNCED]

    assert after(*steps, kind=NONE) == {"log": bytes(PAGE) + B}
    assert after(*steps, written(A), SYNCED, kind=NONE) == {"log": A + B}


def test_a_cut_is_certain_once_it_is_synced() -> None:
    steps = [made(), written(A + B), SYNCED, (Kind.CUT, "log", PAGE, b"")]

    assert after(*steps, kind=NONE) == {"log": A + B}
    assert after(*steps, SYNCED, kind=NONE) == {"log": A}


def test_names_are_made_renamed_and_removed_with_the_next_sync_of_any_file() -> None:
    first = [made(), written(A), SYNCED]
    moved = (Kind.RENAMED, "log", 0, b"old")

    assert after(made(), kind=NONE) == {}
    assert after(*first, moved, kind=NONE) == {"log": A}
    assert after(*first, moved, made(), SYNCED, kind=NONE) == {"old": A, "log": b""}
    assert after(*first, (Kind.REMOVED, "log", 0, b""), kind=ALL) == {}


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = b"".join(number.to_bytes(8, "little") for number in (2, 3, 4096, 2)) + b"logab"
    path = tmp_path / "journal"
    path.write_bytes(record * 2)

    first, second = read_journal(path)

    assert first == Done(Kind.WRITTEN, "log", 4096, b"ab", end=len(record))
    assert second.end == 2 * len(record)
