"""Read NDJSON: a JSON object a line."""

from http import HTTPStatus

from server.faults import InvalidPayload
from server.payload import Instances, PayloadReader
from server.tables.checking import too_many

_BOM = b"\xef\xbb\xbf"


def read_ndjson(body: bytes, reader: PayloadReader, max_instances: int) -> Instances:
    """Return the rows; an empty line is none.

    Raises
    ------
    InvalidPayload
        With every fault, its row, its field and its line.
    """
    numbered = {
        number: line
        for number, line in enumerate(body.removeprefix(_BOM).split(b"\n"), 1)
        if line.strip()
    }
    if not numbered:
        raise InvalidPayload(HTTPStatus.UNPROCESSABLE_ENTITY, "there is no row: send at least one")
    if len(numbered) > max_instances:
        raise too_many(f"{len(numbered)}", max_instances)
    return reader.parse_lines(numbered)
