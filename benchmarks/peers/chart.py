"""The chart of the comparison: requests a second at 32 connections, a bar a contender, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.peers.contenders import OURS, Contender
from benchmarks.peers.rounds import Results

CONNECTIONS = 32
_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _BAR = 760, 310, 150, 48, 26, 16
# Text and lines of both schemes; a picture in a page cannot know the page's own.
_STYLE = """
text { font: 13px sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.bar { fill: #8c959f } .ours { fill: #0b6bcb } .axis { stroke: #8c959f }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #58a6ff } .paper { fill: #0d1117 }
}
"""


def chart(contenders: Sequence[Contender], results: Mapping[str, Results]) -> str:
    """Return the SVG, the fastest on top."""
    rates = {
        each: results[each.name].middle(CONNECTIONS, "requests_per_s")
        for each in contenders
        if results[each.name].reason is None
    }
    ranked = sorted(rates, key=lambda each: -rates[each])
    height = _TOP + _STEP * len(ranked) + 12
    scale = (_WIDTH - _LEFT - _RIGHT) / max(rates.values())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>Requests a second at {CONNECTIONS} connections</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="16" y="28">Requests a second, one row each, {CONNECTIONS} '
        "connections (CPU a request)</text>",
    ]
    for number, each in enumerate(ranked):
        top = _TOP + _STEP * number
        kind = "ours" if each is OURS else "bar"
        width = max(rates[each] * scale, 1)
        cpu_us = results[each.name].middle(CONNECTIONS, "cpu_us")
        lines += [
            f'<text x="{_LEFT - 10}" y="{top + 13}" text-anchor="end">{escape(each.title)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}"/>',
            f'<text x="{_LEFT + width + 8:.1f}" y="{top + 13}">{rates[each]:,.0f} '
            f"({_time(cpu_us)})</text>",
        ]
    bottom = _TOP + _STEP * len(ranked)
    lines.append(f'<path class="axis" d="M{_LEFT} {_TOP - 6}V{bottom - 4}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _time(us: float) -> str:
    return f"{us:,.0f} us" if us < 10_000 else f"{us / 1e3:,.0f} ms"
