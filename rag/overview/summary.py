"""Question + retriever -> an overview of what the library reports about the question's subject."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rag.answering.composition import Quote
from rag.answering.refusal import refuse
from rag.dates import format_date
from rag.expansion import QueryExpander
from rag.overview.frames import how_many
from rag.overview.points import MOST_POINTS, choose, in_reprints, read_points
from rag.overview.presentation import MODE, MODEL, present, quote
from rag.overview.stories import Story, stories_of
from rag.overview.subject import Subject, find_subject
from rag.types import Answer, Article, Filters, Question

if TYPE_CHECKING:
    from rag.retriever import Retriever

READ: Final = 60
"""Passages looked at; the first ten leave out half of the articles of a large subject."""


def overview(
    question: Question,
    retriever: Retriever,
    *,
    filters: Filters | None = None,
    expander: QueryExpander | None = None,
    latest_first: bool = False,
    k: int = READ,
) -> Answer:
    """How many articles report on the subject, over which days, and at most eight points, one verbatim sentence each.

    Reprints of one story are one point with all its citations. The surest stories come first, or the latest with
    `latest_first`. Articles of the subject that no point quotes stand in `nearest`; a notice counts them. A refusal
    when the library holds nothing about the subject.

    :param expander: what English words read in Chinese; without it English questions find only what names match.
    """
    started = time.perf_counter()
    hits = retriever.retrieve(question.standalone, k=k, filters=filters, reprints=True)
    retrieved = time.perf_counter()
    subject = find_subject(question, hits, expander)
    stories = stories_of([entry.article for entry in subject.belonging])
    if latest_first:
        stories.sort(key=lambda story: story.day or dt.date.min, reverse=True)
    quotes = quotes_of(stories, subject, question.language)
    if not quotes:
        return refuse(question, hits, mode=MODE, model=MODEL)
    cited = {article.id for q in quotes for article in (q.article, *(also for also, _, _ in q.also))}
    articles = [entry.article for entry in subject.belonging]
    return present(
        question,
        how_many(len(articles), [article.date for article in articles], question.language),
        quotes,
        unquoted=[article for article in articles if article.id not in cited],
        started=started,
        retrieved=retrieved,
    )


def quotes_of(stories: Sequence[Story], subject: Subject, language: str, most: int = MOST_POINTS) -> list[Quote]:
    """The points of the stories in order, each labelled with its day."""
    points = read_points(stories[:most], subject)
    quotes: list[Quote] = []
    for story, told in zip(stories, choose(stories, points, most), strict=False):
        for i, point in enumerate(told):
            others = in_reprints(story, point, points) if i == 0 else []
            quotes.append(quote(point, label_of(point.article, language), others))
    return quotes


def label_of(article: Article, language: str) -> str:
    """The day and source of an article; empty where neither is known."""
    day = format_date(article.date, article.date, language) if article.date else ""
    return " ".join(part for part in (day, article.source) if part)
