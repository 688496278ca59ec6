"""Take connections in, and close the longest idle one for a new one where there are too many."""

import errno
from typing import Any

from server.limits.clock import Clock
from server.limits.patience import Patience

# Taken in at once; then those that are there get their turn.
_MAX_ACCEPTED = 64
# Without room, who comes is not looked at for so long: looking would take all of a core.
_CLOSED_S = 0.05
_NO_DESCRIPTOR = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Door:
    """Where connections come in.

    Parameters
    ----------
    server : waitress.server.BaseWSGIServer
    patience : Patience
        Makes room.
    most : int
        Connections at once.
    """

    def __init__(self, server: Any, patience: Patience, most: int) -> None:
        self._server = server
        self._patience = patience
        self._most = most
        self._clock: Clock = server.clock
        # When it was closed; None while it is open.
        self._closed_at: float | None = None

    def accept(self) -> None:
        """Take in those who wait, as many as one turn allows."""
        for _ in range(_MAX_ACCEPTED):
            if not self._accept_one():
                break

    def accept_all(self) -> None:
        """Take in all who wait, for the last time."""
        while len(self._server.active_channels) < self._most and self._accept_one():
            pass

    def turn(self) -> None:
        """Open again a moment after there was no room."""
        if self._closed_at is not None and self._clock.now - self._closed_at > _CLOSED_S:
            self._closed_at = None
            self._server.sockets.listen(True)

    def _accept_one(self) -> bool:
        server = self._server
        if len(server.active_channels) >= self._most and not self._patience.make_room():
            self._close()
            return False
        try:
            accepted = server.accept()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR and not self._patience.make_room():
                self._close()
            return False
        if accepted is None:
            return False
        connection, address = accepted
        try:
            server.set_socket_options(connection)
            server.channel_class(
                server, connection, server.fix_addr(address), server.adj, map=server.sockets
            )
        except OSError:  # gone already
            connection.close()
        return True

    def _close(self) -> None:
        # The system keeps who comes in its queue.
        self._closed_at = self._clock.now
        self._server.sockets.listen(False)
