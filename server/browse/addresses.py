"""The address of a view of the log: what it asks, and the addresses of its neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

# Where a page begins says nothing once another thing is asked.
_OF_A_PAGE = ("before", "after")

Change = str | Sequence[str] | None


@dataclass(frozen=True)
class Address:
    """A path with its parameters, in order."""

    path: str
    parameters: tuple[tuple[str, str], ...]

    def changed(
        self, changes: Mapping[str, Change], *, path: str | None = None, keep_page: bool = False
    ) -> str:
        """Return the address with other values of some parameters; None leaves one out."""
        dropped = {*changes, *(() if keep_page else _OF_A_PAGE)}
        kept = [(name, text) for name, text in self.parameters if name not in dropped]
        for name, change in changes.items():
            texts = [change] if isinstance(change, str) else (change or ())
            kept += [(name, text) for text in texts]
        # What reads well in an address and may stand there as it is: 17..19, in.u, 12:30.
        query = urlencode(kept, safe=":,*!")
        return f"{path or self.path}{'?' * bool(query)}{query}"

    def without(self, name: str, text: str) -> str:
        """Return the address without one of the values of a parameter."""
        rest = [each for key, each in self.parameters if key == name and each != text]
        return self.changed({name: rest})

    def texts(self, name: str) -> list[str]:
        """Return the values of a parameter."""
        return [text for key, text in self.parameters if key == name]

    def text(self, name: str) -> str:
        """Return the value of a parameter, or nothing."""
        return next(iter(self.texts(name)), "")
