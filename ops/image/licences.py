"""Write docs/licences.md, of what is installed of requirements-serve.txt: ``make licences``."""

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ops.image.components import Component, packages, vendored

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
HEAD = Path(__file__).with_suffix(".md")


def page() -> str:
    """Return the page."""
    rows = [
        f"| {each.name} | {each.version} | {each.licence} | {_names(each.texts)} |\n"
        for each in (*_pinned(), *vendored(ROOT))
    ]
    return HEAD.read_text() + "".join(rows)


def _pinned() -> Iterator[Component]:
    """Yield what is pinned for serving and installed: some are for other systems."""
    pins = (ROOT / "requirements-serve.txt").read_text()
    wanted = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", pins, re.MULTILINE))
    for each in packages(Path(sysconfig.get_path("purelib")), wanted):
        if wanted[each.name] == each.version:
            yield each


def _names(texts: list[str]) -> str:
    names = dict.fromkeys(Path(text).name for text in texts)
    return ", ".join(f"`{name}`" for name in names) or "none"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
