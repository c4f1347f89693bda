"""The reader: question + hits -> sentences ranked by how likely they answer, and whether any does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.answering.judging import Judge
from rag.answering.reader_features import FEATURES, Candidate, FeatureExtractor
from rag.answering.reader_model import Network, load_ranker
from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import StaticEncoder, load_encoder
from rag.errors import ModelError
from rag.lexicon import Lexicon, load_lexicon
from rag.types import Hit

READER_NAME = "jinwen-reader"
ENCODER_FOLDER = "encoder"

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence and the reader's belief in it."""

    candidate: Candidate
    share: float
    """Probability that this sentence answers, given that one of them does; all shares of a reading add up to 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of one question."""

    sentences: tuple[ScoredSentence, ...]
    """Best first."""
    answerable: float
    """How surely the hits hold an answer, in [0, 1]; `rag.answering.refusal.BARS` are set against it."""
    right: float | None = None
    """Calibrated probability that the first sentence answers; None where nothing estimates it."""

    @property
    def confidence(self) -> float:
        """How likely an answer made of the first sentence is right, in [0, 1]."""
        return self.answerable if self.right is None else self.right


class Reader(Protocol):
    """Chooses the sentences that answer."""

    @property
    def name(self) -> str:
        """What made the answer, for the label under it."""

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Rank the sentences of `hits`; an empty reading has `answerable == 0`."""


_OVERLAP_WEIGHTS = {
    "cover": 3.0, "cover_single": 2.0, "cover_clause": 1.0, "cover_title_union": 2.5, "cover_window": 1.0,
    "rare": 1.5, "common_run": 0.5, "near_unit": 4.0, "near": 1.0, "typed": 0.6, "unit": 0.6, "similar": 2.0,
    "similar_window": 1.0, "headline": -1.0, "year_other": -0.8, "ordinal_other": -1.5, "closed": 0.4,
    "hit_rank": 0.8,
}  # fmt: skip
_SHARPNESS = 3.0


class OverlapReader:
    """Weighted word overlap and answer-type cues with weights set by hand: needs no trained model."""

    name = "overlap"

    def __init__(self, lexicon: Lexicon | None = None, encoder: StaticEncoder | None = None) -> None:
        self._extractor = FeatureExtractor(lexicon or Lexicon(), encoder)
        self._weights = np.array([_OVERLAP_WEIGHTS.get(name, 0.0) for name in FEATURES], np.float32)

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """See `Reader.read`."""
        candidates, features = self._extractor.extract(question, hits)
        if not candidates:
            return Reading((), 0.0)
        scores = features @ self._weights
        best = features[int(scores.argmax())]
        cover = best[FEATURES.index("cover_title_union")] + best[FEATURES.index("near_unit")]
        answerable = float(1 / (1 + np.exp(-12 * (cover - 0.3))))
        return Reading(rank_sentences(candidates, scores * _SHARPNESS), answerable)


_HEADLINE_PENALTY = 1.5
"""Logits taken from headlines and kickers, which the training data does not have."""


class TrainedReader:
    """The shipped reader: a network ranks the sentences, a judge tells whether any answers."""

    name = READER_NAME

    def __init__(self, ranker: Network, judge: Judge, lexicon: Lexicon, encoder: StaticEncoder | None) -> None:
        self._extractor = FeatureExtractor(lexicon, encoder)
        self._ranker = ranker
        self._judge = judge

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """See `Reader.read`."""
        candidates, features = self._extractor.extract(question, hits)
        if not candidates:
            return Reading((), 0.0)
        logits = rank_logits(self._ranker, features)
        verdict = self._judge.judge(question, self._judge.features(question, candidates, features, logits))
        return Reading(rank_sentences(candidates, logits), verdict.answerable, verdict.right)


def rank_logits(ranker: Network, features: Array) -> Array:
    """A logit for every sentence, `(n,)`."""
    logits: Array = ranker(features) - _HEADLINE_PENALTY * features[:, FEATURES.index("headline")]
    return logits


def load_reader(folder: Path | None = None) -> Reader:
    """The reader in `folder` (default: the shipped one), with the encoder that it was trained with.

    :raises ModelError: a file of the reader is missing, damaged or of another version.
    """
    folder = folder or MODELS_DIR / READER_NAME
    ranker = load_ranker(folder / "model.safetensors")
    lexicon = load_lexicon(folder / "lexicon.safetensors")
    encoder = load_own_encoder(folder)
    return TrainedReader(ranker, Judge.load(folder, lexicon, encoder), lexicon, encoder)


def load_own_encoder(folder: Path) -> StaticEncoder:
    """The encoder that compares words and sentences for the reader in `folder`.

    It is not the encoder of the index: what the reader learned about similarities holds for one table of vectors
    only, and the index may have any encoder.

    :raises ModelError: it is missing, damaged or no static model.
    """
    encoder = load_encoder(EncoderSettings(name=str(folder / ENCODER_FOLDER)))
    if not isinstance(encoder, StaticEncoder):
        raise ModelError(f"{encoder.name} is no static encoder, which the reader needs; restore {folder}")
    return encoder


def rank_sentences(candidates: Sequence[Candidate], scores: Array) -> tuple[ScoredSentence, ...]:
    """Candidates best first with the softmax of `scores` (logits) as shares; ties keep their order."""
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    return tuple(ScoredSentence(candidates[i], float(shares[i])) for i in order)
