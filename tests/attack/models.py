"""Have the server load another model than it was told to, or one that was changed on its way."""

import hashlib
import os
import subprocess
import sys

from benchmarks.running import ROOT

_SHIPPED = ROOT / "models" / "sdss.onnx"


def another_model(target):
    """Put another file where the model lies, which is whole and says it is the same."""
    asked = hashlib.sha256(_SHIPPED.read_bytes()).hexdigest()
    content = b"\0" + _SHIPPED.read_bytes()
    told = _start(target.folder, content, SEXTANT_MODEL_SHA256=asked)
    assert asked in told, told
    assert hashlib.sha256(content).hexdigest() in told, told


def changed_model(target):
    """Change single bytes of the model, in its weights, its metadata and its hash."""
    whole = _SHIPPED.read_bytes()
    for at in (1_000, len(whole) // 2, len(whole) - 1_000, len(whole) - 10):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        told = _start(target.folder, changed)
        assert "damaged" in told, (at, told)


def _start(folder, content, **settings):
    """Start a server on a model with this content, which it has to refuse, and return why."""
    (folder / "model.onnx").write_bytes(content)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SEXTANT_")}
    ours |= {"SEXTANT_MODEL": str(folder / "model.onnx"), "SEXTANT_PORT": "0", **settings}
    ours |= {"SEXTANT_DATABASE": str(folder / "never.duckdb")}
    command = [sys.executable, "-m", "server"]
    ran = subprocess.run(
        command, cwd=ROOT, env=ours, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1, ran.stdout
    assert not (folder / "never.duckdb").exists()
    return ran.stderr


ATTACKS = (another_model, changed_model)
