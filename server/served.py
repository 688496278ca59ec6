"""A model that is served, and what it said of rows of a request: what is answered and stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from server.config import Settings
from server.model import Model, Prediction
from server.payload import Instances, PayloadReader
from server.storage.database import query_folder
from server.storage.rows import Rows, Stored, Target
from server.tables.reading import BodyReader


@dataclass(frozen=True)
class Served:
    """A model, what reads bodies for it, and where its rows are stored."""

    model: Model
    reader: PayloadReader
    bodies: BodyReader
    target: Target


def to_served(model: Model, target: Target, settings: Settings) -> Served:
    """Return what it takes to serve a model whose table is made."""
    reader = PayloadReader(model.contract.features, settings.max_instances)
    folder = query_folder(settings.database)
    bodies = BodyReader(reader, folder, max_bytes=settings.max_body_bytes)
    return Served(model, reader, bodies, target)


def say(
    served: Served, places: Sequence[int], instances: Instances, stored: Stored, *, explain: bool
) -> "Said":
    """Run the graph of one model for these rows of a request."""
    if len(places) < len(instances):
        instances, stored = instances.at(places), stored.at(places)
    prediction = served.model.predict(instances.arrays, explain=explain)
    return Said(served, places, instances, stored, prediction)


@dataclass(frozen=True)
class Said:
    """What one model said of rows of a request; `places` are theirs among all rows of it."""

    served: Served
    places: Sequence[int]
    instances: Instances
    stored: Stored
    prediction: Prediction

    def rows(self, request_id: str | Sequence[str]) -> Rows:
        """Return what is stored of them; of rows that are a request each, names one a row."""
        is_one = isinstance(request_id, str)
        ms = self.prediction.inference_ms
        return Rows(
            request_id=request_id if is_one else [request_id[place] for place in self.places],
            instance=self.places if is_one else 0,
            ids=self.instances.ids,
            values=self.instances.values,
            outputs=self.prediction.outputs,
            warnings=self.instances.warnings,
            # Of rows that are a request each, each has its share of the run.
            inference_ms=ms if is_one else ms / len(self.places),
            numbered=self.stored,
            target=self.served.target,
        )

    def finite(self) -> Self:
        """Leave out the rows to which there is no finite answer."""
        odd = {*self.prediction.not_finite}
        if not odd:
            return self
        rows = [row for row in range(len(self.places)) if row not in odd]
        outputs = {name: array[rows] for name, array in self.prediction.outputs.items()}
        return replace(
            self,
            places=[self.places[row] for row in rows],
            instances=self.instances.at(rows),
            stored=self.stored.at(rows),
            prediction=Prediction(outputs, [], self.prediction.inference_ms),
        )


@dataclass(frozen=True)
class Answered:
    """What was said of a request, by whom, and what a challenger said of it to nobody."""

    said: Sequence[Said]
    shadows: Sequence[Said]
    has_failed_shadow: bool

    @property
    def not_finite(self) -> list[int]:
        """Rows to which there is no finite answer."""
        return sorted(each.places[row] for each in self.said for row in each.prediction.not_finite)

    def rows(self, request_id: str | Sequence[str]) -> tuple[list[Rows], list[Rows]]:
        """Return what is stored of it, and what is stored in the shadow."""
        return (
            [each.rows(request_id) for each in self.said],
            [each.rows(request_id) for each in self.shadows],
        )
