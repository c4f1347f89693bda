"""Which of several compared things has more: worked out from the quoted figures, only where they leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from rag.answering.composition import Quote
from rag.numbers import Number, amount_en, find_numbers

_COMPARES_ZH = re.compile(
    r"(?:谁|哪)[^？?]*?(?:更|最|比较)?(?P<how>多|少|高|低|大|小|长|短|贵|便宜|快|慢|重|轻|远|近)(?:一?些|一点|得多)?(?=[,，？?。]|$)"
)
_COMPARES_EN = re.compile(
    r"\b(?:which|who|whose)\b[^?]*?\b(?P<how>more|fewer|less|longer|taller|higher|deeper|wider|larger|bigger|heavier|shorter|smaller|lower"
    r"|cheaper|faster)\b",
    re.IGNORECASE,
)
_LEAST_WINS = re.compile("[少低小短慢轻近]|便宜|fewer|less|shorter|smaller|lower|cheaper")


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    value: Decimal
    unit: str
    shown: str
    """The figure as it is printed, with the sign of its unit (74家)."""
    plain: str
    """The figure in English (74)."""


def with_verdict(asked: str, language: str, quotes: Sequence[Quote]) -> list[Quote]:
    """`quotes`, the last with a note on which of the things compared in `asked` has more.

    Unchanged when nothing is compared, or when a quote holds no figure or several that could be meant.
    """
    match = (_COMPARES_ZH if language == "zh" else _COMPARES_EN).search(asked)
    figures = [_only_figure(quote) for quote in quotes if quote.label]
    sure = [figure for figure in figures if figure is not None]
    if match is None or len(sure) < 2 or len(sure) < len(quotes) or len({figure.unit for figure in sure}) > 1:
        return list(quotes)
    how = match["how"].lower()
    ranked = sorted(sure, key=lambda figure: figure.value, reverse=not _LEAST_WINS.fullmatch(how))
    if ranked[0].value == ranked[1].value:
        return list(quotes)
    note = _note(ranked, how, language)
    return [*quotes[:-1], replace(quotes[-1], notes=(*quotes[-1].notes, note))]


def _note(ranked: Sequence[_Figure], how: str, language: str) -> str:
    first, *others = ranked
    if language == "zh":
        rest = "、".join(f"{other.name}{other.shown}" for other in others)
        return f"两相比较，{first.name}更{how}（{first.shown}；{rest}）。"
    rest = ", ".join(f"{other.plain} {other.name}" for other in others)
    return f"Compared, {how}: {first.name} ({first.plain} against {rest})."


def _only_figure(quote: Quote) -> _Figure | None:
    """The figure of a quote that is taken for the answer, when no other of its unit stands beside it."""
    if quote.answer is None:
        return None
    numbers = find_numbers(quote.text)
    begin = quote.answer[0] - quote.start
    end = quote.answer[1] - quote.start
    meant = [number for number in numbers if number.start < end and begin < number.end]
    if len(meant) != 1:
        return None
    unit = _unit(quote.text, meant[0])
    alike = [number for number in numbers if _unit(quote.text, number) == unit]
    if len(alike) != 1 or meant[0].bound:
        return None
    shown = quote.text[meant[0].start : meant[0].end]
    counter = "" if meant[0].unit else unit
    printed = shown if shown.endswith(counter) else shown + counter
    return _Figure(quote.label, meant[0].value, unit, printed, amount_en(meant[0]))


def _unit(text: str, number: Number) -> str:
    """The unit of a figure, or the counter that follows it (家, 件)."""
    if number.unit:
        return number.unit
    inside = text[number.end - 1]
    after = inside if not (inside.isdigit() or inside in _SCALES) else text[number.end : number.end + 1]
    return after if after.isalpha() else ""


_SCALES: Final = "万亿千百十"
