"""What can go wrong, made to go wrong: each fault in a file of its own, held to the same rule.

Run it as ``python -m benchmarks.faults``. The rule: nothing that was acknowledged is lost or stored
twice, no answer is wrong, readiness tells the truth, and the server serves again without a restart
once the fault is over, or refuses with the cause.
"""
