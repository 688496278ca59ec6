"""Read a body of any kind into the rows it holds."""

from pathlib import Path

from server.payload import Instances, PayloadReader
from server.tables.csv_body import read_csv
from server.tables.media import CSV, JSON, NDJSON
from server.tables.ndjson_body import read_ndjson
from server.tables.parquet_body import ParquetReader


class BodyReader:
    """Reads the bodies that the features of one contract ask for; `PayloadReader` those of JSON.

    Parameters
    ----------
    folder : Path
        Where a Parquet body lies while it is read.
    """

    def __init__(self, reader: PayloadReader, folder: Path, *, max_bytes: int) -> None:
        self._reader = reader
        self._parquet = ParquetReader(
            reader.features, folder, max_instances=reader.max_instances, max_bytes=max_bytes
        )

    def read(self, kind: str, body: bytes) -> Instances:
        """Return the rows of a body of this kind.

        Raises
        ------
        InvalidPayload
            With every fault and its place.
        """
        if kind == JSON:
            return self._reader.parse(body)
        if kind == CSV:
            return read_csv(body, self._reader.features, self._reader.max_instances)
        if kind == NDJSON:
            return read_ndjson(body, self._reader, self._reader.max_instances)
        return self._parquet.read(body)
