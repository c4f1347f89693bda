"""The inline SVG of the report."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from eval import plots


def numbers(svg: str, tag: str, attribute: str) -> list[float]:
    return [float(e.get(attribute, "nan")) for e in ElementTree.fromstring(svg).iter(tag)]


def test_bars_are_as_long_as_their_share() -> None:
    svg = plots.bars("by <type>", [("fact & more", 0.5, 0.25, 0.75, 8), ("all", 1.0, 1.0, 1.0, 9)])
    # 640 wide, 120 each for labels and figures: a share of 1 is 400 long.
    assert numbers(svg, "rect", "width") == [200.0, 400.0]
    assert "0.500 (n=8)" in svg
    assert "M220.0 14H420.0" in svg  # whisker from 120 + .25 * 400 to 120 + .75 * 400
    assert ElementTree.fromstring(svg).get("aria-label") == "by <type>"


def test_the_curve_goes_through_its_points() -> None:
    svg = plots.curve("curve", [(0.0, 0.0), (0.5, 1.0)], "x", "y")
    # x: 56 + share * 420; y: 10 + (1 - share) * 200
    assert 'd="M56.0 210.0 L266.0 10.0"' in svg
    assert 'class="line"' not in plots.curve("empty", [], "x", "y")


def test_histogram_counts_every_value() -> None:
    svg = plots.histogram("time", [1.0, 1.5, 9.9, 10.0], "ms", bins=2)
    # 0-10 ms in two bins of two values each, on a scale of four: half of 160 high.
    assert numbers(svg, "rect", "height") == [80.0, 80.0]
    assert re.findall(r">([\d.]+)</text>", svg)[0::2][:5] == ["0", "2.5", "5", "7.5", "10"]
    assert ElementTree.fromstring(plots.histogram("none", [], "ms")) is not None
