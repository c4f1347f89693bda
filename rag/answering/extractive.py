"""The default answer: one or two sentences of the articles, verbatim, each with its citation; or a refusal."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Iterator, Sequence
from typing import Final

from rag.answering.composition import ONE_FACT_CHARS, SEVERAL_CHARS, Quote, compose, fit
from rag.answering.constraints import is_about_another, meets_constraints
from rag.answering.kinds import of_kind
from rag.answering.lists import favour_items, list_quotes
from rag.answering.names import absent_names
from rag.answering.notes import reading_text, timeless_text, with_notes
from rag.answering.notices import notice
from rag.answering.parts import Part, asks_list, names_list, parts
from rag.answering.question_type import AnswerType, QuestionProfile, profile
from rag.answering.reader import Reader, Reading, ScoredSentence, load_reader
from rag.answering.refusal import BARS, asks_nothing, refuse
from rag.answering.selection import choose_one, choose_several, conflicting, corroborating
from rag.answering.several import about, answer_parts
from rag.answering.timing import in_time
from rag.answering.variants import asks_several
from rag.answering.verdict import with_verdict
from rag.config import AnswerSettings
from rag.dates import format_date
from rag.expansion import QueryExpander
from rag.tokens import is_chinese
from rag.types import Answer, Hit, Question, Timings

__all__ = ["ExtractiveAnswerer", "load_reader"]

MODE: Final = "extractive"

_PART_WEIGHT: Final = 0.9
"""How much one part of a question counts against the whole when its sentence is chosen."""
_TIMELESS: Final = 0.6
"""How much a question counts without the day it names: articles write days in other words."""
_LEAST_ABLE: Final = 0.5
"""Least share of the sentences whose articles can answer (`rag.answering.constraints`)."""
_RETRIEVAL_WEIGHT: Final = 0.3
"""How much a difference of fused scores counts against a difference of log shares."""
_LEAST_NAMED: Final = 0.1
"""Least share of the sentences that name somebody."""
_IDENTITY: Final = re.compile(r"^[^，,的]{2,12}(?:是谁|是什么人|何许人也?)[?？]?$")
"""Asks who somebody is: the answer need not name another person."""
_LETTER: Final = re.compile(r"[^\W\d_]")
_LEAST_LETTERS: Final = 4
"""A sentence of fewer letters or characters (她说。) tells nothing, unless it holds a number."""
_FRAME_CHARS: Final = 60
"""Room kept for what an English reader needs beside a Chinese quote."""


class ExtractiveAnswerer:
    """Answers with sentences that a reader chooses."""

    def __init__(self, reader: Reader, settings: AnswerSettings, expander: QueryExpander | None = None) -> None:
        self._reader = reader
        self._settings = settings
        self._expander = expander

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """One final answer: it is made in milliseconds, so there is nothing to stream."""
        started = time.perf_counter()
        answer = self._answer(question, hits)
        elapsed = (time.perf_counter() - started) * 1000
        yield dataclasses.replace(answer, timings=Timings(answer=elapsed))

    def _answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        asked = reading_text(question)
        whole = self._reader.read(asked, hits)
        if self._expander and absent_names(asked, [_all_text(hit) for hit in hits], self._expander):
            return self._refusal(question, hits, whole)
        timeless = timeless_text(question)
        if timeless:
            whole = mix(whole, self._reader.read(timeless, hits))
        several = parts(asked)
        if several:
            quotes, missing = self._by_part(several, question, whole, hits)
        else:
            quotes, missing = self._of_one(asked, question, whole), ()
        if not quotes or asks_nothing(question):
            return self._refusal(question, hits, whole)
        noted = with_verdict(asked, question.language, with_notes(quotes[: self._settings.max_sources], question))
        limit = SEVERAL_CHARS if several or asks_several(asked) or asks_list(asked) else ONE_FACT_CHARS
        answer = compose(question, fit(noted, limit), confidence=whole.confidence, model=self._reader.name, mode=MODE)
        return dataclasses.replace(answer, notices=missing)

    def _refusal(self, question: Question, hits: Sequence[Hit], whole: Reading) -> Answer:
        refusal = refuse(question, hits, mode=MODE, model=self._reader.name)
        return dataclasses.replace(refusal, confidence=whole.confidence)

    def _able(self, asked: str, reading: Reading, question: Question, *, is_part: bool = False) -> Reading:
        """The sentences that can answer `asked`, best first; none when it must be refused.

        Whoever is asked for in a part of a question may be named in the sentence of another part.
        """
        if reading.answerable < BARS[self._settings.strictness]:
            return Reading((), reading.answerable)
        able = of_kind(profile(asked), _constrained(profile(asked), _stated(reading), names_person=not is_part))
        if question.language == "en":
            able = _as_retrieved(able)
        return in_time(able, question)

    def _of_one(self, asked: str, question: Question, whole: Reading) -> list[Quote]:
        """The quotes that answer a question for one thing, or for a list."""
        reading = self._able(asked, whole, question)
        if asks_several(asked) and not names_list(asked):
            return choose_several(reading, SEVERAL_CHARS)
        if asks_list(asked):
            return list_quotes(asked, reading, SEVERAL_CHARS)
        room = ONE_FACT_CHARS - (_FRAME_CHARS if _needs_frame(question, reading) else 0)
        rivals = [_dated(quote, question) for quote in conflicting(reading, room)]
        return rivals or [corroborating(quote, reading) for quote in choose_one(reading, room)]

    def _by_part(
        self, several: Sequence[Part], question: Question, whole: Reading, hits: Sequence[Hit]
    ) -> tuple[list[Quote], tuple[str, ...]]:
        """The quotes that answer the parts of a question, and a notice for each part that nothing answers."""

        def read(part: Part) -> Reading:
            reading = about(part.name, blend(self._reader.read(part.question, hits), whole))
            able = self._able(part.question, reading, question, is_part=True)
            return favour_items(part.question, able) if asks_list(part.question) else able

        answers = answer_parts(several, read, SEVERAL_CHARS)
        quotes = [answer.quote for answer in answers if answer.quote is not None]
        unanswered = [answer.part.name or answer.part.question for answer in answers if not answer.answered]
        return quotes, tuple(notice("part_missing", question.language, part=part) for part in unanswered)


def _all_text(hit: Hit) -> str:
    article = hit.article
    return f"{article.title} {article.subtitle or ''} {article.source} {article.text}"


def _needs_frame(question: Question, reading: Reading) -> bool:
    """Whether an English question is answered from a Chinese article."""
    return question.language == "en" and bool(reading.sentences) and is_chinese(reading.sentences[0].candidate.text)


def _dated(quote: Quote, question: Question) -> Quote:
    """`quote` labelled with the date of its article; an English frame has the date already."""
    if question.language == "en" and is_chinese(quote.text):
        return quote
    date = quote.article.date
    unknown = "日期不明" if question.language == "zh" else "undated"
    return dataclasses.replace(quote, label=format_date(date, date, question.language) if date else unknown)


def _constrained(asked: QuestionProfile, reading: Reading, *, names_person: bool) -> Reading:
    """The sentences that can answer; none when the reader would rather choose one that cannot."""
    articles = {s.candidate.hit.article.id: s.candidate.hit.article for s in reading.sentences}
    able = {i for i, article in articles.items() if meets_constraints(asked, article)}
    kept = [
        s
        for s in reading.sentences
        if s.candidate.hit.article.id in able and not is_about_another(asked, s.candidate.hit.article, s.candidate.text)
    ]
    share = sum(s.share for s in kept)
    wants_name = names_person and asked.types == (AnswerType.PERSON,) and _IDENTITY.search(asked.text) is None
    if share < _LEAST_ABLE or (wants_name and not _names_one(kept)):
        return Reading((), reading.answerable)
    return _rescaled(kept, [s.share for s in kept], reading.answerable)


def _as_retrieved(reading: Reading) -> Reading:
    """The reading of an English question, its shares weighted by how retrieval judged the passages.

    The reader has learned English questions over Chinese text only. What retrieval knows better is which article
    is meant, above all in a library of both languages; fitted fusion scores are log-odds (`rag.fusion`).
    """
    if not reading.sentences:
        return reading
    best = max(s.candidate.hit.score for s in reading.sentences)
    weights = [s.share * math.exp(_RETRIEVAL_WEIGHT * (s.candidate.hit.score - best)) for s in reading.sentences]
    return _rescaled(reading.sentences, weights, reading.answerable)


def _stated(reading: Reading) -> Reading:
    """`reading` without what answers nothing: questions that the article itself asks, and a bare "she said"."""
    told = [s for s in reading.sentences if _tells(s.candidate.text)]
    if not told or len(told) == len(reading.sentences):
        return reading
    return _rescaled(told, [s.share for s in told], reading.answerable)


_SAID: Final = re.compile(r"\W*\S{1,8}(?:说|表示|介绍|指出|坦言|告诉记者)\W*")


def _tells(sentence: str) -> bool:
    if _SAID.fullmatch(sentence):
        return False
    asks = sentence.rstrip("”’」』\"'").endswith(("？", "?"))
    return not asks and (len(_LETTER.findall(sentence)) >= _LEAST_LETTERS or any(c.isdigit() for c in sentence))


def _rescaled(sentences: Sequence[ScoredSentence], weights: Sequence[float], answerable: float) -> Reading:
    """The sentences with shares in proportion to `weights`, best first."""
    total = sum(weights)
    shared = [dataclasses.replace(s, share=w / total) for s, w in zip(sentences, weights, strict=True)]
    return Reading(tuple(sorted(shared, key=lambda s: -s.share)), answerable)


def _names_one(sentences: Sequence[ScoredSentence]) -> bool:
    """Whether the likelier sentences name anybody, which is seen in Chinese text only."""
    named = [s.candidate.answer is not None or not is_chinese(s.candidate.text) for s in sentences]
    return sum(s.share for s, holds in zip(sentences, named, strict=True) if holds) >= _LEAST_NAMED


def mix(first: Reading, second: Reading) -> Reading:
    """Two readings of one question put in two ways; the surer one says whether it can be answered."""
    shares = {_place(s): s.share for s in second.sentences}
    mixed = [(1 - _TIMELESS) * s.share + _TIMELESS * shares.get(_place(s), 0.0) for s in first.sentences]
    if not mixed or not shares:
        return first
    return _rescaled(first.sentences, mixed, max(first.answerable, second.answerable))


def blend(part: Reading, whole: Reading) -> Reading:
    """The reading of one part of a question in the light of the whole: shares of both, multiplied and scaled."""
    shares = {_place(s): s.share for s in whole.sentences}
    weighed = [s.share**_PART_WEIGHT * shares.get(_place(s), 0.0) ** (1 - _PART_WEIGHT) for s in part.sentences]
    total = sum(weighed) or 1.0
    blended = [ScoredSentence(s.candidate, w / total) for s, w in zip(part.sentences, weighed, strict=True)]
    return Reading(tuple(sorted(blended, key=lambda s: -s.share)), part.answerable)


def _place(scored: ScoredSentence) -> tuple[str, int, int]:
    candidate = scored.candidate
    return candidate.hit.article.id, candidate.start, candidate.end
