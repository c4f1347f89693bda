"""Whether what was read answers: one calibrated probability, from the reader's logits and from what exact code knows.

A logistic regression (Platt scaling of several inputs) fitted by `training.reader.calibrate` on questions over news
that trained nothing; its weights stand in the reader's file. Exact facts (a year, number or name of the question that
the evidence does not have) enter as inputs, not as vetoes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag.answering.evidence import WEIGHTS, Evidence
from rag.config import Strictness
from rag.passages import context_line
from rag.reader.reader import sigmoid
from rag.tokens import is_chinese, tokenize
from rag.types import Article

Array = npt.NDArray[np.float64]

BARS: Final[dict[Strictness, float]] = {"strict": 0.7, "balanced": 0.5, "generous": 0.3}
"""Least probability of an answer that is shown."""

FEATURES: Final = (
    "passage", "second_passage", "sentence", "answer", "margin", "agreeing", "covered", "numbers_held",
    "english", "retrieval", "cosine", "other_language",
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

    @classmethod
    def of(cls, calibration: Mapping[str, Any]) -> Decision:
        """The weights of a reader's file, or a guess where it has none."""
        if not calibration:
            guess = np.array([0.5 if name in ("passage", "sentence") else 0.0 for name in FEATURES])
            return cls(WEIGHTS, guess, 0.0, {str(name): bar for name, bar in BARS.items()})
        weights = np.array([calibration["answer"][name] for name in FEATURES])
        return cls(calibration["ranking"], weights, calibration["bias"], calibration.get("bars", BARS))

    def probability(self, question: str, evidence: Sequence[Evidence]) -> float:
        """In [0, 1]: that the first of `evidence` (best first) answers `question`; 0 without any."""
        if not evidence:
            return 0.0
        return sigmoid(float(features(question, evidence) @ self.weights) + self.bias)


def features(question: str, evidence: Sequence[Evidence]) -> Array:
    """float64 `(len(FEATURES),)`; `evidence` holds at least one, best first.

    Logits of the best sentence and its passage, of the best other passage, its lead over the next sentence,
    sentences of other articles that are as likely, and the shares of the question's words and numbers that
    its article has; how far its passage stays behind in the search, and its cosine;
    whether it is in another language.
    """
    best = evidence[0]
    others = [e for e in evidence[1:] if e.hit.passage != best.hit.passage]
    agreeing = sum(e.sentence_logit > 0 and e.article.id != best.article.id for e in evidence[1:10])
    article = _text(best.article)
    known = set(tokenize(article))
    asked = tokenize(question)
    covered = sum(token in known for token in asked) / len(asked) if asked else 1.0
    return np.array(
        [
            best.passage_logit,
            max((e.passage_logit for e in others), default=-6.0),
            best.sentence_logit,
            best.answer_logit / 4,
            best.score - (evidence[1].score if len(evidence) > 1 else best.score - 6),
            min(agreeing, 3),
            covered if is_chinese(question) and is_chinese(best.text) else _FOREIGN_COVER,
            _share(_NUMBER.findall(question), article),
            float(not is_chinese(question)),
            best.retrieval,
            best.hit.dense_score or 0.0,
            float(is_chinese(question) != is_chinese(best.text)),
        ]
    )


def _text(article: Article) -> str:
    return f"{context_line(article)}\n{article.text}"


def _share(words: Sequence[str], text: str) -> float:
    """How many of `words` the text holds; 1 without any."""
    return sum(word.lower() in text for word in words) / len(words) if words else 1.0
