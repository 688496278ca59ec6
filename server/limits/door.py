"""Take connections in, and close the longest idle one for a new one where there are too many."""

import errno
from typing import Any

from server.limits.patience import Patience

# Taken in at once; then those that are there get their turn.
_MAX_ACCEPTED = 64
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
        self._is_open = True

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
        """Open again once there is room."""
        if not self._is_open:
            self._open(True)

    def _accept_one(self) -> bool:
        server = self._server
        if len(server.active_channels) >= self._most and not self._patience.make_room():
            self._open(False)
            return False
        try:
            accepted = server.accept()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR and not self._patience.make_room():
                self._open(False)
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

    def _open(self, is_open: bool) -> None:
        # Closed, the system keeps who comes in its queue; the next turn asks again.
        self._is_open = is_open
        self._server.sockets.listen(is_open)
