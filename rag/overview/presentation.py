"""Chosen sentences -> an `Answer` like any other: an introduction of our own, then the quotes line by line."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Final

from rag.answering.composition import Quote, compose, trim
from rag.answering.quoting import cite_span, origin
from rag.overview.frames import frame
from rag.overview.points import Point
from rag.types import Answer, AnswerSentence, Article, NearArticle, Question, Support, Timings

MODE: Final = "extractive"
MODEL: Final = "overview"
QUOTE_CHARS: Final = 140
"""Longest quote of one point."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A figure that changed: what is shown, and the spans that say so."""

    text: str
    spans: tuple[tuple[Article, int, int], ...]


def quote(point: Point, label: str, also: Sequence[Point] = ()) -> Quote:
    """A point as it is shown: whole clauses that fit, behind its label, with the sentences that say the same."""
    start, end = trim(point.article, point.start, point.end, None, QUOTE_CHARS)
    others = tuple((other.article, *trim(other.article, other.start, other.end, None, QUOTE_CHARS)) for other in also)
    return Quote(point.article, start, end, also=others, label=label)


def present(
    question: Question,
    introduction: str,
    quotes: Sequence[Quote],
    *,
    rows: Sequence[Row] = (),
    unquoted: Sequence[Article] = (),
    started: float,
    retrieved: float,
) -> Answer:
    """The answer: the introduction, a line for each quote, the rows; what is not quoted stands in `nearest`.

    :param started: `time.perf_counter()` before the search; `retrieved`: behind it.
    """
    body = compose(question, quotes, confidence=1.0, model=MODEL, mode=MODE)
    citations = list(body.citations)
    said = [AnswerSentence(introduction, (), Support.SUPPORTED, derived=True)]
    said += [dataclasses.replace(sentence, apart=not sentence.derived) for sentence in body.sentences]
    for row in rows:
        markers = tuple(dict.fromkeys(cite_span(citations, *span) for span in row.spans))
        said.append(AnswerSentence(row.text, markers, Support.SUPPORTED, derived=True, apart=True))
    lines: list[str] = []
    for sentence in said:
        cited = "".join(f"[{marker}]" for marker in sentence.markers)
        lines.append(("\n" if sentence.apart else " ") + sentence.before + sentence.text + sentence.after + cited)
    more = (frame("more", question.language, count=len(unquoted)),) if unquoted else ()
    finished = time.perf_counter()
    return dataclasses.replace(
        body,
        answer="".join(lines).strip(),
        sentences=tuple(said),
        citations=tuple(citations),
        nearest=tuple(_near(article) for article in unquoted),
        notices=more,
        searched=question.standalone,
        timings=Timings(retrieve=(retrieved - started) * 1000, answer=(finished - retrieved) * 1000),
    )


def _near(article: Article) -> NearArticle:
    """An article of the subject that is not quoted, with its beginning."""
    start, end = trim(article, article.body_start, len(article.text), None, QUOTE_CHARS)
    return NearArticle(*origin(article), article.text[start:end], start, end)
