"""The table that is trained: sums of token vectors, scaled to length one, and the contrastive loss."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch.nn import functional

from training.encoder.batches import Bags, Batch

warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")

Floats = npt.NDArray[np.float32]

_RAREST = 1_000


class _BagSum(torch.autograd.Function):
    """Sum of the rows of a table for each bag.

    Same values as `embedding_bag(mode="sum")`; its backward pass is a sparse product, three times as fast.
    """

    @staticmethod
    def forward(ctx: Any, table: torch.Tensor, counts: sp.csr_matrix) -> torch.Tensor:
        ctx.counts = counts
        ids = torch.from_numpy(counts.indices.astype(np.int64))
        offsets = torch.from_numpy(counts.indptr[:-1].astype(np.int64))
        weights = torch.from_numpy(counts.data)
        return functional.embedding_bag(ids, table, offsets, mode="sum", per_sample_weights=weights)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (grad,) = grads
        transposed = ctx.counts.T.tocsr()
        matrix = torch.sparse_csr_tensor(
            torch.from_numpy(transposed.indptr.astype(np.int64)),
            torch.from_numpy(transposed.indices.astype(np.int64)),
            torch.from_numpy(transposed.data),
            transposed.shape,
            check_invariants=False,
        )
        return matrix @ grad.contiguous(), None


def weights(bags: Bags, vocabulary: int) -> sp.csr_matrix:
    """How much each token of each bag counts, float32 `(len(bags), vocabulary)`: 1 + ln(occurrences).

    Where every occurrence counts in full, the frequent words of a passage drown what a question asks for.
    """
    ones = np.ones(len(bags.tokens), np.float32)
    counts = sp.csr_matrix((ones, bags.tokens, bags.starts), shape=(len(bags), vocabulary), copy=True)
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    return counts


def embed(table: torch.Tensor, bags: Bags) -> torch.Tensor:
    """Unit rows `(len(bags), dim)`."""
    return functional.normalize(_BagSum.apply(table, weights(bags, len(table))), dim=1)  # type: ignore[no-untyped-call]


def loss(table: torch.Tensor, batch: Batch, temperature: float) -> torch.Tensor:
    """InfoNCE in both directions (van den Oord, Li and Vinyals 2018; symmetric as in CLIP, 2021)."""
    left, right = embed(table, batch.left), embed(table, batch.right)
    logits = left @ right.T / temperature
    logits[torch.from_numpy(batch.same[0]), torch.from_numpy(batch.same[1])] = -torch.inf
    target = torch.arange(len(left))
    there = functional.cross_entropy(logits, target)
    back = functional.cross_entropy(logits[:, : len(left)].T, target)
    return (there + back) / 2


def initial_table(bags: list[Bags], vocabulary: int, dim: int, seed: int) -> Floats:
    """Random directions, each as long as the root of its token's inverse document frequency.

    The product of two such rows then weighs a shared token by its idf: a random projection of tf-idf.

    Each group of `bags` is a language; what counts is the language in which a token is commonest. Tokens in fewer
    than one of a thousand documents all get the same length, or unknown names would drown what is known.
    """
    share = np.full(vocabulary, 1.0 / _RAREST)
    for group in bags:
        rows = np.repeat(np.arange(len(group)), np.diff(group.starts))
        seen = np.unique(rows * vocabulary + group.tokens) % vocabulary
        share = np.maximum(share, np.bincount(seen, minlength=vocabulary) / (len(group) + 1))
    lengths = np.sqrt(-np.log(share))
    lengths /= lengths.mean()
    lengths[0] = 0.0
    directions = np.random.default_rng(seed).standard_normal((vocabulary, dim), dtype=np.float32)
    table: Floats = directions * lengths[:, None].astype(np.float32)
    return table
