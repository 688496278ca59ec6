"""From counts to pictures."""

import pytest

from server.browse.axes import number_axis
from server.browse.drawing import draw_bars, to_series
from server.browse.planes import draw_plane

AXIS = number_axis(0, 10, 10)


def nowhere(*_):
    return ""


def test_series_are_in_the_order_of_the_model_and_keep_its_colours():
    series = to_series({"old": 1, "STAR": 3, "QSO": 4}, ["GALAXY", "QSO", "STAR"])

    assert [(each.name, each.css, each.count) for each in series] == [
        ("QSO", "class-1", 4),
        ("STAR", "class-2", 3),
        ("old", "class-3", 1),
    ]
    assert sum(each.share for each in series) == pytest.approx(1)


def test_the_ninth_class_begins_the_colours_anew():
    names = [str(number) for number in range(9)]

    assert to_series(dict.fromkeys(names, 1), names)[8].css == "class-0"


def test_a_bar_is_as_high_as_its_share_of_the_highest():
    series = to_series({"a": 3, "b": 5}, ["a", "b"])

    drawn = draw_bars({(0, "a"): 1, (0, "b"): 3, (4, "a"): 2, (4, "b"): 2}, AXIS, series, str, str)

    assert drawn.top == 4
    assert [(part.css, part.y, part.height) for part in drawn.bars[0].parts] == [
        ("class-0", 75, 25),
        ("class-1", 0, 75),
    ]
    assert [bar.number for bar in drawn.bars] == [0, 4]


def test_nothing_has_no_bars():
    assert draw_bars({}, AXIS, [], str, str).bars == []


def test_a_cell_has_the_colour_of_most_of_it_and_the_shade_of_its_number():
    series = to_series({"a": 90, "b": 21}, ["a", "b"])
    cells = {(0, 0, "a"): 90, (0, 0, "b"): 10, (9, 9, "b"): 1, (5, 5, "b"): 10}

    plane = draw_plane(cells, ("in.u", "in.g"), (AXIS, AXIS), series, total=120, address_of=nowhere)

    assert plane.paths == [
        ("class-0", 4, "M0 9h1v1h-1z"),
        ("class-1", 1, "M9 0h1v1h-1z"),
        ("class-1", 3, "M5 4h1v1h-1z"),
    ]
    assert (plane.inside, plane.outside) == (111, 9)


def test_the_parts_of_a_plane_cover_it_once():
    plane = draw_plane(
        {(0, 0, "a"): 1},
        ("x", "y"),
        (AXIS, AXIS),
        to_series({"a": 1}, []),
        total=1,
        address_of=nowhere,
    )

    assert sum(zone.width * zone.height for zone in plane.zones) == AXIS.n**2
