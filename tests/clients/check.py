"""Ask a server with the clients that people have: ``python -m tests.clients.check``.

Each lives in an environment of its own, made here from its pins, for they clash. They ask the model
we ship, and a small one with integers, texts and names that are hard to put in an address.
schemathesis then asks the first of them what its OpenAPI document says.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.running import ROOT, SEXTANT, free_port, serving

CLIENTS = ("triton", "kserve", "mlserver")
EXPLORER = "schemathesis"
HERE = ROOT / "tests" / "clients"
UV = Path(sys.executable).with_name("uv")


def install(client, folder):
    """Return the Python of an environment that holds this client and nothing else."""
    environment = folder / client
    python = environment / "bin" / "python"
    pins = ["--require-hashes", "-r", HERE / f"{client}.txt"]
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, environment], check=True)
    subprocess.run([UV, "pip", "install", "-q", "--python", python, *pins], check=True)
    return python


def ask(model, pythons, folder):
    """Serve `model` and let every client ask; raise for the first that is answered amiss."""
    url = f"http://127.0.0.1:{free_port()}"
    settings = {
        "SEXTANT_HOST": "127.0.0.1",
        "SEXTANT_PORT": url.rpartition(":")[2],
        "SEXTANT_MODEL": str(model),
        "SEXTANT_DATABASE": str(folder / f"{model.stem}.duckdb"),
    }
    output = folder / f"{model.stem}.log"
    with serving(SEXTANT, settings, ready_url=f"{url}/v2/health/ready", output=output):
        for client in CLIENTS:
            script = HERE / f"check_{client}.py"
            subprocess.run([pythons[client], script, url], check=True, timeout=300)
        if model.stem == "sdss":
            follow_the_document(pythons, url)
            explore(pythons, url, folder)


def follow_the_document(pythons, url):
    """Run the examples of docs/v2.md as they stand there, but for the address."""
    text = (
        (ROOT / "docs" / "v2.md").read_text().replace("127.0.0.1:8080", url.removeprefix("http://"))
    )
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for client, example in zip(("triton", "kserve"), examples, strict=True):
        command = [pythons[client], "-c", example]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        assert "STAR" in said.stdout, said


def explore(pythons, url, folder):
    """Ask all that the OpenAPI document says can be asked, and much that it says cannot."""
    command = [pythons[EXPLORER].with_name("schemathesis"), "--config-file"]
    command += [HERE / "schemathesis.toml", "run", "--no-color", f"{url}/openapi.json"]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    subprocess.run(command, check=True, cwd=folder, env=environment, timeout=600)


def main():
    """Run it all and say how long it took."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sextant-clients-") as name:
        folder = Path(name)
        # Downloads wait for each other's packages, not for the processor.
        with ThreadPoolExecutor() as pool:
            wanted = (*CLIENTS, EXPLORER)
            made = pool.map(install, wanted, [folder] * len(wanted))
            pythons = dict(zip(wanted, made, strict=True))
        installed = time.monotonic()
        mass = folder / "mass.onnx"
        command = [sys.executable, "-m", "tests.clients.make_model", mass]
        subprocess.run(command, check=True, cwd=ROOT)
        for model in (ROOT / "models" / "sdss.onnx", mass):
            ask(model, pythons, folder)
    took = time.monotonic() - installed
    print(f"environments in {installed - begin:.0f} s, questions in {took:.0f} s")


if __name__ == "__main__":
    main()
