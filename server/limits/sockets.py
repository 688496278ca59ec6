"""Wait for sockets, at a cost that grows with those that have something to say and not with all.

Waitress' own loop asks every connection before each wait what it is ready for: with a thousand idle
ones that takes longer than answering.
"""

import selectors
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from waitress import wasyncore


class Sockets(dict[int, Any]):
    """Waitress' map of file descriptors to what handles them, each of which is waited for.

    What a connection is no longer ready for is noticed when it comes, and not before: a client that
    waits for its answer before it asks again costs no call of the system.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        # The one that listens is handled last, so that a number which a connection has given back
        # is not taken anew while there are still events for it.
        self.listening: Any = None

    def __setitem__(self, fd: int, handler: Any) -> None:
        super().__setitem__(fd, handler)
        handler.waits_for = EVENT_READ
        self._selector.register(fd, EVENT_READ, handler)

    def __delitem__(self, fd: int) -> None:
        handler = self[fd]
        super().__delitem__(fd)
        self._wait_for(fd, handler, 0)

    def turn(self, timeout_s: float) -> None:
        """Wait for events, for `timeout_s` at most, and handle them."""
        is_called = False
        for key, events in self._selector.select(timeout_s):
            handler = key.data
            if handler is self.listening:
                is_called = True
            elif self.get(key.fd) is handler:  # and was not closed by what came before
                self._handle(key.fd, handler, events)
        if is_called:
            self.listening.handle_accept()

    def attend(self, handler: Any) -> None:
        """Wait for what a connection has become ready for; to be called after it was served."""
        fd = handler._fileno
        if fd is None:
            return
        wanted = handler.waits_for
        if handler.readable():
            wanted |= EVENT_READ
        if handler.writable():
            wanted |= EVENT_WRITE
        if wanted != handler.waits_for:
            self._wait_for(fd, handler, wanted)

    def listen(self, is_open: bool) -> None:
        """Wait for new connections, or leave them to the system for now."""
        fd = self.listening._fileno
        if fd is not None:
            self._wait_for(fd, self.listening, EVENT_READ if is_open else 0)

    def have_come(self) -> bool:
        """Tell whether something came in that nobody has had the time to read."""
        return any(
            events & EVENT_READ and key.data.readable() and not key.data.is_lingering
            for key, events in self._selector.select(0)
            if hasattr(key.data, "is_lingering")
        )

    def close(self) -> None:
        """Close everything there is."""
        wasyncore.close_all(self)
        self._selector.close()

    def _handle(self, fd: int, handler: Any, events: int) -> None:
        if events & EVENT_WRITE:
            if handler.writable():
                wasyncore.write(handler)
            else:
                self._wait_for(fd, handler, handler.waits_for & ~EVENT_WRITE)
        if events & EVENT_READ and handler._fileno is not None:
            if handler.readable():
                wasyncore.read(handler)
            else:
                self._wait_for(fd, handler, handler.waits_for & ~EVENT_READ)
        self.attend(handler)

    def _wait_for(self, fd: int, handler: Any, events: int) -> None:
        if events == handler.waits_for:
            return
        if not events:
            self._selector.unregister(fd)
        elif not handler.waits_for:
            self._selector.register(fd, events, handler)
        else:
            self._selector.modify(fd, events, handler)
        handler.waits_for = events
