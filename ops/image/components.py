"""What stands beside our own code: the packages that serving needs, and the files we vendor.

Python's standard library alone, so that it runs in the image's build.
"""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

VENDORED = Path("server/static/vendor")
_TEXTS = re.compile(r"(licen[cs]e|notice|copying|thirdpartynotices)[^/]*", re.IGNORECASE)
_CLASSIFIER = "License :: OSI Approved :: "


class Component(NamedTuple):
    """One package or vendored library, its licence as its makers name it, and the files of it."""

    name: str
    version: str
    licence: str
    texts: list[str]
    purl: str


def packages(folder: Path, names: Iterable[str] = ()) -> Iterator[Component]:
    """Yield the packages in `folder`, or those of these names that are there, by name."""
    found = [d for name in names or [None] for d in distributions(name=name, path=[str(folder)])]
    for each in sorted(found, key=lambda each: each.metadata["Name"].lower()):
        name = re.sub("[-_.]+", "-", each.metadata["Name"]).lower()
        texts = sorted(
            str(file)
            for file in each.files or []
            if _TEXTS.fullmatch(file.name) and (folder / file).is_file()
        )
        purl = f"pkg:pypi/{name}@{each.version}"
        yield Component(name, each.version, _licence(each), texts, purl)


def vendored(root: Path) -> Iterator[Component]:
    """Yield what lies in the folder of vendored libraries, each in one of its name and version."""
    for folder in sorted((root / VENDORED).iterdir()):
        name, _, version = folder.name.rpartition("-")
        texts = sorted(p.name for p in folder.iterdir() if _TEXTS.search(p.name))
        is_apache = "Apache License" in (folder / "LICENSE").read_text()
        licence = "Apache-2.0" if is_apache else "see its text"
        yield Component(name, version, licence, texts, f"pkg:npm/{name}-dist@{version}")


def _licence(package: Distribution) -> str:
    told = package.metadata
    classes = [each for each in told.get_all("Classifier") or [] if each.startswith(_CLASSIFIER)]
    short = told["License"] if "\n" not in (told["License"] or "\n") else None
    return (
        told["License-Expression"]
        or short
        or " and ".join(each.removeprefix(_CLASSIFIER) for each in classes)
        or "see its text"
    )
