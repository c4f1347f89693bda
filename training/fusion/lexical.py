"""The lexical leg over texts in memory, all scores at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from rag.tokens import tokenize

Floats = npt.NDArray[np.float32]


class Lexical:
    """BM25 (k1 1.2, b 0.75) over the tokens of the lexical leg, as one sparse matrix."""

    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        bags = [tokenize(text) for text in texts]
        self._number: dict[str, int] = {}
        ids = [[self._number.setdefault(token, len(self._number)) for token in bag] for bag in bags]
        counts = _counts(ids, len(self._number))
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = np.log1p((len(texts) - frequency + 0.5) / (frequency + 0.5))
        rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        norm = k1 * (1 - b + b * lengths / lengths.mean())
        counts.data = idf[counts.indices] * counts.data * (k1 + 1) / (counts.data + norm[rows])
        self._weights = counts.T.tocsr()
        self._idf, self._unknown, self._k1 = idf, float(np.log1p((len(texts) + 0.5) / 0.5)), k1

    def weighted(self, tokens: Mapping[str, float]) -> Floats:
        """float32 `(len(texts),)`: scores of a query of `tokens`, each with the weight of its part."""
        known = {self._number[token]: weight for token, weight in tokens.items() if token in self._number}
        query = sp.csr_matrix((list(known.values()), ([0] * len(known), list(known))), (1, len(self._number)))
        total: Floats = (query @ self._weights).toarray()[0].astype(np.float32)
        return total

    def most(self, query: str) -> float:
        """More than any text can score for `query`: every token of it, as often as you like."""
        numbers = [self._number.get(token) for token in tokenize(query)]
        return (self._k1 + 1) * sum(self._unknown if n is None else float(self._idf[n]) for n in numbers)


def _counts(ids: Sequence[Sequence[int]], width: int) -> sp.csr_matrix:
    starts = np.cumsum([0, *map(len, ids)])
    flat = np.array([i for row in ids for i in row], dtype=np.int64)
    matrix = sp.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(ids), width))
    matrix.sum_duplicates()
    return matrix
