"""What the parameters of an address say, and what says nothing."""

import pytest


@pytest.mark.parametrize("name", ["sort", "limit", "view", "col", "x", "y", "follow", "before"])
def test_an_empty_parameter_says_nothing_to_programs_as_well(client, name):
    answer = client.get(f"/predictions?{name}=")

    assert answer.status_code == 200
    assert client.get("/predictions.csv?explanations=").status_code == 200
