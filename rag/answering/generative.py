"""The answer that a language model writes, checked sentence by sentence against the passages it cites.

The model is not asked where the fallback, which reads the articles itself, finds nothing that supports an answer. When
the model or its server is missing or fails, the fallback answers instead and says so.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from rag.answering import Answerer
from rag.answering.citations import CitedText, MarkedText, cite, parse_markers
from rag.answering.facts import Evidence, squeeze
from rag.answering.generator import Generator, LengthLimitReached, load_generator
from rag.answering.model_text import visible_text
from rag.answering.notices import notice
from rag.answering.prompting import FittedPrompt, fit_prompt
from rag.answering.refusal import REFUSAL, refuse
from rag.answering.verification import Check, check_sentence, check_uncited
from rag.config import AnswerSettings
from rag.errors import ModelError
from rag.types import Answer, AnswerSentence, Hit, Question, Support, Timings

__all__ = ["GenerativeAnswerer", "Generator", "load_generator"]

MODE: Final = "generative"
SNAPSHOT_SECONDS: Final = 0.1
"""Least time between two snapshots: a page cannot show more, and each one costs work."""

_TRUST: Final = {Support.QUOTED: 1.0, Support.SUPPORTED: 0.8, Support.PARTIAL: 0.4, Support.UNSUPPORTED: 0.0}
_SENTENCE_END = re.compile(r"[。！？!?.…][”’」』）)\]\"']*\Z")


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the model has written so far, or in the end."""

    raw: str
    finished: bool = False
    notices: tuple[str, ...] = ()


class GenerativeAnswerer:
    """Answers with a language model; see `Answerer`.

    Snapshots carry text and citations; their sentences are empty, because nothing is checked before the end.
    """

    def __init__(self, generator: Generator, settings: AnswerSettings, fallback: Answerer) -> None:
        self._generator = generator
        self._settings = settings
        self._fallback = fallback

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Snapshots while the model writes, then the checked answer; an unwritten refusal when nothing supports one."""
        started = time.perf_counter()
        if not hits:
            refusal = refuse(question, hits, mode=MODE, model=self._generator.name)
            yield replace(refusal, timings=_since(started))
            return
        extracted = self._extracted(question, hits) if self._settings.ask_model == "supported" else None
        if extracted is not None and extracted.refused:
            unasked = (notice("unasked", question.language), *extracted.notices)
            yield replace(extracted, mode=MODE, notices=unasked, timings=_since(started))
            return
        try:
            yield from self._written(question, hits, started)
        except ModelError as error:
            reason = notice("fallback", question.language, reason=str(error).rstrip(".。"))
            answer = extracted or self._extracted(question, hits)
            yield replace(answer, notices=(reason, *answer.notices), timings=_since(started))

    def _extracted(self, question: Question, hits: Sequence[Hit]) -> Answer:
        *_, answer = self._fallback.stream(question, hits)
        return answer

    def _written(self, question: Question, hits: Sequence[Hit], started: float) -> Iterator[Answer]:
        prompt = self._fit(question, hits[: self._settings.max_sources])
        for draft in self._drafts(prompt, question.language):
            text = visible_text(draft.raw, finished=draft.finished)
            if not draft.finished:
                if text:
                    yield self._snapshot(question, prompt, text, started)
                continue
            answer = self._checked(question, hits, prompt, text, draft.notices)
            yield replace(answer, timings=_since(started))

    def _fit(self, question: Question, hits: Sequence[Hit]) -> FittedPrompt:
        limit = self._settings.context_tokens
        own = self._generator.context_limit()
        room = (min(limit, own) if own else limit) - self._settings.max_new_tokens
        return fit_prompt(question, hits, self._generator.count_tokens, room)

    def _drafts(self, prompt: FittedPrompt, language: str) -> Iterator[_Draft]:
        """Growing drafts, the last one finished."""
        stop = threading.Event()
        raw = ""
        notices: tuple[str, ...] = ()
        begun = shown = time.monotonic()
        try:
            with closing(self._generator.generate(prompt.messages, stop)) as pieces:
                for piece in pieces:
                    raw += piece
                    now = time.monotonic()
                    if now - begun > self._settings.timeout_s:
                        notices = (notice("cut_time", language, limit=f"{self._settings.timeout_s:g}"),)
                        break
                    if now - shown >= SNAPSHOT_SECONDS:
                        shown = now
                        yield _Draft(raw)
        except LengthLimitReached:
            notices = (notice("cut_length", language, limit=self._settings.max_new_tokens),)
        finally:
            stop.set()
        yield _Draft(raw, finished=True, notices=notices)

    def _snapshot(self, question: Question, prompt: FittedPrompt, text: str, started: float) -> Answer:
        cited = cite(parse_markers(text, len(prompt.hits)), prompt.hits, question.as_of)
        return Answer(
            question=question.text,
            answer=cited.text,
            refused=False,
            mode=MODE,
            language=question.language,
            citations=cited.citations,
            model=self._generator.name,
            final=False,
            timings=_since(started),
        )

    def _checked(
        self, question: Question, hits: Sequence[Hit], prompt: FittedPrompt, text: str, cut: tuple[str, ...]
    ) -> Answer:
        """The final answer: a refusal where the model refused, else its sentences with what their check found.

        :raises ModelError: the model wrote nothing.
        """
        marked = parse_markers(text, len(prompt.hits))
        if cut:
            marked = _without_unfinished(marked)
        if not marked.sentences:
            raise ModelError("the model wrote no answer, or only reasoning; raise answer.max_new_tokens or change it")
        language = question.language
        if _is_refusal(marked):
            refusal = refuse(question, hits, mode=MODE, model=self._generator.name)
            return replace(refusal, notices=_notices(prompt, marked, language, cited=True))
        cited = cite(marked, prompt.hits, question.as_of)
        sentences = _check(marked, cited, prompt.hits, question)
        return Answer(
            question=question.text,
            answer=cited.text,
            refused=False,
            mode=MODE,
            language=language,
            citations=cited.citations,
            sentences=sentences,
            confidence=round(sum(_TRUST[s.support] for s in sentences) / len(sentences), 3),
            model=self._generator.name,
            notices=(*_notices(prompt, marked, language, cited=bool(cited.citations)), *cut),
        )


def _check(marked: MarkedText, cited: CitedText, hits: Sequence[Hit], question: Question) -> tuple[AnswerSentence, ...]:
    shown = [_evidence(hit, question) for hit in hits]

    def check(text: str, passages: tuple[int, ...]) -> Check:
        return check_sentence(text, [shown[n - 1] for n in passages]) if passages else check_uncited(text, shown)

    checks = [check(sentence.text, sentence.passages) for sentence in marked.sentences]
    return tuple(
        AnswerSentence(sentence.text, markers, result.support, problems=result.problems)
        for sentence, markers, result in zip(marked.sentences, cited.markers, checks, strict=True)
    )


def _evidence(hit: Hit, question: Question) -> Evidence:
    """What the model was shown of a passage: its text with title and source."""
    text = "\n".join((hit.article.title, hit.article.source, hit.passage.text))
    return Evidence(text, hit.article.date, question.as_of)


def _is_refusal(marked: MarkedText) -> bool:
    """Whether the model refused: it opens with the refusal, or refuses somewhere and cites nothing."""
    refusals = {squeeze(text) for text in REFUSAL.values()}
    refused = [squeeze(sentence.text) in refusals for sentence in marked.sentences]
    return refused[0] or (any(refused) and not any(sentence.passages for sentence in marked.sentences))


def _without_unfinished(marked: MarkedText) -> MarkedText:
    """Drop a last sentence that was cut, unless it is the only one."""
    *complete, last = marked.sentences or (None,)
    if not complete or last is None or _SENTENCE_END.search(last.text):
        return marked
    return replace(marked, sentences=tuple(complete))


def _notices(prompt: FittedPrompt, marked: MarkedText, language: str, *, cited: bool) -> tuple[str, ...]:
    notices = []
    if prompt.dropped:
        notices.append(notice("dropped", language, count=prompt.dropped))
    if prompt.shortened:
        notices.append(notice("shortened", language))
    if marked.invented:
        numbers = "".join(f"[{number}]" for number in marked.invented[:5])
        notices.append(notice("invented", language, numbers=numbers + ("…" if len(marked.invented) > 5 else "")))
    if not cited:
        notices.append(notice("no_citation", language))
    return tuple(notices)


def _since(started: float) -> Timings:
    return Timings(answer=(time.perf_counter() - started) * 1000)
