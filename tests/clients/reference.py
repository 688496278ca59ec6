"""What the checks of all clients share: rows of the model, and what POST /predict says of them.

Standard library and numpy alone, for each client lives in an environment of its own.
"""

import json
import sys
import urllib.request
import uuid

import numpy as np

DTYPES = {"FP32": np.float32, "INT64": np.int64, "BYTES": object}


class Reference:
    """A server at `url`, asked without any client of the protocol."""

    def __init__(self, url):
        self.url = url
        # So that a server may be asked again.
        self.run = uuid.uuid4().hex[:8]
        self.contract = self.ask("/model")
        self.name = self.contract["model_name"]
        self.version = self.contract["model_version"]
        golden = self.contract["golden"]["inputs"]
        names = [feature["name"] for feature in self.contract["features"]]
        self.rows = [
            dict(zip(names, values, strict=True))
            for values in zip(*(golden[name] for name in names), strict=True)
        ]
        self.nullable = [f["name"] for f in self.contract["features"] if f["nullable"]]
        self.answers = self.ask("/predict", self.rows)["predictions"]
        # What is answered where no outputs are asked for.
        self.default = [
            output["name"]
            for output in self.contract["outputs"]
            if output["role"] in ("label", "probabilities", "value", "detail")
        ]

    def ask(self, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, body, headers), timeout=30
        ) as response:
            return json.load(response)

    def columns(self):
        """Yield name, datatype and values of each input; what is missing is NaN."""
        kinds = {"float32": "FP32", "int64": "INT64", "string": "BYTES"}
        for feature in self.contract["features"]:
            name, datatype = feature["name"], kinds[feature["type"]]
            values = [np.nan if row[name] is None else row[name] for row in self.rows]
            yield name, datatype, np.array(values, DTYPES[datatype])

    def check(self, name, found):
        """Compare the values of one output, flat or not, with the answers of POST /predict."""
        wanted = [answer[name] for answer in self.answers]
        if isinstance(wanted[0], dict):  # by class
            wanted = [list(each.values()) for each in wanted]
        found = np.asarray(found).reshape(np.shape(wanted))
        if found.dtype.kind == "f":
            assert np.array_equal(found.astype(np.float32), np.float32(wanted)), (name, found)
        else:
            texts = [each.decode() if isinstance(each, bytes) else each for each in found.tolist()]
            assert texts == wanted, (name, texts)

    def check_stored(self, request_id, ids=None):
        """Look for the rows of one request in the log."""
        query = f"format=json&sort=time&request={request_id}"
        rows = self.ask(f"/predictions?{query}")["predictions"]
        assert len(rows) == len(self.rows), (request_id, len(rows))
        assert [row.get("id") for row in rows] == (ids or [None] * len(rows))
        # A FLOAT comes back in the digits of a float32.
        sent = [{n: as_float32(value) for n, value in row.items()} for row in self.rows]
        kept = [{n: as_float32(value) for n, value in row["inputs"].items()} for row in rows]
        assert kept == sent


def as_float32(value):
    return float(np.float32(value)) if isinstance(value, float) else value


def reference():
    """Return what the URL on the command line serves."""
    return Reference(sys.argv[1].rstrip("/"))
