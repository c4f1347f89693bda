"""Groups -> tensors: question and passage as one sequence, with the tokens that are right."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from training.reader.groups import Group, Read

MAX_QUESTION = 64
"""In characters of Chinese, four times as many of other scripts; a question is cut there."""
MAX_TOKENS = 320
BATCH_TOKENS = 2_600
"""Padded tokens that go through the network at once: more do not fit the caches of two cores."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with one passage, as token ids."""

    ids: list[int]
    sentences: list[tuple[int, int]]
    """Token ranges of the passage's sentences."""
    evidence: list[bool]
    starts: list[int]
    """Tokens at which an answer may begin; `[0]` where the passage does not answer."""
    ends: list[int]
    answers: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of whole groups, padded; `n` sequences, `m` sentences."""

    ids: Tensor
    """int64 `(n, length)`."""
    mask: Tensor
    """bool `(n, length)`."""
    answers: Tensor
    """float32 `(n,)`."""
    spans: Tensor
    """bool `(n, length, 2)`: where a right answer starts and ends."""
    rows: Tensor
    """int64 `(m,)`: the sequence of each sentence."""
    starts: Tensor
    ends: Tensor
    """int64 `(m,)`: its tokens."""
    evidence: Tensor
    """float32 `(m,)`."""
    groups: Tensor
    """int64 `(n,)`: the group of each sequence, counted from 0."""

    @property
    def tokens(self) -> int:
        """Tokens without padding."""
        return int(self.mask.sum())


def encode(tokenizer: Tokenizer, question: str, read: Read) -> Pair:
    """`question` and the passage of `read` as one sequence."""
    window = read.window
    header = f"{window.header}\n" if window.header else ""
    encoding = tokenizer.encode(question, header + window.passage)
    shift = len(header) - window.start
    first, starts, ends = _second(encoding)
    sentences, evidence = [], []
    for a, b in window.sentences:
        begin, stop = _tokens(starts, ends, a + shift, b + shift)
        if stop > begin:
            sentences.append((first + begin, first + stop))
            evidence.append(any(a < d and c < b for c, d in read.answers))
    spans = [_tokens(starts, ends, a + shift, b + shift) for a, b in read.answers]
    spans = [(a, b) for a, b in spans if b > a]
    return Pair(
        encoding.ids,
        sentences,
        evidence,
        [first + a for a, _ in spans] or [0],
        [first + b - 1 for _, b in spans] or [0],
        bool(spans),
    )


def _second(encoding: Encoding) -> tuple[int, np.ndarray, np.ndarray]:
    """Where the passage begins, and the offsets of its tokens."""
    inside = [i for i, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
    if not inside:
        return len(encoding.ids), np.zeros(0), np.zeros(0)
    offsets = np.array(encoding.offsets)[inside[0] : inside[-1] + 1]
    return inside[0], offsets[:, 0], offsets[:, 1]


def _tokens(starts: np.ndarray, ends: np.ndarray, a: int, b: int) -> tuple[int, int]:
    """The tokens that overlap characters `a` to `b`."""
    return int(np.searchsorted(ends, a, "right")), int(np.searchsorted(starts, b, "left"))


def make_batches(
    tokenizer: Tokenizer, groups: Sequence[Group], rng: random.Random, most: int = BATCH_TOKENS
) -> Iterator[Batch]:
    """Batches of groups of like length, in random order."""
    encoded = [[encode(tokenizer, g.question, read) for read in g.reads] for g in groups]
    encoded.sort(key=lambda group: max(len(s.ids) for s in group))
    packed: list[list[list[Pair]]] = [[]]
    for group in encoded:
        longest = max(len(s.ids) for s in group)
        count = sum(len(g) for g in packed[-1]) + len(group)
        if packed[-1] and longest * count > most:
            packed.append([])
        packed[-1].append(group)
    rng.shuffle(packed)
    yield from map(_batch, packed)


def _batch(groups: Sequence[Sequence[Pair]]) -> Batch:
    sequences = [s for group in groups for s in group]
    length = max(len(s.ids) for s in sequences)
    ids = torch.ones((len(sequences), length), dtype=torch.int64)
    mask = torch.zeros((len(sequences), length), dtype=torch.bool)
    spans = torch.zeros((len(sequences), length, 2), dtype=torch.bool)
    for i, s in enumerate(sequences):
        ids[i, : len(s.ids)] = torch.tensor(s.ids)
        mask[i, : len(s.ids)] = True
        spans[i, s.starts, 0] = True
        spans[i, s.ends, 1] = True
    places = [(i, a, b) for i, s in enumerate(sequences) for a, b in s.sentences]
    rows, starts, ends = torch.tensor(places, dtype=torch.int64).reshape(-1, 3).unbind(1)
    return Batch(
        ids,
        mask,
        torch.tensor([float(s.answers) for s in sequences]),
        spans,
        rows,
        starts,
        ends,
        torch.tensor([float(e) for s in sequences for e in s.evidence]),
        torch.tensor([g for g, group in enumerate(groups) for _ in group]),
    )
