"""The first fused passages, read again token by token.

One vector a passage says what it is about, BM25 counts words wherever they stand. Between the two lies late
interaction (Khattab and Zaharia, "ColBERT", SIGIR 2020): every token of the query looks for its nearest token of the
passage, here with the rows of the static encoder itself, so that translations and synonyms count too and
nothing has to be stored. The weights belong to one encoder and lie beside it in `reranker.json`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.encoder import StaticEncoder, Vectors
from rag.errors import ModelError
from rag.sentences import sentence_spans

RERANKER_FILE = "reranker.json"
RERANKED = 24
"""How many passages are read again."""

_SAME_WORD = 0.6
"""Cosine of two rows from which they count as the same word (a translation, a variant)."""

_EMPTY = 1e-6
"""Rows no longer than this say nothing."""

Floats = npt.NDArray[np.float64]
TokenIds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature counts for a passage in the language of the query."""

    fused: float
    """Score of the fusion."""
    likeness: float
    """Mean over the query's tokens of the cosine with the nearest token of the passage, in [-1, 1]."""
    coverage: float
    """Share of the query's tokens that the passage holds, in [0, 1]."""
    sentence_cosine: float
    """Cosine of the query with the nearest sentence."""
    sentence_likeness: float
    """As `likeness`, of the best sentence alone."""
    sentence_coverage: float
    """As `coverage`, of the best sentence alone."""
    pair_likeness: float
    """As `likeness`, of the best two adjacent sentences."""


FEATURES = len(dataclasses.fields(Weights))


class Reranker:
    """Orders the first passages of a fused list again."""

    def __init__(self, encoder: StaticEncoder, same: Weights, other: Weights, bonus: float) -> None:
        self._reader = TokenReader(encoder)
        self._weights = np.array([*dataclasses.astuple(same), *dataclasses.astuple(other), bonus])

    @classmethod
    def read(cls, encoder: StaticEncoder) -> Reranker | None:
        """With the weights that lie beside `encoder`, or None.

        :raises ModelError: the file is there but is not what `training/fusion` writes.
        """
        file = encoder.folder / RERANKER_FILE
        if not file.is_file():
            return None
        try:
            content = json.loads(file.read_text("utf-8"))
            same, other = (Weights(**{k: float(v) for k, v in content[part].items()}) for part in ("same", "other"))
            return cls(encoder, same, other, float(content["same_language"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{file} does not hold the weights of a reranker: {error!r}; restore or delete it"
            ) from error

    def scores(self, query: str, texts: Sequence[str], fused: Floats, same: npt.NDArray[np.bool_]) -> Floats:
        """float64 `(n,)`, higher is better, of the first `n` passages of the fusion.

        `fused` are their scores there, `same` says which are in the query's language.
        """
        found: Floats = design(self._reader.features(query, texts, fused), same) @ self._weights
        return found


class TokenReader:
    """Compares a query with passages token by token, by the rows of a static encoder.

    A query token weighs as much as its row is long, squared: its share of the query's vector with itself.
    """

    def __init__(self, encoder: StaticEncoder) -> None:
        self._encoder = encoder
        self._lengths = np.maximum(np.linalg.norm(encoder.table, axis=1), 1e-9)

    def features(self, query: str, texts: Sequence[str], fused: Floats) -> Floats:
        """float64 `(len(texts), FEATURES)`, in the order of `Weights`; all but `fused` zero without known tokens."""
        columns = np.zeros((len(texts), FEATURES))
        columns[:, 0] = fused
        tokens = np.unique(self._encoder.token_ids([query])[0])
        tokens = tokens[self._lengths[tokens] > _EMPTY]
        if not len(tokens):
            return columns
        weights = self._lengths[tokens] ** 2
        weights /= weights.sum()
        asked = self._encoder.table[tokens] / self._lengths[tokens, None]
        vector = self._encoder.encode_queries([query])[0]
        sentences = [[text[a:b] for a, b in sentence_spans(text)] for text in texts]
        ids = iter(self._encoder.token_ids([sentence for of in sentences for sentence in of]))
        for row, of in enumerate(sentences):
            read = [bag for bag in (next(ids) for _ in of) if len(bag)]
            if read:
                columns[row, 1:] = self._compare(asked, weights, vector, read)
        return columns

    def _compare(
        self, asked: Vectors, weights: Vectors, vector: Vectors, sentences: Sequence[npt.NDArray[np.int64]]
    ) -> Floats:
        """The features of one passage but the first."""
        ids = np.concatenate(sentences)
        lengths = [len(sentence) for sentence in sentences]
        starts = np.cumsum([0, *lengths[:-1]])
        inside = np.zeros((len(sentences), len(ids)), np.float32)
        inside[np.repeat(np.arange(len(sentences)), lengths), np.arange(len(ids))] = 1
        rows = self._encoder.table[ids]
        cosines = (rows @ asked.T) / self._lengths[ids, None]
        # (sentences, query tokens)
        nearest = np.maximum.reduceat(cosines, starts, axis=0)
        sums = inside @ rows  # several times as fast as np.add.reduceat
        direct = (sums @ vector) / np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
        pairs = np.maximum(nearest[:-1], nearest[1:]) if len(nearest) > 1 else nearest
        whole = nearest.max(axis=0)
        held = nearest > _SAME_WORD
        return np.array(
            [
                whole @ weights,
                (whole > _SAME_WORD) @ weights,
                direct.max(),
                (nearest @ weights).max(),
                (held @ weights).max(),
                (pairs @ weights).max(),
            ]
        )


def design(features: Floats, same: npt.NDArray[np.bool_]) -> Floats:
    """float64 `(n, 2 * FEATURES + 1)`: features of passages in the query's language, in the other, which it is."""
    here = same[:, None].astype(np.float64)
    return np.concatenate([features * here, features * (1 - here), here], axis=1)
