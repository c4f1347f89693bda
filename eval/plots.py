"""Small inline SVG plots: no script, no outside file, colours by the style sheet of the page around them.

Each function gives one `<svg>` element as text. Classes used: `bar`, `whisker`, `line`, `grid`, `dot`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH = 640


def bars(title: str, rows: Sequence[tuple[str, float, float, float, int]]) -> str:
    """Horizontal bars of shares in [0, 1] with their confidence interval.

    :param rows: label, value, low, high, number of questions.
    """
    left, right, step = 120, 120, 24
    scale = _WIDTH - left - right
    parts: list[str] = []
    for number, (label, value, low, high, count) in enumerate(rows):
        y = number * step + 6
        middle = y + 8
        parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{scale * value:.1f}" height="16" rx="2"/>')
        parts.append(
            f'<path class="whisker" d="M{left + scale * low:.1f} {middle}H{left + scale * high:.1f}'
            f'M{left + scale * low:.1f} {middle - 4}v8M{left + scale * high:.1f} {middle - 4}v8"/>'
        )
        parts.append(f'<text x="{left + scale + 8}" y="{y + 12}">{value:.3f} (n={count})</text>')
    return _svg(title, len(rows) * step + 12, parts)


def curve(title: str, points: Sequence[tuple[float, float]], x_label: str, y_label: str) -> str:
    """A line through points of the unit square, with its axes."""
    left, top, width, height = 56, 10, 420, 200

    def place(x: float, y: float) -> str:
        return f"{left + x * width:.1f} {top + (1 - y) * height:.1f}"

    parts = _axes(left, top, width, height, x_label, y_label, [f"{t / 4:.2f}" for t in range(5)])
    if points:
        parts.append(f'<path class="line" d="M{" L".join(place(x, y) for x, y in points)}"/>')
        x, y = place(*points[-1]).split()
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>')
    return _svg(title, top + height + 44, parts)


def histogram(title: str, values: Sequence[float], unit: str, bins: int = 24) -> str:
    """How often values of each size occur, from 0 to the largest."""
    left, top, width, height = 56, 10, 420, 160
    largest = _round_up(max(values, default=1.0))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(value / largest * bins))] += 1
    most = 4 * math.ceil(max(counts) / 4)  # four steps of whole questions
    ticks = [f"{largest * t / 4:g}" for t in range(5)]
    parts = _axes(left, top, width, height, unit, "", ticks, y_ticks=[f"{most * t / 4:g}" for t in range(5)])
    for number, count in enumerate(counts):
        tall = height * count / most if most else 0.0
        parts.append(
            f'<rect class="bar" x="{left + number * width / bins + 1:.1f}" y="{top + height - tall:.1f}" '
            f'width="{width / bins - 2:.1f}" height="{tall:.1f}"/>'
        )
    return _svg(title, top + height + 44, parts)


def magnitudes(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars of values at least 0, the largest across the whole width.

    :param rows: label, value, the value as it is written.
    """
    left, right, step = 200, 120, 24
    scale = (_WIDTH - left - right) / max((value for _, value, _ in rows), default=1.0)
    parts: list[str] = []
    for number, (label, value, text) in enumerate(rows):
        y = number * step + 6
        parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{max(scale * value, 1):.1f}" height="16" rx="2"/>')
        parts.append(f'<text x="{left + scale * value + 8:.1f}" y="{y + 12}">{escape(text)}</text>')
    return _svg(title, len(rows) * step + 12, parts)


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], x_label: str, y_label: str) -> str:
    """A line per name through its points, both axes from 0; told apart by dashes and the name at the right end."""
    left, top, width, height = 56, 10, 420, 200
    right = _round_up(max((x for points in series.values() for x, _ in points), default=1.0))
    highest = _round_up(max((y for points in series.values() for _, y in points), default=1.0))
    ticks = [[f"{most * t / 4:,g}" for t in range(5)] for most in (right, highest)]
    parts = _axes(left, top, width, height, x_label, y_label, ticks[0], y_ticks=ticks[1])
    name_y = math.inf
    # From the lowest line up: a name moves out of the way of those below it, never down into the axis.
    ends = sorted(series.items(), key=lambda entry: entry[1][-1][1])
    for number, (name, points) in enumerate(ends):
        placed = [(left + x / right * width, top + (1 - y / highest) * height) for x, y in points]
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        above = len(ends) - 1 - number
        dashes = f' stroke-dasharray="{2 + 4 * above} 4"' if above else ""
        parts.append(f'<path class="line" d="M{path}"{dashes}/>')
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed]
        name_y = min(placed[-1][1] + 4, name_y - 14)
        parts.append(f'<text x="{placed[-1][0] + 8:.1f}" y="{name_y:.1f}">{escape(name)}</text>')
    return _svg(title, top + height + 44, parts)


def _axes(
    left: int, top: int, width: int, height: int, x_label: str, y_label: str, x_ticks: Sequence[str],
    y_ticks: Sequence[str] | None = None,
) -> list[str]:  # fmt: skip
    parts: list[str] = []
    for number, (x_tick, y_tick) in enumerate(zip(x_ticks, y_ticks or x_ticks, strict=True)):
        x = left + width * number / (len(x_ticks) - 1)
        y = top + height - height * number / (len(x_ticks) - 1)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}v{height}M{left} {y:.1f}h{width}"/>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 16}" text-anchor="middle">{x_tick}</text>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{y_tick}</text>')
    middle = left + width / 2
    parts.append(f'<text x="{middle}" y="{top + height + 36}" text-anchor="middle">{escape(x_label)}</text>')
    if y_label:
        y = top + height / 2
        parts.append(
            f'<text x="12" y="{y}" text-anchor="middle" transform="rotate(-90 12 {y})">{escape(y_label)}</text>'
        )
    return parts


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if value <= step * power))


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    name = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{''.join(parts)}</svg>"
    )
