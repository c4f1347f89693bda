"""Hits -> sentences with a logit each: two ways of reading, added up.

The ranker knows features made by hand (`reader_features`), the scorer reads word by word (`sentence_scorer`). They err
in different places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rag.answering.reader_features import FEATURES, Candidate, FeatureExtractor
from rag.answering.reader_model import Network
from rag.answering.sentence_scorer import SentenceScorer, Window
from rag.errors import ModelError
from rag.tokens import detect_language
from rag.types import Hit

Array = npt.NDArray[np.float32]

MIXING_FILE: Final = "mixing.json"
DEEPEST: Final = 30.0
"""How far below the best sentence the scorer may put one: one without any known word has no finite logit."""
LANGUAGES: Final = ("zh", "en")
"""Of questions; each has weights of its own."""
_HEADLINE_PENALTY: Final = 1.5
"""Logits taken from headlines and kickers, which the training data does not have."""


@dataclass(frozen=True)
class Ranking:
    """The sentences of some hits as one question ranks them; arrays are aligned with `candidates`."""

    candidates: tuple[Candidate, ...]
    features: Array
    """`(n, len(FEATURES))`."""
    scored: Array
    """Logits of the scorer, `(n,)`."""
    ranked: Array
    """Logits of the ranker, `(n,)`."""
    none: float
    """The scorer's logit of "none of them"."""
    logits: Array
    """Of both together, `(n,)`."""


def load_mixing(folder: Path) -> Array:
    """How much the ranker and the scorer in `folder` count, `(len(LANGUAGES), 2)`.

    :raises ModelError: the file is missing or is not what `training.reader.mixing` writes.
    """
    file = folder / MIXING_FILE
    try:
        content = json.loads(file.read_text("utf-8"))
        rows = [[float(content[language][part]) for part in ("ranker", "scorer")] for language in LANGUAGES]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"reader {file} cannot be read: {error}; restore its folder") from error
    return np.array(rows, np.float32)


class SentenceRanker:
    """Ranks the sentences of hits."""

    def __init__(self, extractor: FeatureExtractor, ranker: Network, scorer: SentenceScorer, mixing: Array) -> None:
        """`mixing`: weights of the ranker's and of the scorer's logits, `(len(LANGUAGES), 2)`."""
        self._extractor = extractor
        self._ranker = ranker
        self._scorer = scorer
        self._mixing = mixing

    def rank(self, question: str, hits: Sequence[Hit]) -> Ranking:
        """All sentences of `hits` and of what lies around the best ones; none when there are no hits."""
        candidates, features = self._extractor.extract(question, hits)
        if not candidates:
            nothing = np.zeros(0, np.float32)
            return Ranking((), features, nothing, nothing, 0.0, nothing)
        scores = self._scorer.score(question, windows_of(candidates))
        scored = np.concatenate(scores.sentences)
        by_feature, by_word = self._mixing[LANGUAGES.index(detect_language(question))]
        ranked = self._ranker(features)
        logits = by_feature * ranked + by_word * np.maximum(scored, scored.max() - DEEPEST)
        logits -= _HEADLINE_PENALTY * features[:, FEATURES.index("headline")]
        return Ranking(tuple(candidates), features, scored, ranked, scores.none, logits.astype(np.float32))


def windows_of(candidates: Sequence[Candidate]) -> list[Window]:
    """The passages that the candidates stand in, with their sentences; candidates of one passage stand together."""
    windows = []
    for _, group in groupby(candidates, key=lambda c: (c.hit.article.id, c.hit.passage.start, c.hit.rank)):
        told = list(group)
        hit = told[0].hit
        windows.append(Window(hit.article.title, tuple(c.text for c in told), hit.rank))
    return windows
