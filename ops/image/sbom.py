"""Write what an image holds, as CycloneDX: ``python sbom.py PACKAGES REVISION >sbom.cdx.json``.

Runs in the build of the image, in the folder that is copied into it, and does not go along. The
same image gives the same file, so it has neither a time nor a number of its own.

References
----------
CycloneDX 1.6, ECMA-424.
"""

import hashlib
import json
import platform
import subprocess
import sys
import sysconfig
import urllib.parse
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from components import packages, vendored

from server.model import Model

MODEL = Path("models/sdss.onnx")


def main() -> None:
    """Print it."""
    folder, revision = Path(sys.argv[1]), sys.argv[2]
    ours = {"type": "application", "bom-ref": "sextant", "name": "sextant", "version": revision}
    ours["licenses"] = [{"license": {"id": "MIT"}}]
    components = [*_libraries(folder), _model(), *_python(), *_debian()]
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
        "dependencies": [{"ref": "sextant", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    json.dump(told, sys.stdout, separators=(",", ":"))


def _libraries(folder: Path) -> Iterator[dict[str, Any]]:
    for each in (*packages(folder), *vendored(Path())):
        if not each.texts:
            sys.exit(f"{each.name} brings no text of its licence along, and has to")
        yield _component("library", each.name, each.version, each.purl) | {
            "licenses": [{"license": {"name": each.licence}}]
        }


def _model() -> dict[str, Any]:
    contract = Model(MODEL).contract
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    return _component(
        "machine-learning-model",
        contract.model_name,
        contract.model_version,
        f"pkg:generic/{contract.model_name}@{contract.model_version}",
    ) | {"hashes": [{"alg": "SHA-256", "content": digest}]}


def _python() -> Iterator[dict[str, Any]]:
    version = platform.python_version()
    yield _component("platform", "python", version, f"pkg:generic/python@{version}")
    # What comes with it, pip.
    for each in distributions(path=[sysconfig.get_path("purelib")]):
        name = each.metadata["Name"]
        yield _component("library", name, each.version, f"pkg:pypi/{name.lower()}@{each.version}")


def _debian() -> Iterator[dict[str, Any]]:
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\n"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, version, architecture = line.split()
        quoted = urllib.parse.quote(version, safe="~")
        yield _component(
            "library", name, version, f"pkg:deb/debian/{name}@{quoted}?arch={architecture}"
        )


def _component(kind: str, name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    main()
