"""Question + retriever -> the course of events: dated entries in order, and the figures that changed on the way."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rag.answering.composition import Quote
from rag.dates import DateMention, find_dates, format_date
from rag.expansion import QueryExpander
from rag.overview.figures import changed_figures
from rag.overview.frames import frame, how_many
from rag.overview.points import Point, Points, in_reprints, read_points
from rag.overview.presentation import present, quote
from rag.overview.stories import Story, stories_of
from rag.overview.subject import find_subject
from rag.overview.summary import READ, overview
from rag.overview.terms import likeness
from rag.types import Answer, Filters, Question

if TYPE_CHECKING:
    from rag.retriever import Retriever

MOST_ENTRIES: Final = 12
_SAME: Final = 0.5
"""Likeness of two entries of one day that say the same."""
_AS_GOOD: Final = 0.5
"""Least score of a further entry of a story against its best one."""
_FAR: Final = dt.timedelta(days=365)
"""What lies longer before the story is background."""
_DATELINE: Final = re.compile(r"^.{0,24}?(?:电|讯|消息|报道)")
"""Where a news agency puts the day of printing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sentence and the days that it tells of, both inclusive."""

    point: Point
    first: dt.date
    last: dt.date
    printed: bool = False
    """Whether it names no day, so that the day of printing stands for it."""
    year_known: bool = True
    """False for a day without a year (8月25日) in an article without a date."""


def timeline(
    question: Question,
    retriever: Retriever,
    *,
    filters: Filters | None = None,
    expander: QueryExpander | None = None,
    latest_first: bool = False,
    k: int = READ,
) -> Answer:
    """At most MOST_ENTRIES dated entries of the subject, the oldest first (the newest with `latest_first`), each cited.

    Words such as 昨日 are worked out from the day of the article. A sentence without a day is entered at the day on
    which it was printed and says so. Figures that changed from day to day stand below as a row. An overview where
    nothing of the subject has a date; a refusal when the library holds nothing about it.
    """
    started = time.perf_counter()
    hits = retriever.retrieve(question.standalone, k=k, filters=filters, reprints=True)
    retrieved = time.perf_counter()
    subject = find_subject(question, hits, expander)
    articles = [entry.article for entry in subject.belonging]
    stories = stories_of(articles)
    points = read_points(stories, subject)
    entries = sorted(_entries(stories, points, question.as_of), key=_when, reverse=latest_first)
    if not entries:
        return overview(question, retriever, filters=filters, expander=expander, latest_first=latest_first, k=k)
    home = {story.lead.id: story for story in stories}
    quotes: list[Quote] = []
    told: set[str] = set()
    for entry, also in _merged(entries):
        story = home[entry.point.article.id]
        others = list(also)
        if story.lead.id not in told:
            others += in_reprints(story, entry.point, points)
            told.add(story.lead.id)
        quotes.append(quote(entry.point, _label(entry, question.language), others))
    cited = {article.id for q in quotes for article in (q.article, *(a for a, _, _ in q.also))}
    return present(
        question,
        how_many(len(articles), [article.date for article in articles], question.language),
        quotes,
        rows=changed_figures([p for a in articles for p in points[a.id]], question.language),
        unquoted=[article for article in articles if article.id not in cited],
        started=started,
        retrieved=retrieved,
    )


def _when(entry: Entry) -> tuple[dt.date, dt.date, str, int]:
    return entry.first, entry.last, entry.point.article.id, entry.point.start


def _label(entry: Entry, language: str) -> str:
    day = format_date(entry.first, entry.last, language)
    if not entry.year_known:
        year = str(entry.first.year)
        day = day.replace(f"{year}年" if language == "zh" else f" {year}", "")
    return frame("printed", language, day=day) if entry.printed else day


def _entries(stories: Sequence[Story], points: Points, as_of: dt.date) -> list[Entry]:
    """The best entry of every story, then further dated ones as far as there is room."""
    firsts: list[Entry] = []
    others: list[tuple[float, Entry]] = []
    for story in stories:
        told = points[story.lead.id]
        dated = [entry for point in told if (entry := _dated(point, as_of)) is not None]
        if not dated and told and story.lead.date:
            best = max(told, key=lambda point: point.score)
            dated = [Entry(best, story.lead.date, story.lead.date, printed=True)]
        if not dated:
            continue
        best_entry = max(dated, key=_worth)
        firsts.append(best_entry)
        least = _AS_GOOD * _worth(best_entry)
        others += [(_worth(e), e) for e in dated if e is not best_entry and _worth(e) >= least]
    firsts = firsts[:MOST_ENTRIES]
    others.sort(key=lambda scored: -scored[0])
    return firsts + [entry for _, entry in others[: MOST_ENTRIES - len(firsts)]]


def _worth(entry: Entry) -> float:
    """How well it tells the story; background of long ago and whole months count less."""
    printed = entry.point.article.date
    far = printed is not None and printed - entry.last > _FAR
    return entry.point.score - 0.3 * far - 0.1 * (entry.first != entry.last)


def _dated(point: Point, as_of: dt.date) -> Entry | None:
    """The entry of a sentence that names a day or a month: what happened rather than when it was printed.

    In an article without a date, 昨日 means nothing, and a day without a year is ordered by the year nearest `as_of`.
    """
    printed = point.article.date
    found = find_dates(point.text, printed or as_of)
    mentions = [m for m in found if printed or not m.relative or m.yearly]
    mentions = [m for m in mentions if (m.last - m.first).days <= 31]
    if not mentions:
        return None
    dateline = _DATELINE.match(point.text)
    inside = [m for m in mentions if not (dateline and m.end <= dateline.end() and m.first == printed)]
    mention = _first_day(inside) or _first_day(mentions) or mentions[0]
    return Entry(point, mention.first, mention.last, year_known=printed is not None or not mention.yearly)


def _first_day(mentions: Sequence[DateMention]) -> DateMention | None:
    """The first mention of one day; None where whole months are named at most."""
    return next((m for m in mentions if m.is_day), None)


def _merged(entries: Sequence[Entry]) -> list[tuple[Entry, tuple[Point, ...]]]:
    """Entries of one day that say the same are one, with the other sentences that say so."""
    merged: list[tuple[Entry, tuple[Point, ...]]] = []
    for entry in entries:
        for i, (known, also) in enumerate(merged):
            if (known.first, known.last) != (entry.first, entry.last):
                continue
            if likeness(known.point.vector, entry.point.vector) < _SAME:
                continue
            if known.printed and not entry.printed:
                merged[i] = (entry, (*also, known.point))
            else:
                merged[i] = (known, (*also, entry.point))
            break
        else:
            merged.append((entry, ()))
    return merged
