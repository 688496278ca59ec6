"""What a disk may hold after its power fails, from the journal of all that was done to a log.

A change is on the disk for certain once a later sync of its file has returned without an error. Of
those that are not, any may be there and any may be missing, page by page, and a page in sectors.
Names are made, changed and removed in order, and a sync of any file brings those before it to the
disk, as journalled file systems have it (ext4, XFS, btrfs).
After a sync that failed the kernel holds pages for written that are not: they are in doubt until
they are written again and synced, however many syncs succeed in between.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.faults.journal import Done, Kind

PAGE = 4096
SECTOR = 512
# As many kinds of chance as there are: what is uncertain is missing, or there, or cut off in the
# middle, or there in part, or there in part with pages that are torn.
KINDS = ("none of it", "all of it", "the first of it", "some of it", "some of it, torn")


@dataclass(eq=False)
class _Change:
    """A write within one page, or a cut where `data` is None."""

    offset: int
    data: bytes | None
    is_certain: bool = False
    is_in_doubt: bool = False

    @property
    def page(self) -> int:
        return self.offset // PAGE


@dataclass
class _File:
    """What is certain, and the changes since."""

    content: bytearray = field(default_factory=bytearray)
    changes: list[_Change] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        at = 0
        while at < len(data):
            room = PAGE - (offset + at) % PAGE
            self.changes.append(_Change(offset + at, data[at : at + room]))
            at += room

    def sync(self) -> None:
        # A page that was written once more takes what was in doubt of it along.
        pages = {each.page for each in self.changes if not each.is_in_doubt}
        for each in self.changes:
            each.is_certain = each.is_certain or not each.is_in_doubt or each.page in pages
        if all(each.is_certain for each in self.changes):
            for each in self.changes:
                _apply(self.content, each.offset, each.data)
            self.changes.clear()

    def fail_to_sync(self) -> None:
        for each in self.changes:
            each.is_in_doubt = not each.is_certain

    def after_crash(self, kind: str, chance: Random) -> bytes:
        least = self._having(lambda _: False)
        if kind == KINDS[0]:
            return least
        if kind == KINDS[1]:
            return self._having(lambda _: True)
        uncertain = [each for each in self.changes if not each.is_certain]
        if kind == KINDS[2]:
            first = {*uncertain[: chance.randint(0, len(uncertain))]}
            return self._having(lambda change: change in first)
        # A page goes to the disk as it is then: with the first so many of its changes.
        left = Counter(each.page for each in uncertain)
        left = Counter({page: chance.randint(0, n) for page, n in left.items()})

        def is_there(change: _Change) -> bool:
            left[change.page] -= 1
            return left[change.page] >= 0

        pages = sorted(left)
        content = self._having(is_there)
        return _tear(content, least, pages, chance) if kind == KINDS[4] else content

    def _having(self, is_there: Callable[[_Change], bool]) -> bytes:
        content = bytearray(self.content)
        for each in self.changes:
            if each.is_certain or is_there(each):
                _apply(content, each.offset, each.data)
        return bytes(content)


class Disk:
    """A folder of files as a disk may hold it, as far as the journal was followed."""

    def __init__(self) -> None:
        self._certain: dict[str, _File] = {}
        self._named: dict[str, _File] = {}
        # Changes of names since the last sync, each with the file that it makes.
        self._renamings: list[tuple[Done, _File]] = []

    def follow(self, done: Done) -> None:
        """Take the next thing that was done."""
        if done.kind in (Kind.CREATED, Kind.REMOVED, Kind.RENAMED):
            self._renamings.append((done, _File()))
            _rename(self._named, *self._renamings[-1])
            return
        file = self._named[done.path]
        if done.kind is Kind.WRITTEN:
            file.write(done.offset, done.data)
        elif done.kind is Kind.CUT:
            file.changes.append(_Change(done.offset, None))
        elif done.kind is Kind.SYNCED:
            file.sync()
            self._certain = dict(self._named)
            self._renamings.clear()
        else:
            file.fail_to_sync()

    @property
    def is_certain(self) -> bool:
        """Whether there is but one thing that the disk can hold."""
        return not self._renamings and not any(each.changes for each in self._named.values())

    def after_crash(self, kind: str, chance: Random) -> dict[str, bytes]:
        """Return files, by path, as the disk may hold them if its power fails now."""
        names = dict(self._certain)
        n_renamings = {KINDS[0]: 0, KINDS[1]: len(self._renamings)}.get(
            kind, chance.randint(0, len(self._renamings))
        )
        for renaming in self._renamings[:n_renamings]:
            _rename(names, *renaming)
        return {path: file.after_crash(kind, chance) for path, file in names.items()}


def _rename(names: dict[str, _File], done: Done, made: _File) -> None:
    if done.kind is Kind.CREATED:
        names[done.path] = made
    elif done.kind is Kind.REMOVED:
        names.pop(done.path, None)
    elif done.path in names:
        names[done.data.decode()] = names.pop(done.path)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(max(0, offset - len(content))))
        return
    content.extend(bytes(max(0, offset + len(data) - len(content))))
    content[offset : offset + len(data)] = data


def _tear(content: bytes, before: bytes, pages: Sequence[int], chance: Random) -> bytes:
    """Return the content with sectors of some of these pages as they were before."""
    torn = bytearray(content)
    for page in pages:
        if chance.random() < 0.5:
            continue
        for at in range(page * PAGE, min((page + 1) * PAGE, len(content)), SECTOR):
            if chance.random() < 0.5:
                size = min(SECTOR, len(content) - at)
                torn[at : at + size] = before[at : at + size].ljust(size, b"\0")
    return bytes(torn)
