import os
import subprocess
import time

from benchmarks.processes import VARIABLE, Processes


def test_processes_that_leave_the_tree_are_found_and_ended():
    token = f"test-{os.getpid()}"
    # The one in between ends, and the last lives on in a session of its own.
    first = subprocess.Popen(
        ["sh", "-c", "(setsid sleep 60 &); exec sleep 60"], env={**os.environ, VARIABLE: token}
    )
    processes = Processes(token)
    while len(processes.ids()) < 2:
        time.sleep(0.01)

    assert first.pid in processes.ids()
    assert processes.resident_mb() > 0.1
    assert processes.cpu_s() >= 0

    first.terminate()
    first.wait()
    processes.end()

    assert processes.ids() == []


def test_another_token_finds_nothing():
    assert Processes("nobody has this").ids() == []
    assert Processes("nobody has this").cpu_s() == 0
