"""The default answer: a few sentences of the articles, verbatim, each with its citation; or a refusal."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rag.answering.composition import ONE_FACT_CHARS, SEVERAL_CHARS, Quote, compose, fit
from rag.answering.decision import Decision
from rag.answering.evidence import Evidence, evidence_of
from rag.answering.notes import reading_text, with_notes
from rag.answering.refusal import refuse
from rag.answering.selection import choose_one, choose_several, conflicting, corroborated
from rag.answering.timing import in_time
from rag.boilerplate import is_boilerplate
from rag.config import AnswerSettings
from rag.dates import format_date
from rag.reader import Reader, Reading
from rag.tokens import is_chinese
from rag.types import Answer, Hit, Question, ReadPassage, Timings

MODE: Final = "extractive"
READING_SECONDS: Final = 1.0
"""Time for reading passages; the likeliest come first, and what there was no time for is not spoken of."""
_FRAME_CHARS: Final = 60
"""Room kept for what an English reader needs beside a Chinese quote."""


class ExtractiveAnswerer:
    """Answers with sentences that the reader takes for evidence."""

    def __init__(self, reader: Reader, settings: AnswerSettings) -> None:
        self._reader = reader
        self._settings = settings
        self._decision = Decision.of(reader.weights.calibration)

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """One final answer: it is made within a second, so there is nothing to stream."""
        started = time.perf_counter()
        answer = self._answer(question, hits)
        elapsed = (time.perf_counter() - started) * 1000
        yield dataclasses.replace(answer, timings=Timings(answer=elapsed))

    def _answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        asked = reading_text(question)
        reading = self._reader.read(asked, hits, READING_SECONDS)
        evidence = likely_evidence(reading, question, self._decision.ranking)
        probability = self._decision.probability(asked, evidence)
        read = tuple(ReadPassage(p.hit.rank, p.logit) for p in reading.passages)
        if not evidence or probability < self._decision.bars[self._settings.strictness]:
            refusal = refuse(question, hits, mode=MODE, model=self._reader.name)
            return dataclasses.replace(refusal, confidence=probability, read=read)
        limit = SEVERAL_CHARS if question.several else ONE_FACT_CHARS
        quotes = self._quotes(question, evidence)[: self._settings.max_sources]
        noted = fit(with_notes(quotes, question), limit)
        answer = compose(question, noted, confidence=probability, model=self._reader.name, mode=MODE)
        return dataclasses.replace(answer, read=read)

    def _quotes(self, question: Question, evidence: Sequence[Evidence]) -> list[Quote]:
        if question.several:
            return choose_several(evidence, SEVERAL_CHARS)
        room = ONE_FACT_CHARS - (_FRAME_CHARS if question.language == "en" and is_chinese(evidence[0].text) else 0)
        rivals = [_dated(quote, question) for quote in conflicting(evidence, room)]
        return rivals or [corroborated(quote, evidence) for quote in choose_one(evidence, room)]


def likely_evidence(reading: Reading, question: Question, ranking: Mapping[str, float]) -> list[Evidence]:
    """What of a reading may answer, best first: no boilerplate, and in the light of the time that is asked about."""
    found = [evidence for evidence in evidence_of(reading, ranking) if not is_boilerplate(evidence.text)]
    return in_time(found, question)


def _dated(quote: Quote, question: Question) -> Quote:
    """`quote` labelled with the date of its article; an English frame has the date already."""
    if question.language == "en" and is_chinese(quote.text):
        return quote
    date = quote.article.date
    unknown = "日期不明" if question.language == "zh" else "undated"
    return dataclasses.replace(quote, label=format_date(date, date, question.language) if date else unknown)
