"""Say how much memory this process may take, as its control groups have it."""

from pathlib import Path

_CGROUP = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def most_bytes(wanted: int, *, parts: int = 4) -> int:
    """Return how many of the bytes that are wanted may be had: at most one part of the limit."""
    limit = find_limit()
    return wanted if limit is None else min(wanted, limit // parts)


def find_limit(groups: Path = _CGROUP, mount: Path = _MOUNT) -> int | None:
    """Return the least number of bytes that a control group of this process allows, or None.

    References
    ----------
    cgroups(7): a line of /proc/self/cgroup is hierarchy, controllers and path, without controllers
    in version 2. What a container is shown may begin at its own group, so every folder on the way
    up is asked; and a group is bound by those above it.
    """
    found = []
    for line in _lines(groups):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            folder, name = mount, "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        below = Path(path.lstrip("/"))
        for place in (below, *below.parents):
            found += [int(text) for text in _lines(folder / place / name) if text.isdigit()]
    # Version 1 writes what is no limit as a number near the largest.
    return min((limit for limit in found if limit < 2**60), default=None)


def _lines(path: Path) -> list[str]:
    # Elsewhere than on Linux there are none, and in a container perhaps not all of them.
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
