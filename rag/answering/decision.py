"""Whether what was read answers: one calibrated probability, from the reader's logits and from what exact code knows.

A logistic regression (Platt scaling of several inputs) fitted by `training.reader.calibrate` on questions over news
that trained nothing; its weights stand in the reader's file. Exact facts (numbers and words of the question that
its article does not have) enter as inputs, not as vetoes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag.answering.evidence import Evidence
from rag.errors import ModelError
from rag.passages import context_line
from rag.reader.reader import sigmoid
from rag.tokens import is_chinese, tokenize
from rag.types import Article

Array = npt.NDArray[np.float64]

FEATURES: Final = (
    "passage", "second_passage", "sentence", "answer", "margin", "agreeing", "covered", "numbers_held", "retrieval",
    "other_language",
)  # fmt: skip
"""Inputs of the regression, in order; see `features`."""

_FOREIGN_COVER: Final = 0.6
"""Stands for the share of words held where the languages differ, about what Chinese questions find."""
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Decision:
    """The fitted weights."""

    ranking: Mapping[str, float]
    """How the sentence is chosen; see `rag.answering.evidence.WEIGHTS`."""
    weights: Array
    """`(len(FEATURES),)`."""
    bias: float
    bars: Mapping[str, float]
    """Least probability of an answer that is shown, by strictness."""

    @classmethod
    def of(cls, calibration: Mapping[str, Any]) -> Decision:
        """The weights of a reader's file.

        :raises ModelError: it has none, or those of other features.
        """
        try:
            weights = np.array([calibration["answer"][name] for name in FEATURES])
            return cls(calibration["ranking"], weights, calibration["bias"], calibration["bars"])
        except KeyError as error:
            raise ModelError(f"the reader is not calibrated ({error}); restore it from the distribution") from None

    def probability(self, question: str, evidence: Sequence[Evidence]) -> float:
        """In [0, 1]: that the first of `evidence` (best first) answers `question`; 0 without any."""
        if not evidence:
            return 0.0
        return sigmoid(float(features(question, evidence) @ self.weights) + self.bias)


def features(question: str, evidence: Sequence[Evidence]) -> Array:
    """float64 `(len(FEATURES),)`; `evidence` holds at least one, best first.

    Logits of the best sentence, its passage and the best other passage, its lead over the next sentence, how many
    sentences of other articles are likely, the shares of the question's words and numbers that its article has, how far
    its passage stays behind in the search, and whether it is in another language than the question.
    """
    best = evidence[0]
    others = [e for e in evidence[1:] if e.hit.passage != best.hit.passage]
    agreeing = sum(e.sentence_logit > 0 and e.article.id != best.article.id for e in evidence[1:10])
    article = _text(best.article)
    foreign = is_chinese(question) != is_chinese(best.text)
    return np.array(
        [
            best.passage_logit,
            max((e.passage_logit for e in others), default=-6.0),
            best.sentence_logit,
            best.answer_logit / 4,
            best.score - (evidence[1].score if len(evidence) > 1 else best.score - 6),
            min(agreeing, 3),
            _FOREIGN_COVER if foreign else _share(tokenize(question), set(tokenize(article))),
            _share(_NUMBER.findall(question), article),
            best.retrieval,
            float(foreign),
        ]
    )


def _text(article: Article) -> str:
    return f"{context_line(article)}\n{article.text}"


def _share(words: Sequence[str], held: Container[str]) -> float:
    """How many of `words` are held; 1 without any."""
    return sum(word in held for word in words) / len(words) if words else 1.0
