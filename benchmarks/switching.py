"""Switch models while clients ask, and count what was failed, lost or booked to another version.

Run it as ``python -m benchmarks.switching --url http://127.0.0.1:8080 --other sdss/2``
beside a server whose SEXTANT_MODEL is a serving file: docs/versions.md says how to make one.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.instances import InstanceMaker

# Every so many requests a client sends a list, which may be answered by both.
_LIST_EVERY, _LIST_ROWS = 5, 10


@dataclass(frozen=True)
class Booked:
    """What an answer, or the log, says of one prediction."""

    caller_id: str
    version: str
    sha256: str


class Connection:
    """One connection that is kept, and what was asked on it."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)

    def ask(self, path: str, content: Any = None) -> tuple[int, bytes]:
        """Post JSON, or get where there is none to post; return status and body."""
        method = "GET" if content is None else "POST"
        body = None if content is None else json.dumps(content)
        self._connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Let it go."""
        self._connection.close()


def ask_once(url: str, path: str, content: Any = None) -> bytes:
    """Ask on a connection of its own, and return the body of an answer that must be 200."""
    with contextlib.closing(Connection(url)) as connection:
        status, body = connection.ask(path, content)
    if status != 200:
        raise SystemExit(f"{path} answers {status}: {body.decode()}")
    return body


class Clients:
    """Clients that ask on and on, and remember what they were answered."""

    def __init__(self, url: str, instances: Sequence[dict[str, Any]], clients: int) -> None:
        self.booked: dict[str, Booked] = {}
        self.failed: list[str] = []
        self.seconds: list[float] = []
        self._url, self._instances = url, instances
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish what it asked."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        connection = Connection(self._url)
        random = Random(number)  # noqa: S311  # no secrets
        for count in itertools.count():
            if self._is_over.is_set():
                break
            rows = random.choices(self._instances, k=_LIST_ROWS)
            is_list = count % _LIST_EVERY == 0
            began = time.perf_counter()
            try:
                status, body = connection.ask("/predict", rows if is_list else rows[0])
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                connection.close()
                connection = Connection(self._url)
                continue
            self.seconds.append(time.perf_counter() - began)
            if status == 200:
                self._book(json.loads(body))
            else:
                self.failed.append(f"{status}: {body.decode(errors='replace')}")
        connection.close()

    def _book(self, answer: dict[str, Any]) -> None:
        for row in answer.get("predictions", [answer]):
            model = row.get("model") or answer["model"]
            booked = Booked(row["id"], model["version"], model["sha256"])
            self.booked[row["prediction_id"]] = booked


@dataclass(frozen=True)
class Found:
    """What came of it: all but `answered` and `shadowed` should be nothing."""

    answered: Counter[str]
    shadowed: int
    failed: int
    lost: int
    otherwise: int
    unasked: int


def compare(url: str, clients: Clients, since: str) -> Found:
    """Hold what was answered against what the log has stored since then."""
    stored = {
        prediction_id: Booked(*rest)
        for prediction_id, *rest in _rows(
            url,
            "SELECT prediction_id::VARCHAR AS p, id, model_version, model_sha256 FROM predictions "
            "WHERE prediction_id > $since",
            since,
        )
    }
    shadows = "SELECT prediction_id::VARCHAR AS p FROM shadow_predictions WHERE p > $since"
    shadowed = [prediction_id for (prediction_id,) in _rows(url, shadows, since)]
    booked = clients.booked
    return Found(
        answered=Counter(each.version for each in booked.values()),
        shadowed=len(shadowed),
        failed=len(clients.failed),
        lost=len(booked.keys() - stored.keys()),
        otherwise=sum(stored.get(each, said) != said for each, said in booked.items()),
        unasked=len(stored.keys() - booked.keys()) + len({*shadowed} - stored.keys()),
    )


def last_id(url: str) -> str:
    """Return the id of the newest prediction, or one that is before all."""
    statement = "SELECT max(prediction_id)::VARCHAR AS p FROM predictions WHERE $since IS NOT NULL"
    ((found,),) = _rows(url, statement, "")
    return found or "00000000-0000-0000-0000-000000000000"


def _rows(url: str, statement: str, since: str) -> Iterator[list[Any]]:
    query = urllib.parse.urlencode({"q": statement, "since": since})
    for line in ask_once(url, f"/sql.ndjson?{query}").splitlines():
        yield [*json.loads(line).values()]


def steps(champion: str, other: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the switches of one round, which ends where it began."""
    return [
        ("challenge", {"model": other, "share": 0.3}),
        ("challenge", {"model": other, "share": 0.7}),
        ("promote", {"model": other}),
        ("rollback", {}),
        ("promote", {}),
        ("challenge", {"model": champion, "shadow": True}),
        ("promote", {"model": champion}),
    ]


def switch(url: str, verb: str, wanted: dict[str, Any]) -> float:
    """Ask for a switch, and return what it took in seconds."""
    began = time.perf_counter()
    ask_once(url, f"/models/{verb}", wanted)
    return time.perf_counter() - began


def make_instances(url: str) -> list[dict[str, Any]]:
    """Return objects that the champion can be asked about, each with an id of its own."""
    contract = json.loads(ask_once(url, "/model"))
    maker = InstanceMaker(contract, Random(0))  # noqa: S311  # no secrets
    return [maker.make(missing_share=0.1) for _ in range(500)]


def run(
    url: str, other: str, *, clients: int, rounds: int, pause: Callable[[], None]
) -> tuple[Found, list[float], Clients]:
    """Switch `rounds` times there and back while `clients` ask; return what came of it."""
    model = json.loads(ask_once(url, "/models"))["champion"]
    champion = f"{model['name']}/{model['version']}"
    since = last_id(url)
    asking = Clients(url, make_instances(url), clients)
    took = []
    try:
        pause()
        for _ in range(rounds):
            for verb, wanted in steps(champion, other):
                took.append(switch(url, verb, wanted))
                pause()
    finally:
        asking.stop()
    return compare(url, asking, since), took, asking


def main() -> None:
    """Switch for as long as told, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--other", required=True, help="name/version to switch to and back from")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two switches")
    asked = parser.parse_args()
    found, took, clients = run(
        asked.url,
        asked.other,
        clients=asked.clients,
        rounds=asked.rounds,
        pause=lambda: time.sleep(asked.pause),
    )
    times = sorted(1e3 * each for each in clients.seconds)
    print(f"{len(took)} switches, the longest {max(took):.2f} s; {len(times):,} requests,")
    print(f"p50 {times[len(times) // 2]:.0f} ms, p99 {times[int(len(times) * 0.99)]:.0f} ms")
    for version, rows in sorted(found.answered.items()):
        print(f"answered by {version}: {rows:,} rows")
    print(f"in the shadow: {found.shadowed:,} rows")
    print(f"failed: {found.failed}, not in the log: {found.lost}, there under another version or")
    print(f"file: {found.otherwise}, there and not answered: {found.unasked}")
    if found.failed or found.lost or found.otherwise or found.unasked:
        raise SystemExit("; ".join(clients.failed[:3]) or "the log is not what was answered")


if __name__ == "__main__":
    main()
