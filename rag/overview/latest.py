"""Retriever -> the newest days of the library, for a question that names no subject."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from rag.answering.refusal import refuse
from rag.overview.frames import newest
from rag.overview.points import MOST_POINTS
from rag.overview.presentation import MODE, MODEL, present
from rag.overview.stories import Story, stories_of
from rag.overview.subject import Subject
from rag.overview.summary import quotes_of
from rag.overview.terms import Weights, likeness, terms_of
from rag.types import Answer, Article, Filters, Question

if TYPE_CHECKING:
    from rag.retriever import Retriever

READ: Final = 120
"""Articles looked at."""
_DAYS: Final = 3
"""Days of printing shown."""
_SAME_EVENT: Final = 0.3
"""Likeness from which two stories tell of one event."""


def latest(question: Question, retriever: Retriever, *, filters: Filters | None = None, k: int = READ) -> Answer:
    """The newest days up to the day of the question: at most eight stories, those that most articles tell, by day.

    A refusal when no article of the library has a date up to then.
    """
    started = time.perf_counter()
    articles = _newest_days(retriever.newest(k, question.as_of, filters))
    retrieved = time.perf_counter()
    if not articles:
        return refuse(question, [], mode=MODE, model=MODEL)
    weights = Weights(terms_of(f"{a.title}\n{a.text}") for a in articles)
    shown = sorted(_most_told(stories_of(articles), weights), key=lambda story: story.day or dt.date.min, reverse=True)
    quotes = quotes_of(shown, Subject({}, (), weights), question.language, most=len(shown))
    if not quotes:
        return refuse(question, [], mode=MODE, model=MODEL)
    cited = {article.id for q in quotes for article in (q.article, *(also for also, _, _ in q.also))}
    days = [article.date for article in articles if article.date]
    return present(
        question,
        newest(len(articles), min(days), max(days), question.language),
        quotes,
        unquoted=[article for article in articles if article.id not in cited],
        started=started,
        retrieved=retrieved,
    )


def _newest_days(articles: list[Article]) -> list[Article]:
    """The articles of the newest _DAYS days of printing, newest first."""
    days = sorted({article.date for article in articles if article.date}, reverse=True)[:_DAYS]
    return [article for article in articles if article.date in days]


def _most_told(stories: list[Story], weights: Weights) -> list[Story]:
    """One story of each event: of the events that most articles tell, the newest first; at most MOST_POINTS."""
    vectors = [weights.vector(terms_of(f"{s.lead.title}\n{s.lead.text}")) for s in stories]
    event: dict[int, int] = {}
    for i, vector in enumerate(vectors):
        alike = [j for j in set(event.values()) if likeness(vector, vectors[j]) >= _SAME_EVENT]
        event[i] = max(alike, key=lambda j: likeness(vector, vectors[j]), default=i)
    articles: defaultdict[int, int] = defaultdict(int)
    for i, first in event.items():
        articles[first] += len(stories[i].articles)
    ranked = sorted(articles, key=lambda i: (-articles[i], -(stories[i].day or dt.date.min).toordinal(), i))
    return [stories[i] for i in ranked[:MOST_POINTS]]
