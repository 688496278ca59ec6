"""What a fault came to, and the line of the table that says so."""

import statistics
from dataclasses import dataclass

HEAD = (
    "| fault | rounds | requests | acknowledged | stored | lost | doubled | wrong | recovery s |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Outcome:
    """What a fault came to; `str` is its line of the table."""

    fault: str
    rounds: int
    requests: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    wrong: int
    recovered_s: list[float]
    complaints: list[str]

    @property
    def is_kept(self) -> bool:
        """Whether the rule was kept, and there was something to keep."""
        return self.acknowledged > 0 and not (
            self.lost or self.doubled or self.wrong or self.complaints
        )

    def __str__(self) -> str:
        counts = (self.rounds, self.requests, self.acknowledged, self.stored)
        broken = (self.lost, self.doubled, self.wrong)
        cells = [self.fault, *(f"{each:,}" for each in (*counts, *broken)), self._recovery()]
        return f"| {' | '.join(cells)} |"

    def _recovery(self) -> str:
        if not self.recovered_s:
            return ""
        return f"{statistics.median(self.recovered_s):.1f}, at most {max(self.recovered_s):.1f}"
