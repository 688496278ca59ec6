import uuid

import pytest

from server.storage.ids import PredictionIds


@pytest.mark.parametrize("first", [0, 7, (7 << 64) - 2, 0x01A200EF93E57C9C87CF7FCB864C0D58])
def test_ids_count_up_in_every_form(first):
    ids = PredictionIds(first, 4)

    wanted = [uuid.UUID(int=first + number) for number in range(4)]
    high, low = ids.halves()
    assert list(ids) == [*ids[:]] == [ids[number] for number in range(4)] == wanted
    assert list(ids.texts()) == [str(each) for each in wanted]
    assert [
        upper << 64 | lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True)
    ] == [each.int for each in wanted]
    assert ids[-1] == wanted[-1]
    assert len(ids) == 4
