"""Small networks run by numpy, their files, and what a ranking looks like to the judge.

The ranker gives every sentence a logit; the judge (`rag.answering.judging`) tells whether any of them answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.answering.reader_features import FEATURES
from rag.errors import ModelError

Array = npt.NDArray[np.float32]

_TOP = (
    "cover", "cover_single", "cover_clause", "cover_title_union", "cover_window", "cover_passage", "cover_local",
    "cover_local_window", "cover_plain", "cover_article", "rare", "common_run", "worst_missing",
    "worst_missing_context", "numbers", "typed", "near", "unit", "near_unit", "near_local", "year_met", "year_other",
    "year_context", "ordinal_met", "ordinal_other", "length", "hit_rank", "hit_dense", "similar", "similar_clause",
    "similar_title", "similar_window", "soft_cover", "soft_clause", "soft_window", "soft_worst", "soft_asked",
    "attribute", "attribute_window", "attribute_article", "near_attribute", "soft_attribute", "soft_attribute_window",
    "question_length", "english", "has_unit", "enumerates",
)  # fmt: skip
_TYPES = tuple(name for name in FEATURES if name.startswith("type_"))
LIKELY_FEATURES: tuple[str, ...] = (
    *_TOP,
    *_TYPES,
    *(f"best_{name}" for name in _TOP[:20]),
    "top_share", "second_share", "entropy", "top_logit", "logit_above_mean",
)  # fmt: skip
_TOP_COLUMNS = [FEATURES.index(name) for name in (*_TOP, *_TYPES)]
_BEST_COLUMNS = [FEATURES.index(name) for name in _TOP[:20]]


def likely_features(features: Array, logits: Array) -> Array:
    """What a ranking looks like: float32 `(len(LIKELY_FEATURES),)`.

    The features of the best sentence, the best value of each anywhere in the hits, and how clearly the best
    sentence leads.
    """
    order = np.argsort(-logits, kind="stable")
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    ranked = shares[order]
    entropy = float(-(ranked * np.log(ranked + 1e-9)).sum())
    second = float(ranked[1]) if len(ranked) > 1 else 0.0
    top = float(logits[order[0]])
    lead = [float(ranked[0]), second, entropy, top, top - float(logits.mean())]
    best = features[:, _BEST_COLUMNS].max(axis=0)
    return np.concatenate([features[order[0]][_TOP_COLUMNS], best, np.array(lead, np.float32)]).astype(np.float32)


@dataclass(frozen=True)
class Network:
    """Standardised features -> one hidden layer of rectified units -> logit."""

    mean: Array
    spread: Array
    inner: Array
    inner_bias: Array
    outer: Array
    outer_bias: Array

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], prefix: str) -> Network:
        """The network stored under `prefix`."""
        names = ("mean", "spread", "inner.weight", "inner.bias", "outer.weight", "outer.bias")
        return cls(*(arrays[f"{prefix}.{name}"] for name in names))

    def __call__(self, features: Array) -> Array:
        """`(n, features)` -> logits `(n,)`."""
        standard = np.clip((features - self.mean) / self.spread, -5, 5)
        hidden = np.maximum(standard @ self.inner.T + self.inner_bias, 0)
        logits: Array = (hidden @ self.outer.T + self.outer_bias)[:, 0]
        return logits


def load_ranker(file: Path) -> Network:
    """The network that ranks sentences.

    :raises ModelError: the file cannot be read or was made for other features.
    """
    return Network.from_arrays(load_arrays(file, {"features": FEATURES}), "ranker")


def load_arrays(file: Path, expected: Mapping[str, Sequence[str]]) -> dict[str, Array]:
    """Arrays of a file whose metadata names the columns that are `expected`.

    :raises ModelError: the file cannot be read or was made for other features.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as stored:
            metadata = stored.metadata() or {}
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"reader {file} cannot be read: {error}; restore models/jinwen-reader or retrain it"
        ) from error
    for name, columns in expected.items():
        if not _same(metadata.get(name), columns):
            raise ModelError(f"reader {file} was trained on other features than this version has; retrain it")
    return arrays


def _same(stored: str | None, names: Sequence[str]) -> bool:
    return stored is not None and json.loads(stored) == list(names)
