"""What the time words of a question say about the sentences that may answer it.

A day, week or month in the question favours sentences about that time: those that name it, resolved against the
date of their article (昨日), and those of articles printed then. Words for the present state (目前, latest) favour
the later of two articles, and leave out what was printed after the day of the question.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag.answering.evidence import Evidence, weighed
from rag.answering.notes import is_countdown
from rag.dates import find_dates
from rag.types import Article, Question

_LATEST: Final = re.compile(
    r"现在|目前|眼下|如今|当前|至今|迄今|最新|最近(?:的|一)|最后一次|上一?[次届场回轮]"
    r"|\b(?:latest|currently|at present|now(?!adays)|most recent(?:ly)?|so far|to date|as of today)\b"
    r"|\blast (?:time|meeting|session|conference|visit|count|survey|round)\b",
    re.IGNORECASE,
)
_LONGEST_PERIOD: Final = 45
"""Days; longer periods (a year, the last quarter) narrow too little to be worth it."""
_LATE_NEWS: Final = dt.timedelta(days=2)
"""How long after a day it is still reported on."""
_AT_ANOTHER_TIME: Final = 0.3
_ON_ANOTHER_DAY: Final = 0.1
_ANNOUNCED: Final = 0.6
"""Weight of a sentence printed before a day that is past by now: what happened is told afterwards."""
_UNTOLD: Final = 0.7
"""Weight of a sentence in which no time is told."""
_LEAST_LOGIT: Final = -1.0
"""Logit of a sentence below which its article does not count among those that could be the latest."""
_LEAST_WEIGHT: Final = 0.01
_OLDEST: Final = 0.4
"""Weight of the oldest of the articles when the latest is asked."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a question names, both inclusive."""

    first: dt.date
    last: dt.date
    yearly: bool = False
    """Whether the question names no year: the days may be those of any."""

    def near(self, day: dt.date) -> Period:
        """The period itself; a yearly one in the year in which it lies nearest to `day`."""
        if not self.yearly:
            return self
        years = (_in_year(self, day.year + shift) for shift in (0, -1, 1))
        return min(years, key=lambda period: abs((period.first - day).days))

    def meets(self, first: dt.date, last: dt.date) -> bool:
        """Whether the days from `first` to `last` overlap it."""
        return self.first <= last and first <= self.last


def _in_year(period: Period, year: int) -> Period:
    shift = year - period.first.year
    return Period(_moved(period.first, shift), _moved(period.last, shift))


def _moved(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)


def asks_latest(question: str) -> bool:
    """Whether a question asks for the present state or the last time."""
    return _LATEST.search(question) is not None


def asked_periods(question: str, as_of: dt.date) -> tuple[Period, ...]:
    """Days, weeks and months that `question` names, in order."""
    periods = [Period(m.first, m.last, m.yearly) for m in find_dates(question, as_of)]
    short = [period for period in periods if (period.last - period.first).days < _LONGEST_PERIOD]
    return tuple(dict.fromkeys(short))


def printed_then(question: str, as_of: dt.date, printed: Sequence[dt.date] = ()) -> Period | None:
    """When the articles about the one time that `question` names were most likely printed, none after its own day.

    A time of no named year is looked for in the years of `printed`, the days of articles that were found, where most
    of them lie, and the latest of those.
    """
    periods = asked_periods(question, as_of)
    if len(periods) != 1:
        return None
    asked = periods[0]
    years = {as_of.year, as_of.year - 1, *(day.year for day in printed)} if asked.yearly else {asked.first.year}
    times = [_news_of(_in_year(asked, year), as_of) for year in sorted(years, reverse=True)]
    past = [time for time in times if time.first <= time.last]
    return max(past, key=lambda time: sum(time.meets(day, day) for day in printed), default=None)


def _news_of(period: Period, as_of: dt.date) -> Period:
    return Period(period.first, min(period.last + _LATE_NEWS, as_of))


def in_time(evidence: Sequence[Evidence], question: Question) -> list[Evidence]:
    """`evidence`, best first, with the scores shifted by what the question says about time."""
    weights = [1.0] * len(evidence)
    periods = asked_periods(question.standalone, question.as_of)
    if len(periods) == 1:
        weights = [_of_period(found, periods[0], question.as_of) for found in evidence]
    if asks_latest(question.standalone):
        late = _lateness(evidence, question.as_of)
        weights = [w * late[e.article.id] for w, e in zip(weights, evidence, strict=True)]
    if is_countdown(question.standalone):
        weights = [w * _ahead(e, question.as_of) for w, e in zip(weights, evidence, strict=True)]
    shifted = [weighed(e, math.log(max(w, _LEAST_WEIGHT))) for w, e in zip(weights, evidence, strict=True)]
    return sorted(shifted, key=lambda e: -e.score)


def _of_period(found: Evidence, period: Period, as_of: dt.date) -> float:
    """1 for a sentence about the period, less for one about another time or none, or one that only announced it."""
    article = found.article
    anchor = article.date or period.first
    period = period.near(anchor)
    told = [
        m for m in find_dates(found.text, anchor) if (m.last - m.first).days < _LONGEST_PERIOD
        and (article.date is not None or not m.relative or m.last.day == period.last.day)
    ]  # fmt: skip
    if any(period.meets(m.first, m.last) for m in told):
        announced = article.date is not None and article.date < period.first <= as_of
        return _ANNOUNCED if announced else 1.0
    printed = article.date is not None and period.meets(article.date - _LATE_NEWS, article.date)
    if printed:
        return _UNTOLD if told else 0.9
    if article.date is not None and period.first == period.last and any(m.is_day for m in told):
        return _ON_ANOTHER_DAY
    return _AT_ANOTHER_TIME if told or article.date is not None else _UNTOLD


def _ahead(found: Evidence, as_of: dt.date) -> float:
    """1 for a sentence that names a day from which the days left can be counted."""
    anchor = found.article.date or as_of
    days = (m for m in find_dates(found.text, anchor) if m.is_day and m.first >= as_of)
    return 1.0 if any(days) else _AT_ANOTHER_TIME


def _lateness(evidence: Sequence[Evidence], as_of: dt.date) -> dict[str, float]:
    """Weight of each article: 1 for the latest that could answer, `_OLDEST` for the oldest, 0 after `as_of`."""
    articles: dict[str, Article] = {e.article.id: e.article for e in evidence}
    likely = {e.article.id for e in evidence if e.sentence_logit >= _LEAST_LOGIT}
    days = sorted({d for i in likely if (d := articles[i].date) is not None and d <= as_of})

    def weight(article: Article) -> float:
        if article.date is None or len(days) < 2:
            return 1.0 if article.date is None or article.date <= as_of or not days else 0.0
        if article.date > as_of:
            return 0.0
        span = (days[-1] - days[0]).days
        age = max((days[-1] - article.date).days, 0)
        return 1.0 - (1.0 - _OLDEST) * min(age / span, 1.0)

    return {ident: weight(article) for ident, article in articles.items()}
