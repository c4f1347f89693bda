"""A reading -> its sentences, the likeliest evidence first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rag.reader.reader import PassageReading, Reading, SentenceReading
from rag.types import Article, Hit

Span = tuple[int, int]

WEIGHTS: Final[Mapping[str, float]] = {"sentence": 1.0, "passage": 0.5, "answer": 0.2, "retrieval": 0.1}
"""How much the three readings of a sentence and the search count in its order, where a reader's file does not say."""
_FARTHEST: Final = -8.0
"""Least lead of the search that counts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may answer."""

    hit: Hit
    start: int
    end: int
    """Offsets into the article's text."""
    answer: Span
    """The likeliest short answer inside, offsets into the article's text."""
    score: float
    """Log-odds, comparable within one question; see `WEIGHTS`."""
    sentence_logit: float
    passage_logit: float
    answer_logit: float
    retrieval: float
    """How far its passage stays behind the best one found, in the log-odds of fitted fusion; at most 0."""

    @property
    def article(self) -> Article:
        """The article it stands in."""
        return self.hit.article

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.hit.article.text[self.start : self.end]


def evidence_of(reading: Reading, weights: Mapping[str, float] = WEIGHTS) -> list[Evidence]:
    """The sentences of all passages, best first; one that several passages hold counts as where it is likeliest."""
    best: dict[tuple[str, int, int], Evidence] = {}
    top = max((passage.hit.score for passage in reading.passages), default=0.0)
    for passage in reading.passages:
        for sentence in passage.sentences:
            found = _evidence(passage, sentence, weights, max(passage.hit.score - top, _FARTHEST))
            place = (found.article.id, found.start, found.end)
            if place not in best or best[place].score < found.score:
                best[place] = found
    return sorted(best.values(), key=lambda e: -e.score)


def weighed(evidence: Evidence, log_weight: float) -> Evidence:
    """`evidence` with its score shifted by what exact code knows about it."""
    return replace(evidence, score=evidence.score + log_weight)


def _evidence(
    passage: PassageReading, sentence: SentenceReading, weights: Mapping[str, float], retrieval: float
) -> Evidence:
    score = (
        weights["sentence"] * sentence.logit
        + weights["passage"] * passage.logit
        + weights["answer"] * sentence.answer_logit
        + weights["retrieval"] * retrieval
    )
    return Evidence(
        passage.hit,
        sentence.start,
        sentence.end,
        sentence.answer,
        score,
        sentence.logit,
        passage.logit,
        sentence.answer_logit,
        retrieval,
    )
