"""Change who answers: load, check, write the file, and only then switch; or change nothing."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from server.contract import InvalidModel
from server.model import Model
from server.versions.checks import check_fits, check_named, check_parity
from server.versions.serving_file import Serving, path_of, read_serving


class SwitchRefused(Exception):
    """A switch that was not made; the message says why, and everything is as it was."""


@dataclass(frozen=True)
class Loaded:
    """The models that are to answer, which have been checked, and what a file says of them."""

    serving: Serving
    champion: Model
    challenger: Model | None

    @property
    def models(self) -> list[Model]:
        """The champion, and the challenger if there is one."""
        return [self.champion, *([self.challenger] if self.challenger else [])]


def load(path: Path, serving: Serving, known: Sequence[Model] = ()) -> Loaded:
    """Load the models that are to answer; those that are `known` are not loaded twice.

    Raises
    ------
    InvalidModel
        If a file is missing, damaged, does not give its golden rows their answers, is not what its
        place says, or the two do not go together.
    """
    champion = _load(path, serving.champion, known)
    challenger = serving.challenger and _load(path, serving.challenger, known)
    if challenger:
        check_fits(challenger.contract, champion.contract)
    return Loaded(serving, champion, challenger or None)


def _load(path: Path, reference: str, known: Sequence[Model]) -> Model:
    file = path_of(path, reference)
    found = sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    model = next((each for each in known if each.sha256 == found), None) or Model(file)
    check_named(model, reference)
    check_parity(model.contract)
    return model


class Switching:
    """Who answers according to one file, and how that is changed: by one at a time.

    Parameters
    ----------
    serving : Serving
        What the file says now.
    models : sequence of Model
        Those that answer, the champion first; none where they cannot be loaded, and so not be
        compared with.
    serve : callable
        Puts what it is given in the place of what is served. It raises before it changes anything.
    """

    def __init__(
        self,
        path: Path,
        serving: Serving,
        models: Sequence[Model],
        serve: Callable[[Loaded], None],
    ) -> None:
        self.path = path
        self.serving = serving
        self._models = models
        self._serve = serve
        self._lock = threading.Lock()

    def promote(self, reference: str | None = None) -> Loaded:
        """Make a model the champion, or the challenger where none is named; nobody challenges it.

        Raises
        ------
        SwitchRefused
            If the model does not keep what it promises or takes other inputs, or there is none.
        """
        with self._changing() as now:
            wanted = reference or now.challenger
            if wanted is None:
                raise SwitchRefused("nobody challenges: say which model is to be the champion")
            return self._switch(Serving(wanted))

    def challenge(self, reference: str, *, share: float, is_shadow: bool) -> Loaded:
        """Give a share of the callers to a model, or have it answer them in the shadow.

        Raises
        ------
        SwitchRefused
            As `promote`.
        """
        with self._changing() as now:
            if reference == now.champion:
                raise SwitchRefused(f"{reference} is the champion already")
            if not 0 <= share <= 1:
                raise SwitchRefused(f"share: {share} is not between 0 and 1")
            return self._switch(Serving(now.champion, reference, share, is_shadow))

    def withdraw(self) -> Loaded:
        """Have the champion alone answer."""
        with self._changing() as now:
            if now.challenger is None:
                raise SwitchRefused("nobody challenges the champion")
            return self._switch(Serving(now.champion))

    def roll_back(self) -> Loaded:
        """Have those answer that did before the last change; twice is forth again.

        Raises
        ------
        SwitchRefused
            If nothing was served before, or its files are not what they were.
        """
        with self._changing() as now:
            if now.previous is None:
                raise SwitchRefused(f"{self.path} knows of nothing that was served before")
            return self._switch(now.previous, is_back=True)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Serving]:
        if not self._lock.acquire(blocking=False):
            raise SwitchRefused("another switch is at work: try again")
        try:
            if read_serving(self.path) != self.serving:
                raise SwitchRefused(
                    f"{self.path} was changed by hand since it was read: start the server anew, "
                    "which serves what it says, or put it back"
                )
            yield self.serving
        except InvalidModel as error:
            raise SwitchRefused(str(error)) from error
        except OSError as error:
            raise SwitchRefused(f"{self.path} cannot be written: {error.strerror}") from error
        finally:
            self._lock.release()

    def _switch(self, wanted: Serving, *, is_back: bool = False) -> Loaded:
        wanted = wanted.after(self.serving)
        loaded = load(self.path, wanted, self._models)
        if self._models:
            check_fits(loaded.champion.contract, self._models[0].contract, is_back=is_back)
        self._serve(loaded)
        self.serving, self._models = wanted, loaded.models
        return loaded
