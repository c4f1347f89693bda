"""The default answer: one or two sentences of the articles, verbatim, each with its citation; or a refusal."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Final

from rag.answering.composition import ONE_FACT_CHARS, SEVERAL_CHARS, Quote, compose, trim
from rag.answering.question_type import AnswerType, profile, question_parts
from rag.answering.reader import Reader, Reading, ScoredSentence, load_reader
from rag.answering.refusal import refuse
from rag.config import AnswerSettings, Strictness
from rag.types import Answer, Hit, Question, Timings

__all__ = ["ExtractiveAnswerer", "load_reader"]

MODE: Final = "extractive"

THRESHOLDS: Final[dict[Strictness, float]] = {"strict": 0.7, "balanced": 0.4, "generous": 0.1}
"""Least probability that the hits hold an answer, by strictness."""
_SURE: Final = 0.75
"""Share of the best sentence above which it stands alone."""
_SECOND: Final = 0.1
"""Least share of a second sentence."""


class ExtractiveAnswerer:
    """Answers with sentences that a reader chooses."""

    def __init__(self, reader: Reader, settings: AnswerSettings) -> None:
        self._reader = reader
        self._settings = settings

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """One final answer: it is made in milliseconds, so there is nothing to stream."""
        started = time.perf_counter()
        answer = self._answer(question, hits)
        elapsed = (time.perf_counter() - started) * 1000
        yield dataclasses.replace(answer, timings=Timings(answer=elapsed))

    def _answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        parts = question_parts(question.standalone)
        readings = [self._reader.read(part, hits) for part in parts]
        confidence = max(reading.answerable for reading in readings)
        if not hits or confidence < THRESHOLDS[self._settings.strictness]:
            refusal = refuse(question, hits, mode=MODE, model=self._reader.name)
            return dataclasses.replace(refusal, confidence=confidence)
        quotes = self._quotes(question, readings)
        return compose(question, quotes, confidence=confidence, model=self._reader.name, mode=MODE)

    def _quotes(self, question: Question, readings: Sequence[Reading]) -> list[Quote]:
        several = len(readings) > 1 or AnswerType.LIST in profile(question.standalone).types
        budget = SEVERAL_CHARS if several else ONE_FACT_CHARS
        each = budget // len(readings)
        quotes: list[Quote] = []
        for reading in readings:
            quotes += [quote for quote in choose(reading, each) if quote not in quotes]
        return quotes[: self._settings.max_sources]


def choose(reading: Reading, budget: int) -> list[Quote]:
    """The best sentence, and the second of the same article when the reader is not sure.

    Both together have at most `budget` characters.
    """
    if not reading.sentences:
        return []
    best = reading.sentences[0]
    quotes = [_quote(best, budget)]
    left = budget - len(quotes[0].text)
    if best.share < _SURE:
        for other in reading.sentences[1:]:
            fits = len(other.candidate.text) <= left
            if other.share >= _SECOND and fits and other.candidate.hit.article.id == best.candidate.hit.article.id:
                quotes.append(_quote(other, left))
                break
    return quotes


def _quote(scored: ScoredSentence, limit: int) -> Quote:
    candidate = scored.candidate
    article = candidate.hit.article
    start, end = trim(article, candidate.start, candidate.end, candidate.answer, limit)
    return Quote(article, start, end, candidate.answer)
