"""Every setting of the server: its default, its unit and its meaning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from dataclasses import field as field_of
from pathlib import Path
from typing import Self


class InvalidSettings(Exception):
    """An environment variable has a value that the server cannot use."""


@dataclass(frozen=True)
class Settings:
    """The settings of one server; the environment variable of each is ``SEXTANT_<NAME>``.

    Raises
    ------
    InvalidSettings
        If a number is too small to make sense; the message names the variable.
    """

    # Address to listen on; beyond loopback only with keys, or with what open_to_all says.
    host: str = "127.0.0.1"
    # Port to listen on; 0 lets the system choose one.
    port: int = 8080
    # File of API keys, a line each as `python -m server key` prints it; read again when it changes.
    keys_file: str = ""
    # The same lines, with semicolons between them.
    keys: str = ""
    # Scopes of what needs no key, such as "predict,read": for all who reach the server.
    open_to_all: str = ""
    # The key that the commands send to a server that runs.
    key: str = field_of(default="", repr=False)
    # Names that the server answers to, beside localhost, its own addresses and the host; * is any.
    allowed_hosts: str = ""
    # Origins of other sites whose pages may ask, such as https://lab.example.org.
    cors_origins: str = ""
    # Addresses and networks of reverse proxies whose X-Forwarded-* headers are believed.
    trusted_proxies: str = ""
    # The ONNX file to serve, or a serving file (.toml) that names several.
    model: Path = Path("models/sdss.onnx")
    # The sha256 that the ONNX file must have, as sha256sum prints it; unless set, any will do.
    model_sha256: str = ""
    # The DuckDB file that holds the prediction log; its folder is made if it is missing.
    database: Path = Path("data/predictions.duckdb")
    # Requests at work at once. Each waits for its commit, so this is also how many can share one:
    # benchmarks/README.md has what 32 give over Waitress' own 4.
    threads: int = 32
    # Of these, most for one caller, a key or an address: others find a thread whatever he does.
    threads_per_caller: int = 24
    # Connections at once; for one beyond that the longest idle one is closed.
    max_connections: int = 2_000
    # Longest expected wait of a request for the loop or for a thread, in milliseconds, before the
    # answer is 503: a person hardly notices it, and 32 callers are far from it.
    max_wait_ms: float = 100.0
    # Requests a second that one caller may send; 0 does not count them.
    rate_limit: float = 0.0
    # Rows a second that one caller may have predicted; 0 does not count them.
    row_rate_limit: float = 0.0
    # Seconds' worth of both that a caller who has asked for nothing may ask for at once.
    rate_burst_s: float = 10.0
    # A request that is coming in, or an answer that is being taken, has this long, in seconds, to
    # move the bytes that the next setting asks for; then its connection is dropped.
    slow_client_s: float = 10.0
    # Bytes a second that move at least: the slowest mobile networks do, and 10 s of it are more
    # than any header may have.
    least_bytes_per_s: int = 5_000
    # How long a connection may be idle, in seconds.
    idle_timeout_s: float = 120.0
    # Bytes of unfinished bodies and unsent answers in memory; beyond that the largest is dropped.
    max_held_bytes: int = 512 * 1024 * 1024
    # Largest header of a request, in bytes: four times what proxies commonly take in one line.
    max_header_bytes: int = 32 * 1024
    # Largest request body, in bytes: 10,000 instances of some 40 features fit.
    max_body_bytes: int = 16 * 1024 * 1024
    # Most instances, or labels, in one request; they are held in memory and stored in one
    # transaction.
    max_instances: int = 10_000
    # Most rows waiting for the writer, about 1 kB each; beyond that the answer is 503.
    max_waiting_rows: int = 50_000
    # Longest wait for a commit, in seconds, before the answer is 503.
    commit_timeout_s: float = 10.0
    # How long the answer to a request with an Idempotency-Key is kept, in hours: who retries does
    # so within a day. Each takes about a kilobyte of the log, or a third of a long one's body.
    idempotency_hours: float = 24.0
    # Longest time for one SQL query, in seconds: two run at once, and predictions want the cores.
    query_timeout_s: float = 10.0
    # Most rows a SQL query may answer; a download of them stands on disk until it is sent.
    query_max_rows: int = 1_000_000
    # Age, in days, beyond which whole hours are exported and then removed; 0 keeps all.
    keep_days: float = 0.0
    # Bytes of the log's blocks beyond which its oldest hours are; 0 keeps all.
    keep_bytes: int = 0
    # Where hours are exported before they are removed; "without export" removes them for good.
    export_dir: Path = Path("data/export")
    # How often chance alone may raise an alarm in a window of the monitor, over all its checks.
    alarm_rate: float = 0.01
    # Least stability index that is an alarm: a third of a standard deviation moves a normal
    # distribution by 0.1, where the folklore of the index begins to speak of change.
    drift_psi: float = 0.1
    # Least rise of a share that is an alarm: of novel rows, of missing values, of wrong answers.
    alarm_share: float = 0.03
    # Largest 99th percentile of the model's time for a request, in milliseconds, that is no alarm:
    # three times what the largest request takes.
    alarm_p99_ms: float = 500.0
    # Longest time for an orderly stop, in seconds; container engines kill after 10.
    stop_timeout_s: float = 5.0
    # How the server's log looks: json, text, or auto, which is text at a terminal and else json.
    log_format: str = "auto"
    # The least that is logged: debug, info, warning or error; a request is info.
    log_level: str = "info"
    # A request that takes longer, in milliseconds, is logged as a warning: a hundred times what
    # one row takes, and half of what people wait without wondering.
    slow_request_ms: float = 1000.0

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                variable = f"SEXTANT_{name.upper()}"
                raise InvalidSettings(f"{variable}: {value} is not between {least} and {most}")
        for name, choices in _CHOICES.items():
            if getattr(self, name).lower() not in choices:
                variable = f"SEXTANT_{name.upper()}"
                raise InvalidSettings(
                    f"{variable}: {getattr(self, name)!r} is none of {', '.join(choices)}"
                )
        if self.model_sha256 and not _SHA256.fullmatch(self.model_sha256):
            raise InvalidSettings(
                f"SEXTANT_MODEL_SHA256: {self.model_sha256!r} is not 64 hexadecimal digits, "
                "as sha256sum prints them"
            )
        if self.max_waiting_rows < self.max_instances:
            raise InvalidSettings(
                f"SEXTANT_MAX_WAITING_ROWS: {self.max_waiting_rows} is less than "
                f"SEXTANT_MAX_INSTANCES, {self.max_instances}: "
                "the largest request could never be stored"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings that `environment` names; the others keep their defaults."""
        given = {}
        for field in fields(cls):
            variable = f"SEXTANT_{field.name.upper()}"
            text = environment.get(variable, "")
            if not text:
                continue
            try:
                given[field.name] = field.type(text)  # type: ignore[operator]  # a class, not a string: no deferred annotations here
            except ValueError:
                kind = {int: "a whole number", float: "a number"}[field.type]  # type: ignore[index]  # only numbers raise
                raise InvalidSettings(f"{variable}: {text!r} is not {kind}") from None
        return cls(**given)

    @classmethod
    def unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        """Return the variables that look like settings and are none."""
        known = {f"SEXTANT_{field.name.upper()}" for field in fields(cls)}
        return sorted(n for n in environment if n.startswith("SEXTANT_") and n not in known)


_SHA256 = re.compile("[0-9a-fA-F]{64}")
_BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "threads": (1, 1_000),
    "threads_per_caller": (1, 1_000),
    "max_connections": (1, 100_000),
    "max_wait_ms": (1, 3_600_000),
    "rate_limit": (0, 10**9),
    "row_rate_limit": (0, 10**9),
    "rate_burst_s": (0.001, 86_400),
    "slow_client_s": (0.1, 3_600),
    "least_bytes_per_s": (1, 10**9),
    "idle_timeout_s": (0.1, 86_400),
    "max_held_bytes": (1, 2**40),
    "max_header_bytes": (1_024, 2**20),
    "max_body_bytes": (1, 2**30),
    "max_instances": (1, 10**6),
    "max_waiting_rows": (1, 10**7),
    "commit_timeout_s": (0.001, 3_600),
    "idempotency_hours": (0.001, 8_760),
    "query_timeout_s": (0.001, 3_600),
    "query_max_rows": (1, 10**8),
    "keep_days": (0, 36_500),
    "keep_bytes": (0, 2**50),
    "alarm_rate": (1e-6, 0.5),
    "drift_psi": (0.001, 100),
    "alarm_share": (0.001, 1),
    "alarm_p99_ms": (0.001, 3_600_000),
    "stop_timeout_s": (0.001, 3_600),
    "slow_request_ms": (0.001, 3_600_000),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "log_format": ("auto", "json", "text"),
    "log_level": ("debug", "info", "warning", "error"),
}
