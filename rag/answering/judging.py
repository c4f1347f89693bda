"""Whether the hits hold an answer at all, and whether the best sentence is it.

Two small networks over what the ranking looks like (`reader_model.judge_features`), which words of the question
the articles hold (`word_match`) and how the likely sentences agree (`AGREEMENT`). They were fitted to answerable
questions and to near misses made from them; see training/reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rag.answering.constraints import is_about_another, meets_constraints
from rag.answering.question_type import QuestionProfile, profile
from rag.answering.reader_features import Candidate
from rag.answering.reader_model import LIKELY_FEATURES, Network, likely_features, load_arrays
from rag.answering.word_match import WORD_FEATURES, WordMatcher
from rag.encoder import StaticEncoder
from rag.lexicon import Lexicon
from rag.tokens import detect_language, is_chinese

Array = npt.NDArray[np.float32]

JUDGE_FILE: Final = "judge.safetensors"
LANGUAGES: Final = ("zh", "en")
AGREEMENT: Final = ("article_share", "agreeing", "agreeing_share", "able", "another", "chinese", "named")
"""Columns of `agreement`, in order."""
_COVERAGE: Final = (
    "cover", "best_", "any_", "name_", "similar", "soft_cover", "soft_clause", "soft_window", "soft_worst", "rare",
    "common_run", "length", "hit_", "question_length", "english", "enumerates", "words", "chinese",
)  # fmt: skip
"""Beginnings of the columns that the networks do not see.

How much of the whole question the articles hold tells an easy miss from an answer and says nothing of a near
one: whoever asks of a thing what no article says names the thing in the article's own words.
"""
_SEEN: Final = (*LIKELY_FEATURES, *WORD_FEATURES, *AGREEMENT)
JUDGE_FEATURES: tuple[str, ...] = tuple(
    name for name in _SEEN if not name.startswith(_COVERAGE) or name.startswith("best_worst")
)
"""What the networks see, in order."""
_COLUMNS: Final = [_SEEN.index(name) for name in JUDGE_FEATURES]
_LIKELY: Final = 12
"""Sentences that are checked against the question's years, ordinals and measures."""
_COMPARED: Final = 8
"""Sentences that may repeat the best one's answer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two figures in [0, 1]."""

    answerable: float
    """How surely the hits hold an answer; the bars are `refusal.BARS`."""
    right: float
    """That the best sentence holds it; calibrated."""


class Judge:
    """Tells what is answered from what only looks like it."""

    def __init__(
        self, answerable: Network, right: Network, shifts: Mapping[str, float], lexicon: Lexicon, encoder: StaticEncoder
    ) -> None:
        """`shifts` are added to the logit of `answerable`, by the language of the question."""
        self._answerable = answerable
        self._right = right
        self._shifts = shifts
        self._words = WordMatcher(lexicon, encoder)

    @classmethod
    def load(cls, folder: Path, lexicon: Lexicon, encoder: StaticEncoder) -> Judge:
        """The judge in `folder`.

        :raises ModelError: the file is missing, damaged or was fitted to other features.
        """
        arrays = load_arrays(folder / JUDGE_FILE, {"features": JUDGE_FEATURES})
        shifts = dict(zip(LANGUAGES, arrays["shifts"].tolist(), strict=True))
        answerable, right = (Network.from_arrays(arrays, name) for name in ("answerable", "right"))
        return cls(answerable, right, shifts, lexicon, encoder)

    def features(self, question: str, candidates: Sequence[Candidate], features: Array, logits: Array) -> Array:
        """float32 `(len(JUDGE_FEATURES),)`, from the ranker's `features` `(n, len(FEATURES))` and `logits` `(n,)`."""
        asked = profile(question)
        order = np.argsort(-logits, kind="stable")
        ranked = [candidates[i] for i in order]
        shares = np.exp(logits[order] - logits.max())
        shares /= shares.sum()
        seen = [
            likely_features(features, logits),
            self._words.features(asked, question, ranked),
            agreement(asked, ranked, shares),
        ]
        return np.concatenate(seen)[_COLUMNS]

    def judge(self, question: str, seen: Array) -> Verdict:
        """The verdict on the row of `features` of `question`."""
        answerable = float(self._answerable(seen[None])[0]) + self._shifts[detect_language(question)]
        right = float(self._right(seen[None])[0])
        return Verdict(float(1 / (1 + np.exp(-answerable))), float(1 / (1 + np.exp(-right))))


def agreement(asked: QuestionProfile, ranked: Sequence[Candidate], shares: Array) -> Array:
    """float32 `(len(AGREEMENT),)`: how the best of `ranked` stands among the others, whose `shares` add up to 1."""
    best = ranked[0]
    article = best.hit.article
    answer = article.text[slice(*best.answer)] if best.answer else ""
    same = sum(float(s) for c, s in zip(ranked, shares, strict=True) if c.hit.article.id == article.id)
    agreeing = [
        float(s) for c, s in zip(ranked[1:_COMPARED], shares[1:_COMPARED], strict=True) if answer and answer in c.text
    ]
    return np.array(
        [
            same,
            len(agreeing),
            sum(agreeing),
            _able(asked, ranked[:_LIKELY], shares[:_LIKELY]),
            float(is_about_another(asked, article, best.text)),
            float(is_chinese(best.text)),
            float(np.mean([c.answer is not None for c in ranked[:3]])),
        ],
        np.float32,
    )


def _able(asked: QuestionProfile, ranked: Sequence[Candidate], shares: Array) -> float:
    """Share of the likely sentences that can answer by `rag.answering.constraints`."""
    articles = {c.hit.article.id: c.hit.article for c in ranked}
    able = {i: meets_constraints(asked, article) for i, article in articles.items()}
    kept = [able[c.hit.article.id] and not is_about_another(asked, c.hit.article, c.text) for c in ranked]
    return float(shares @ np.array(kept, np.float32) / max(float(shares.sum()), 1e-9))
