"""Who answers whom: the champion, and a challenger that has a share of the callers."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from server.model import Model
from server.payload import Instances
from server.served import Answered, Served, say
from server.storage.rows import Stored

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lineup:
    """The models that answer at one time. A request takes one, and keeps it to its end.

    `share` is that of the callers that the challenger is asked for. Where it `is_shadow`, the
    champion answers them nevertheless, and what the challenger says is stored beside.
    """

    champion: Served
    challenger: Served | None = None
    share: float = 0.0
    is_shadow: bool = False
    _failures: Iterator[int] = field(default_factory=itertools.count, compare=False, repr=False)

    @property
    def models(self) -> list[Model]:
        """The champion, and the challenger if there is one."""
        return [each.model for each in (self.champion, self.challenger) if each]

    def only(self, name: str, version: str | None) -> Self | None:
        """Return what is left of it where a model is asked for by name, and perhaps by version."""

        def fits(served: Served | None) -> bool:
            contract = served.model.contract if served else None
            return contract is not None and (
                contract.model_name == name and version in (None, contract.model_version)
            )

        if fits(self.champion) and fits(self.challenger):
            return self
        for each in (self.champion, self.challenger):
            if each and fits(each):
                return type(self)(each)
        return None

    def answer(self, instances: Instances, stored: Stored, *, explain: bool = True) -> Answered:
        """Run the graph of each model for the rows that are its.

        A challenger that fails in the shadow is logged, and the answer is what it would be.
        """
        whole = range(len(instances))
        drawn = self._drawn(instances, stored)
        if self.challenger is None or not drawn:
            said = say(self.champion, whole, instances, stored, explain=explain)
            return Answered([said], [], has_failed_shadow=False)
        rest = whole if self.is_shadow else sorted({*whole}.difference(drawn))
        answered = [say(self.champion, rest, instances, stored, explain=explain)] if rest else []
        try:
            features = self.challenger.model.contract.features
            theirs = say(
                self.challenger, drawn, instances.warned(features), stored, explain=explain
            )
        except Exception:
            if not self.is_shadow:
                raise
            # Once: a line a request would be as bad as the failure itself.
            if next(self._failures) == 0:
                _logger.exception("the challenger fails in the shadow; it answers nobody")
            return Answered(answered, [], has_failed_shadow=True)
        if self.is_shadow:
            finite = theirs.finite()
            shadows = [finite] if finite.places else []
            return Answered(answered, shadows, has_failed_shadow=False)
        return Answered([*answered, theirs], [], has_failed_shadow=False)

    def _drawn(self, instances: Instances, stored: Stored) -> Sequence[int]:
        """Return the rows that are the challenger's: the same for the same caller's id.

        A row without an id is drawn by its own. The challenger's name is in it, so that another
        one does not get the same callers, and the share is not, so that a larger one keeps them.
        """
        if self.challenger is None or not self.share:
            return []
        named = self.challenger.model.named
        begun = sha256(f"{named['name']}/{named['version']}/".encode())
        below = int(self.share * 2**64)
        drawn = []
        ids = zip(instances.ids, stored.prediction_ids.texts(), strict=True)
        for place, (caller_id, prediction_id) in enumerate(ids):
            digest = begun.copy()
            key = prediction_id if caller_id is None else caller_id
            digest.update(key.encode(errors="surrogatepass"))
            if int.from_bytes(digest.digest()[:8]) < below:
                drawn.append(place)
        return drawn
