"""Count what the log holds of a model, as the statistics extension of the protocol has it."""

from datetime import UTC, datetime
from typing import Any

from server.contract import Contract
from server.storage.snapshots import Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def read_statistics(snapshot: Snapshot, contract: Contract) -> dict[str, Any]:
    """Return the rows and requests that are stored, however they were asked, and what they took."""
    rows, requests, took_ms, last = 0, 0, 0.0, 0
    for source in snapshot.sources:
        found = snapshot.cursor.execute(
            # Each row bears what its request took: it is counted once.
            "SELECT count(*), count(*) FILTER (instance = 0), "  # noqa: S608  # names of ours
            "coalesce(sum(inference_ms) FILTER (instance = 0), 0), max(predicted_at) "
            f"FROM {source.table} WHERE model_name = ? AND model_version = ?",
            [contract.model_name, contract.model_version],
        ).fetchone()
        if found is None or not found[0]:
            continue
        rows, requests, took_ms = rows + found[0], requests + found[1], took_ms + found[2]
        last = max(last, int((found[3] - _EPOCH).total_seconds() * 1e3))
    return {
        "name": contract.model_name,
        "version": contract.model_version,
        "last_inference": last,
        "inference_count": rows,
        "execution_count": requests,
        "inference_stats": {"compute_infer": {"count": requests, "ns": int(took_ms * 1e6)}},
    }
