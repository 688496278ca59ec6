"""Make what contenders need, once: environments from their pins, and the model in each form."""

import hashlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.peers.contenders import Contender
from benchmarks.running import ROOT

HERE = Path(__file__).parent
_UV = Path(sys.executable).with_name("uv")
# What a route in Flask under Waitress needs.
WEB = {
    *("blinker", "click", "flask", "itsdangerous", "jinja2", "markupsafe", "waitress", "werkzeug"),
}


class NotBuilt(Exception):
    """An environment cannot be made here; the message says why."""


def make_models(artifacts: Path, folder: Path) -> None:
    """Write the model with its explanation, without it, and as a pickled pipeline.

    Raises
    ------
    SystemExit
        If there is no pipeline in `artifacts`.
    """
    pipeline = artifacts / "pipeline.skops"
    if not pipeline.exists():
        raise SystemExit(
            f"{pipeline} is missing: make model DATA=path/to/table.csv trains it, and without DATA "
            "one of a simulated survey"
        )
    digest = _digest([pipeline, HERE / "pickle_pipeline.py", Path(__file__)])
    if _is_made(folder, digest):
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "export", str(pipeline), str(artifacts / "holdout.parquet")]
    command += ["--name", "survey", "--target", "class"]
    command += ["--features", str(artifacts / "features.json")]
    explained = ["--train", str(artifacts / "train.parquet")]
    for name, options in (("full.onnx", explained), ("plain.onnx", ["--plain"])):
        _run([*command, *options, "-o", str(folder / name)])
    joblib = "benchmarks.peers.pickle_pipeline"
    _run([sys.executable, "-m", joblib, str(pipeline), str(folder / "pipeline.joblib")])
    _note_made(folder, digest)


def make_environment(contender: Contender, cache: Path) -> None:
    """Install the contender's packages below `cache`, unless they are there, and prepare it.

    Raises
    ------
    NotBuilt
        If a program is missing, or an installation fails.
    """
    if contender.packages is None:
        return
    here, folder = HERE / contender.name, cache / contender.name
    files = sorted(path for path in here.iterdir() if path.suffix in {".txt", ".json", ".mjs"})
    # What is prepared is made of the model.
    prepared = [here / "save.py", cache / "model" / contender.model] if contender.prepare else []
    digest = _digest([*files, *prepared])
    if _is_made(folder, digest):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if contender.packages == "npm":
        _install_node(files, folder)
    else:
        python = folder / "venv" / "bin" / "python"
        pins = ["--require-hashes", "-r", str(here / "requirements.txt")]
        _run([str(_UV), "venv", "-q", "--python", sys.executable, str(folder / "venv")])
        _run([str(_UV), "pip", "install", "-q", "--python", str(python), *pins])
    if contender.prepare:
        places = places_of(contender, cache)
        _run([part.format(**places) for part in contender.prepare])
    _note_made(folder, digest)


def places_of(contender: Contender, cache: Path) -> dict[str, str]:
    """Return what stands in the commands of a contender for the places of its things."""
    made = cache / contender.name
    return {
        "python": str(made / "venv" / "bin" / "python"),
        "bin": str(made / "venv" / "bin"),
        "here": str(HERE / contender.name),
        "made": str(made),
        "model": str(cache / "model" / contender.model),
        "root": str(ROOT),
    }


def installed_mb(contender: Contender, cache: Path) -> float:
    """Return the size of the packages, in 10^6 bytes, without what Python compiles on the way."""
    if contender.packages is None:
        return sum(map(_package_mb, _own_packages(contender)))
    where = "node_modules" if contender.packages == "npm" else "venv"
    files = (path for path in (cache / contender.name / where).rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc") / 1e6


def _own_packages(contender: Contender) -> set[str]:
    """Return the packages that are needed of those that serving needs."""
    pinned = (ROOT / "requirements-serve.txt").read_text()
    every = set(re.findall(r"^([\w.-]+)==", pinned, re.MULTILINE))
    return every & WEB if contender.name.startswith("empty") else every


def _package_mb(name: str) -> float:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        # One for another system.
        return 0.0
    paths = (Path(str(file.locate())) for file in files if not str(file).endswith(".pyc"))
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def _install_node(files: list[Path], folder: Path) -> None:
    missing = [program for program in ("node", "npm") if not shutil.which(program)]
    if missing:
        raise NotBuilt(f"{' and '.join(missing)} not on this machine: apt-get install nodejs npm")
    for path in files:
        shutil.copy(path, folder)
    # Scripts of packages would download what only graphics cards need.
    _run(["npm", "ci", "--ignore-scripts", "--prefix", str(folder)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotBuilt(f"{' '.join(command[:4])} ...: {(done.stderr or done.stdout).strip()}")


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _is_made(folder: Path, digest: str) -> bool:
    stamp = folder / "made"
    return stamp.exists() and stamp.read_text() == digest


def _note_made(folder: Path, digest: str) -> None:
    (folder / "made").write_text(digest)
