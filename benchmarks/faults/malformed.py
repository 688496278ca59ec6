"""What is no HTTP, or could be read in two ways, beside those that ask."""

from benchmarks import malformed
from benchmarks.faults.trial import Trial
from benchmarks.malformed_cases import CASES

# Cases that are made of the others, in a round.
_MADE = 100


def send_malformed(trial: Trial) -> None:
    """Send them all, and others in each of `trial.rounds`."""
    server = trial.server()
    server.start()
    with trial.asking(server, count=4):
        for number in range(trial.rounds):
            made = list(malformed.generated(number, _MADE))
            for case in made if number else [*CASES, *made]:
                told = malformed.complaint(case, malformed.ask(server.port, case.sent))
                trial.require(not told, f"round {number}, {told}")
            trial.time_recovery(server)
    trial.stop(server)
