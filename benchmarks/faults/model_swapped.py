"""A model file that changes under a server: it goes on with the one it has; a start looks anew."""

import hashlib
import time

from benchmarks.faults.server import MODEL, Server
from benchmarks.faults.trial import Trial

# The last entry of a model file: the sha256 of all bytes before it, as its contract says.
_TAIL = b'\x72\x51\x0a\x0bfile_sha256\x12\x42"'


def swap(trial: Trial) -> None:
    """Swap the file under load, start on it, and put it back, `trial.rounds` times."""
    path = trial.folder / "model.onnx"
    whole = MODEL.read_bytes()
    path.write_bytes(whole)
    server = trial.server(SEXTANT_MODEL=str(path))
    server.start()
    version = trial.pool(server).contract["model_version"]
    others = {
        "empty": b"",
        "cut off": whole[: len(whole) // 2],
        "changed in a byte": whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:],
        "of another version": _of_another_version(whole, version),
    }
    for number in range(trial.rounds):
        name = list(others)[number % len(others)]
        with trial.asking(server):
            path.write_bytes(others[name])
            time.sleep(0.3)
            trial.check_readiness(server)
        trial.stop(server)
        words = server.refuses()
        if name == "of another version":
            trial.require(not words, f"a model {name} is refused: {words[-300:]}")
            trial.require(_version(server) != version, "the old model is served")
            trial.stop(server)
        else:
            trial.require(str(path) in words, f"a model that is {name} is served")
        path.write_bytes(whole)
        began = time.monotonic()
        server.start()
        trial.time_recovery(server, since=began)
    trial.check_retries(server)
    trial.stop(server)


def _of_another_version(whole: bytes, version: str) -> bytes:
    """Return the model under a version that differs in its last character."""
    other = version[:-1] + ("0" if version[-1] != "0" else "1")
    body, _, _ = whole.replace(version.encode(), other.encode()).rpartition(_TAIL)
    digest = hashlib.sha256(body).hexdigest().encode()
    return body + _TAIL + digest + b'"'


def _version(server: Server) -> str:
    version: str = server.ask("/model")[1]["model_version"]
    return version
