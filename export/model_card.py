"""Write the model card of a model file: what its contract says, and prose beside it.

Run it as ``python -m export.model_card models/sdss.onnx --prose research/model_card.md -o
docs/model-card.md``.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import onnx

from export import card_tables
from export.errors import ExportError

Contract = dict[str, Any]

_ASKED = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def main() -> None:
    """Parse the command line and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a model file with a contract")
    parser.add_argument("--prose", type=Path, required=True, help="what no contract can say")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
    options = parser.parse_args()
    try:
        card = write_card(read_contract(options.model), options.prose.read_text(encoding="utf-8"))
        options.output.write_text(card, encoding="utf-8")
    except (ExportError, OSError) as error:
        raise SystemExit(f"model_card: {error}") from None
    print(f"wrote {options.output}")


def read_contract(path: Path) -> Contract:
    """Return the metadata of a model file.

    Raises
    ------
    ExportError
        If the file is no ONNX model with a contract.
    """
    try:
        model = onnx.load(path)
        contract = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    except OSError:
        raise
    except Exception as error:  # whatever protobuf or json say of a file that is another
        raise ExportError(f"{path} is no model file with a contract: {error}") from error
    if "evaluation" not in contract:
        raise ExportError(f"{path} has no contract, or that of an older export: export it again")
    return contract


def write_card(contract: Contract, prose: str) -> str:
    """Return the card: the prose, with `{{ name }}` replaced by what the contract says.

    Raises
    ------
    ExportError
        If the prose asks for something that is not here.
    """
    parts = {
        "model": f"{contract['model_name']} {contract['model_version']}",
        "description": contract["description"],
        "inputs": card_tables.inputs(contract),
        "outputs": card_tables.outputs(contract),
        "scores": card_tables.scores(contract),
        "holdout": "\n\n".join(
            card_tables.head(contract, each) for each in contract["evaluation"]["heads"]
        ),
        "coverage": card_tables.coverage(contract),
        "novelty": card_tables.novelty(contract),
        "provenance": card_tables.provenance(contract),
    }
    asked = set(_ASKED.findall(prose)) - parts.keys()
    if asked:
        raise ExportError(f"the prose asks for {min(asked)!r}; there are {', '.join(parts)}")
    # In one go: what the contract says may hold braces itself.
    return _ASKED.sub(lambda found: parts[found[1]], prose)


if __name__ == "__main__":
    main()
