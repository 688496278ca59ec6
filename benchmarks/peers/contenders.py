"""The list of contenders: what each is, how it is started and asked, and what it was given."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.peers import answers, bodies
from benchmarks.running import SEXTANT


@dataclass(frozen=True)
class Format:
    """One way to ask: how rows become a body, and how probabilities are read from its answer.

    `read` takes the bytes of an answer, and its headers by their names in lower case.
    """

    name: str
    media_type: str
    write: Callable[[bodies.Rows], bytes]
    read: Callable[[bytes, dict[str, str]], Any]
    headers: tuple[tuple[str, str], ...] = ()
    # Where to ask, if not where the contender is asked for one row.
    path: str | None = None


@dataclass(frozen=True)
class Contender:
    """One server of the comparison; its files are in the folder of its name.

    In `command`, `environment` and the path, ``{python}`` is the Python of its environment,
    ``{bin}`` the folder of its programs, ``{here}`` the folder of its files, ``{made}`` that of
    what was made for it, ``{model}`` the file it serves, ``{port}`` a free port.
    """

    name: str
    title: str
    command: tuple[str, ...]
    path: str
    formats: Sequence[Format]
    # What it was given: processes, threads, and what else is not its default.
    given: str
    environment: tuple[tuple[str, str], ...] = ()
    # Where its packages come from: pip, npm, or None for those of the server itself.
    packages: str | None = "pip"
    model: str = "plain.onnx"
    # What is run once in its environment, as `command` is.
    prepare: tuple[str, ...] = ()
    # Whether it answers with probabilities.
    predicts: bool = True
    # The largest batch that it is asked.
    most_rows: int = 10_000


JSON = "application/json"
_LISTS = Format("JSON", JSON, bodies.as_list, answers.in_lists)
_V2 = Format("V2 JSON", JSON, bodies.as_v2, answers.in_v2)
_V2_BINARY = Format(
    "V2 binary",
    "application/octet-stream",
    bodies.as_v2_binary,
    answers.in_v2,
    (("Inference-Header-Content-Length", str(bodies.V2_JSON_BYTES)),),
)
_OWN_JSON = Format("JSON", JSON, bodies.as_object_or_list, answers.in_objects)
_OWN_V2_PATH = "/v2/models/{model_name}/infer"
_OWN_OTHERS = (
    Format("CSV", "text/csv", bodies.as_csv, answers.in_csv),
    Format("Parquet", "application/vnd.apache.parquet", bodies.as_parquet, answers.in_parquet),
    replace(_V2, path=_OWN_V2_PATH),
    replace(_V2_BINARY, path=_OWN_V2_PATH),
)
_PLAIN_ENVIRONMENT = (("PORT", "{port}"), ("MODEL", "{model}"))
_SERVE = ("{python}", "{here}/serve.py")
_EMPTY = (sys.executable, "-m", "benchmarks.empty_route", "{port}")
# As many threads as the server has by default.
_OWN_THREADS = "32"
_DEFAULT_SESSION = "one process; session with its defaults, a thread a core"

EMPTY = Contender(
    "empty",
    "empty route, Waitress' 4 threads",
    _EMPTY,
    "/predict",
    (_OWN_JSON,),
    "Flask's `get_json`, and `jsonify` of a constant; Waitress with its defaults",
    packages=None,
    predicts=False,
)
EMPTY_32 = Contender(
    "empty32",
    f"empty route, {_OWN_THREADS} threads",
    (*_EMPTY, _OWN_THREADS),
    "/predict",
    (_OWN_JSON,),
    f"the same; Waitress with {_OWN_THREADS} threads, as Sextant has",
    packages=None,
    predicts=False,
)
OURS = Contender(
    "ours",
    "Sextant",
    SEXTANT,
    "/predict",
    (_OWN_JSON, *_OWN_OTHERS),
    "its defaults; explains, and stores each row before it answers",
    (
        ("SEXTANT_HOST", "127.0.0.1"),
        ("SEXTANT_PORT", "{port}"),
        ("SEXTANT_MODEL", "{model}"),
        ("SEXTANT_DATABASE", "{database}"),
    ),
    packages=None,
    model="full.onnx",
)
NAIVE = Contender(
    "naive",
    "Flask, onnxruntime, an INSERT a request",
    (sys.executable, "{here}/serve.py"),
    "/predict",
    (_LISTS,),
    f"Waitress with its defaults; {_DEFAULT_SESSION}; DuckDB, a cursor a thread",
    (*_PLAIN_ENVIRONMENT, ("DATABASE", "{database}")),
    packages=None,
    # Ten thousand, inserted one by one, take most of a minute.
    most_rows=100,
)
TUTORIAL = Contender(
    "tutorial",
    "Flask, joblib, pandas",
    _SERVE,
    "/predict",
    (_LISTS,),
    "Waitress with its defaults; the pipeline itself, no ONNX",
    # The pipeline has steps of this project.
    (*_PLAIN_ENVIRONMENT, ("PYTHONPATH", "{root}")),
    model="pipeline.joblib",
)
FASTAPI = Contender(
    "fastapi",
    "FastAPI, uvicorn, onnxruntime",
    _SERVE,
    "/predict",
    (_LISTS,),
    f"`uvicorn[standard]`, no access log, async route; {_DEFAULT_SESSION}",
    _PLAIN_ENVIRONMENT,
)
MLSERVER = Contender(
    "mlserver",
    "MLServer",
    ("{bin}/mlserver", "start", "{here}"),
    "/v2/models/model/infer",
    # Its REST server takes no bytes behind the JSON.
    (_V2,),
    "custom runtime; one worker beside the server, its default; no access log; "
    "session with its defaults",
    (
        ("MLSERVER_DEBUG", "false"),
        ("MLSERVER_HOST", "127.0.0.1"),
        ("MLSERVER_HTTP_PORT", "{port}"),
        ("MLSERVER_GRPC_PORT", "{port2}"),
        ("MLSERVER_METRICS_PORT", "{port3}"),
        ("MODEL", "{model}"),
    ),
)
BENTOML = Contender(
    "bentoml",
    "BentoML",
    ("{bin}/bentoml", "serve", "serve:Model", "--host", "127.0.0.1", "--port", "{port}"),
    "/predict",
    (Format("JSON", JSON, bodies.as_matrix, answers.in_lists),),
    "one worker, its default, no batching; session with its defaults",
    (("MODEL", "{model}"), ("PYTHONPATH", "{here}"), ("BENTOML_DO_NOT_TRACK", "True")),
)
LITSERVE = Contender(
    "litserve",
    "LitServe",
    _SERVE,
    "/predict",
    (Format("JSON", JSON, bodies.as_rows, answers.in_lists),),
    "one worker beside the server, its default, no batching; session with its defaults",
    _PLAIN_ENVIRONMENT,
)
RAY = Contender(
    "ray",
    "Ray Serve",
    _SERVE,
    "/",
    (_LISTS,),
    "one replica, its default, no dashboard; session with its defaults",
    (
        *_PLAIN_ENVIRONMENT,
        ("RAY_USAGE_STATS_ENABLED", "0"),
        # On a machine with other work, half a minute is not always enough.
        ("RAY_raylet_start_wait_time_s", "120"),
        # Else it listens on every address of the machine, whatever it is told.
        ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0"),
    ),
)
MLFLOW = Contender(
    "mlflow",
    "MLflow",
    (
        *("{bin}/mlflow", "models", "serve", "-m", "{made}/saved", "--env-manager", "local"),
        *("-h", "127.0.0.1", "-p", "{port}", "--workers", "1"),
    ),
    "/invocations",
    (Format("JSON", JSON, bodies.as_inputs, answers.in_named),),
    "ONNX flavour, `--env-manager local`, one worker; session as the flavour makes it",
    # It starts the program of its worker by its name.
    (("PATH", "{bin}:{path}"),),
    prepare=("{python}", "{here}/save.py", "{model}", "{made}/saved"),
)
PYTRITON = Contender(
    "pytriton",
    "PyTriton",
    _SERVE,
    "/v2/models/model/infer",
    (_V2, _V2_BINARY),
    "batches of up to 10,000 rows, gathered without delay; no gRPC; session with its defaults",
    # Triton looks for the library of this Python there, and may find another's elsewhere.
    (*_PLAIN_ENVIRONMENT, ("LD_LIBRARY_PATH", "{libpython}")),
)
NODE = Contender(
    "node",
    "Node, fastify, onnxruntime-node",
    ("node", "{made}/serve.mjs"),
    "/predict",
    (_LISTS,),
    "schemas for body and answer; one process; session with its defaults",
    _PLAIN_ENVIRONMENT,
    packages="npm",
)

# What the others are compared with; none needs an environment of its own.
OWN = (EMPTY, EMPTY_32, OURS, NAIVE)
CONTENDERS = (
    *OWN,
    *(TUTORIAL, FASTAPI, NODE, PYTRITON, LITSERVE, BENTOML, MLSERVER, MLFLOW, RAY),
)
