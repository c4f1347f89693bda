"""Which English token means which Chinese one, and a start of training in which they already lie together.

Word pairs are worth the square of their Dice coefficient over sentence pairs (Dice 1945; as in Smadja, McKeown and
Hatzivassiloglou, Computational Linguistics 1996). A few seconds of linear algebra then put every English row where
its translations are, which hundreds of gradient steps reach only for frequent words.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from training.encoder.data import Spans

Floats = npt.NDArray[np.float32]

_LEAST_TOGETHER = 2
_MOSTLY_ELSEWHERE = 0.2
"""A token is of the near language when it occurs at most this often, relatively, on the far side."""


def lexicon(near: Spans, far: Spans, vocabulary: int) -> sp.csr_matrix:
    """Worth in [0, 1] of each (near token, far token), from sentences that translate each other.

    Tokens that both languages use (numbers, codes, Latin names) have an empty row: they need no translation.
    """
    left, right = _presence(near, vocabulary), _presence(far, vocabulary)
    in_near, in_far = np.asarray(left.sum(axis=0)).ravel(), np.asarray(right.sum(axis=0)).ravel()
    together = (left.T @ right).tocsr()
    together.data[together.data < _LEAST_TOGETHER] = 0
    together.eliminate_zeros()
    rows = np.repeat(np.arange(vocabulary), np.diff(together.indptr))
    dice = 2 * together.data / (in_near[rows] + in_far[together.indices])
    dice[in_far[rows] >= _MOSTLY_ELSEWHERE * in_near[rows]] = 0
    together.data = (dice**2).astype(np.float32)
    together.eliminate_zeros()
    return together


def aligned(table: Floats, worth: sp.csr_matrix, own: float) -> Floats:
    """`table` with the rows of near tokens turned towards their translations; lengths stay.

    `own` is the share of a row's own random direction, which keeps apart words that share a translation.
    """
    lengths = np.linalg.norm(table, axis=1, keepdims=True) + 1e-9
    directions = table / lengths
    towards = worth @ directions
    norms = np.linalg.norm(towards, axis=1, keepdims=True)
    mixed = towards / np.maximum(norms, 1e-12) + own * directions
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True) + 1e-9
    turned: Floats = np.where(norms > 0, mixed * lengths, table).astype(np.float32)
    return turned


def _presence(spans: Spans, vocabulary: int) -> sp.csr_matrix:
    shape = (len(spans), vocabulary)
    values = np.ones(len(spans.tokens), np.float32)
    matrix = sp.csr_matrix((values, spans.tokens, spans.starts), shape=shape, copy=True)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
