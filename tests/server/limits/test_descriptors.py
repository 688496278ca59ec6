"""There are descriptors for all connections, or the log says for how many."""

import subprocess
import sys

import pytest

from tests.server.conftest import ROOT

# A limit that is lowered stays so: in a process of its own.
PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, int(sys.argv[1])))
from server.limits.descriptors import connections_possible
print(connections_possible(2000), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("hard", "told", "warning"),
    [("4096", "2000 2128", ""), ("1000", "872 1000", "the hard limit of open files is 1000: 872")],
)
def test_the_soft_limit_is_raised_as_far_as_it_goes(hard, told, warning):
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, hard], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert process.stdout.strip() == told
    assert process.stderr.startswith(warning)
    assert bool(process.stderr) == bool(warning)
