"""What the loop took for one object, and gives to a thread, does not wait for the next request."""

from types import SimpleNamespace

from server.config import Settings
from server.limits.admission import Admission
from server.limits.clock import Clock
from server.limits.load import Load


def test_the_loop_does_not_sleep_on_what_it_passed_on():
    settings = Settings()
    server = SimpleNamespace(clock=Clock())
    parts = SimpleNamespace(load=Load(settings))
    admission = Admission(server, lambda: parts, None, settings)
    admission.singles["somebody"] = 1
    assert admission.wait_s > 0

    admission.single_passed_on(SimpleNamespace(), "somebody")

    assert admission.wait_s == 0
