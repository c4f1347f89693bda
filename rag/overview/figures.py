"""Sentences of one subject -> the figures that changed from day to day (deaths 6, 36, 53), each with day and source."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rag.dates import find_dates
from rag.numbers import Number, find_numbers
from rag.overview.frames import ARROW, frame
from rag.overview.points import Point
from rag.overview.presentation import Row
from rag.sentences import clause_spans
from rag.types import Article

MOST_ROWS: Final = 3
_LEAST_POINTS: Final = 2
_NEAR: Final = 7
"""Characters around a figure in which what it counts is named."""
_COUNTED: Final = (
    (
        {"zh": "死亡", "en": "deaths"},
        re.compile(r"死|遇难|身亡|丧生|罹难|\b(?:dead|deaths?|died|killed|fatalit)", re.I),
    ),
    ({"zh": "受伤", "en": "injured"}, re.compile(r"伤|\b(?:injur|wounded|hurt)", re.I)),
    ({"zh": "失踪", "en": "missing"}, re.compile(r"失踪|失联|下落不明|\b(?:missing|unaccounted)", re.I)),
    ({"zh": "被困", "en": "trapped"}, re.compile(r"被困|\b(?:trapped|stranded)", re.I)),
    ({"zh": "获救", "en": "rescued"}, re.compile(r"获救|救出|救起|\brescued", re.I)),
    ({"zh": "转移", "en": "evacuated"}, re.compile(r"转移|疏散|撤离|\b(?:evacuat|displaced)", re.I)),
    ({"zh": "确诊", "en": "cases"}, re.compile(r"确诊|病例|\b(?:cases|infected)\b", re.I)),
    ({"zh": "票房", "en": "box office"}, re.compile(r"票房|\bbox office", re.I)),
    ({"zh": "烧毁", "en": "destroyed"}, re.compile(r"烧毁|损毁|倒塌|\b(?:destroyed|damaged|burned)\b", re.I)),
)
"""What figures of running stories count, whatever the word for it."""
_PEOPLE: Final = {"", "person"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure as one article gave it."""

    value: Decimal
    shown: str
    """As written, with its unit."""
    day: dt.date
    article: Article
    start: int
    end: int


def changed_figures(points: Sequence[Point], language: str) -> list[Row]:
    """Rows of the figures that at least two days give differently, in the order of days."""
    series: dict[tuple[int, str], list[Reading]] = defaultdict(list)
    for point in points:
        for counted, unit, reading in _readings(point):
            series[counted, unit].append(reading)
    rows = [(counted, _by_day(readings)) for (counted, _), readings in series.items()]
    changed = [(counted, r) for counted, r in rows if len({x.value for x in r}) >= _LEAST_POINTS]
    changed.sort(key=lambda row: -len(row[1]))
    return [_row(_COUNTED[counted][0][language], readings, language) for counted, readings in changed[:MOST_ROWS]]


def _readings(point: Point) -> list[tuple[int, str, Reading]]:
    """The counted figures of a sentence: what each counts, its unit, and the figure at the day of its article."""
    printed = point.article.date
    if printed is None:
        return []
    found = []
    text = point.text
    numbers = [n for n in find_numbers(text) if not n.bound.startswith(("at most", "less")) and n.value > 0]
    for start, end in clause_spans(text):
        days = [m for m in find_dates(text[:end], printed) if m.is_day and m.first <= printed]
        day = days[-1].first if days else printed
        own = [n for n in numbers if start <= n.start and n.end <= end]
        for number in own:
            counted = _counts(text[start:end], number, start, [n for n in own if n is not number])
            if counted is not None and (
                number.unit in _PEOPLE or _COUNTED[counted][0]["en"] in ("box office", "destroyed")
            ):
                unit = "" if number.unit in _PEOPLE else number.unit
                shown = text[number.start : number.end]
                found.append((counted, unit, Reading(number.value, shown, day, point.article, point.start, point.end)))
    return found


def _counts(clause: str, number: Number, offset: int, others: Sequence[Number]) -> int | None:
    """Which of _COUNTED stands nearest to the figure, with no other figure between; None for none."""
    begin, stop = number.start - offset, number.end - offset
    floor = max([n.end - offset for n in others if n.end <= number.start], default=0)
    ceiling = min([n.start - offset for n in others if n.start >= number.end], default=len(clause))
    wide = _NEAR if not clause.isascii() else 4 * _NEAR
    best: tuple[int, int] | None = None
    for i, (_, pattern) in enumerate(_COUNTED):
        after = pattern.search(clause, stop, min(ceiling, stop + wide))
        before = list(pattern.finditer(clause, max(floor, begin - wide), begin))
        gaps = [after.start() - stop] if after else []
        gaps += [begin - before[-1].end() + 2] if before else []
        if gaps and (best is None or min(gaps) < best[0]):
            best = min(gaps), i
    return best[1] if best else None


def _by_day(readings: Sequence[Reading]) -> list[Reading]:
    """One figure for each day, the largest (the total, not a part), in order; what repeats the last is left out."""
    largest: dict[dt.date, Reading] = {}
    for reading in readings:
        known = largest.get(reading.day)
        if known is None or reading.value > known.value:
            largest[reading.day] = reading
    row: list[Reading] = []
    for day in sorted(largest):
        if not row or row[-1].value != largest[day].value:
            row.append(largest[day])
    return row


def _row(what: str, readings: Sequence[Reading], language: str) -> Row:
    points = [
        f"{r.shown}（{_when(r, language)}）" if language == "zh" else f"{r.shown} ({_when(r, language)})"
        for r in readings
    ]
    text = frame("row", language, what=what, points=ARROW.join(points))
    return Row(text, tuple((r.article, r.start, r.end) for r in readings))


def _when(reading: Reading, language: str) -> str:
    day = f"{reading.day.month}月{reading.day.day}日" if language == "zh" else f"{reading.day:%-d %b}"
    return (
        ", ".join(part for part in (day, reading.article.source) if part)
        if language == "en"
        else "，".join(part for part in (day, reading.article.source) if part)
    )
