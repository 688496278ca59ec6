"""Have as many file descriptors as there may be connections."""

import logging
import resource

_logger = logging.getLogger(__name__)
# What the process opens beside connections: the log, files that are sent, libraries.
_OTHERS = 128


def connections_possible(wanted: int) -> int:
    """Raise the soft limit to what `wanted` connections need, and return how many there can be.

    Where the hard limit is too low, fewer are possible, and the log says so.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most == needed:
        return wanted
    possible = max(1, most - _OTHERS)
    _logger.warning(
        "the hard limit of open files is %d: %d connections are possible, not the %d of "
        "SEXTANT_MAX_CONNECTIONS; raise it (ulimit -Hn, LimitNOFILE=, --ulimit nofile=)",
        hard,
        possible,
        wanted,
    )
    return possible
