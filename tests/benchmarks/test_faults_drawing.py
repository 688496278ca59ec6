from pathlib import Path
from xml.etree import ElementTree

from benchmarks.faults.drawing import Panel, draw


def test_lines_are_drawn_to_scale_and_a_peak_is_never_thinned_away(tmp_path: Path) -> None:
    line = [(minute / 60, 10.0 if minute == 1234 else 1.0) for minute in range(3600)]

    draw(tmp_path / "soak.svg", [Panel("latency, ms", {"p99": line}), Panel("rows", {"rows": []})])

    root = ElementTree.fromstring((tmp_path / "soak.svg").read_text())  # noqa: S314  # our own
    drawn, _ = root.iter("{http://www.w3.org/2000/svg}polyline")
    heights = {pair.split(",")[1] for pair in drawn.attrib["points"].split()}
    assert heights == {"30.0", "111.0"}
    assert len(drawn.attrib["points"].split()) <= 700
