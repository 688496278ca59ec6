"""Files that are written whole before they are sent, and have no name any more by then."""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

_lock = threading.Lock()


@contextlib.contextmanager
def new_file(folder: Path) -> Iterator[Path]:
    """Yield an empty file in `folder`, which is made; both are gone afterwards.

    Whoever has it open still reads it, and frees its space by closing it.
    """
    with _lock:
        folder.mkdir(exist_ok=True)
        path = folder / uuid.uuid4().hex
        path.touch()  # now nobody who leaves takes the folder along
    try:
        yield path
    finally:
        with _lock:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # the last one out
