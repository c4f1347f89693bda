"""The words of our own around the quotes of an overview, in both languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from rag.dates import format_date

_TEXTS: Final[dict[str, dict[str, str]]] = {
    "found": {"zh": "共有{count}篇相关报道", "en": "{count} articles report on this"},
    "found_one": {"zh": "有1篇相关报道", "en": "One article reports on this"},
    "days": {"zh": "，日期为{days}", "en": ", {days}"},
    "more": {
        "zh": "另有{count}篇相关报道没有摘录。",
        "en": "{count} more articles on this are not quoted here.",
    },
    "newest": {
        "zh": "资料库中最新的报道：{days}，共{count}篇",
        "en": "The newest articles of the library: {days}, {count} in all",
    },
    "printed": {"zh": "{day}见报", "en": "printed {day}"},
    "row": {"zh": "{what}的数字有变化：{points}", "en": "Figures that changed ({what}): {points}"},
}
_END: Final = {"zh": "。", "en": "."}
LIST_COMMA: Final = {"zh": "、", "en": ", "}
ARROW: Final = " → "


def frame(name: str, language: str, **values: object) -> str:
    """The words `name` in `language` (`zh` or `en`) with their values filled in."""
    return _TEXTS[name][language].format(**values)


def how_many(count: int, dates: Sequence[dt.date | None], language: str) -> str:
    """How many articles there are and over which days, as a sentence."""
    found = frame("found_one" if count == 1 else "found", language, count=count)
    known = sorted(date for date in dates if date)
    days = frame("days", language, days=day_range(known[0], known[-1], language)) if known else ""
    return found + days + _END[language]


def newest(count: int, first: dt.date, last: dt.date, language: str) -> str:
    """What a survey of the newest days begins with."""
    return frame("newest", language, count=count, days=day_range(first, last, language)) + _END[language]


def day_range(first: dt.date, last: dt.date, language: str) -> str:
    """One day, or from the first to the last; never abbreviated to a month or year."""
    begin = format_date(first, first, language)
    if first == last:
        return begin
    return begin + ("至" if language == "zh" else " to ") + format_date(last, last, language)
