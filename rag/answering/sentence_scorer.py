"""Reads a question and windows of text word by word: which sentence answers, or none.

The network is described where it is trained (`training.reader.scorer_network`); here numpy runs it. All windows lie in
one long row of tokens with gaps between them, as wide as the widest convolution reaches.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rag.answering.reader_model import load_arrays
from rag.encoder import StaticEncoder

Array = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

SCORER_FILE: Final = "scorer.safetensors"
LONGEST_QUESTION: Final = 36
LONGEST_TITLE: Final = 16
"""Tokens that are read of a question and of a title."""
SAME_WORD: Final = 0.5
"""Cosine of two rows from which they count as the same word."""
_ABSENT: Final = -1e4
_LOWEST_EVIDENCE: Final = -20.0
_GAP: Final = 8
_DILATIONS: Final = {"question_blocks": (1, 1), "early": (1, 2), "late": (1, 3)}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of an article."""

    title: str
    sentences: tuple[str, ...]
    rank: int
    """1-based rank of the hit that it belongs to."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits of one softmax over all sentences and "none of them"."""

    sentences: tuple[Array, ...]
    """One array per window, aligned with its sentences; a sentence without tokens has a very low one."""
    none: float


class SentenceScorer:
    """Scores the sentences of windows for a question. Safe to use from several threads."""

    def __init__(self, encoder: StaticEncoder, arrays: Mapping[str, Array]) -> None:
        """`arrays`: the parameters of the network by name, for the rows of `encoder`."""
        self._encoder = encoder
        self._arrays = {name: np.asarray(values, np.float32) for name, values in arrays.items() if name != "free_row"}
        self._free_row = arrays["free_row"].astype(np.int64)

    @classmethod
    def load(cls, folder: Path, encoder: StaticEncoder) -> SentenceScorer:
        """The scorer in `folder`.

        :raises ModelError: the file is missing or damaged, or belongs to another encoder than `encoder`.
        """
        return cls(encoder, load_arrays(folder / SCORER_FILE, {"encoder": [encoder.fingerprint]}))

    def score(self, question: str, windows: Sequence[Window]) -> Scores:
        """A logit for every sentence of every window, and one for none of them."""
        (asked,) = self._encoder.token_ids([question])
        asked = asked[:LONGEST_QUESTION]
        if not len(asked):
            return Scores(tuple(np.zeros(len(w.sentences), np.float32) for w in windows), 0.0)
        row = self._lay_out(windows)
        return self._run(asked, row, windows)

    def _lay_out(self, windows: Sequence[Window]) -> _Row:
        """The tokens of all windows in one row."""
        texts = [text for window in windows for text in (window.title, *window.sentences)]
        tokens = iter(self._encoder.token_ids(texts))
        pieces: list[Ids] = [np.full(_GAP, -1)]
        at, spans, titles = _GAP, [], []
        for window in windows:
            title = next(tokens)[:LONGEST_TITLE]
            pieces.append(title)
            titles.append((at, at + len(title)))
            at += len(title)
            for _ in window.sentences:
                piece = next(tokens)
                pieces.append(piece)
                spans.append((at, at + len(piece)))
                at += len(piece)
            pieces.append(np.full(_GAP, -1))
            at += _GAP
        owner = np.repeat(np.arange(len(windows)), [len(w.sentences) for w in windows])
        return _Row(np.concatenate(pieces), np.array(spans), np.array(titles), owner)

    def _run(self, asked: Ids, row: _Row, windows: Sequence[Window]) -> Scores:
        weight, unit, projected = self._rows(asked)
        q = projected + self._arrays["position.weight"][: len(asked)]
        q_row = q
        for i, dilation in enumerate(_DILATIONS["question_blocks"]):
            q = self._block(f"question_blocks.{i}", q, dilation, None)
        summary = _softmax(self._dense("question_pool", q)[:, 0]) @ q
        known = np.maximum(row.tokens, 0)
        t_weight, t_unit, t_row = self._rows(known)
        cosine = t_unit @ unit.T
        scale = np.float32(1 / math.sqrt(q.shape[1]))
        aligned = _rectified(self._dense("align", t_row)) @ _rectified(self._dense("align", q_row)).T
        looked = _softmax(aligned * scale + self._arrays["likeness"] * cosine) @ q
        marks = _marks(asked, row, cosine, weight, t_weight)
        x = _rectified(self._dense("inward", np.concatenate([t_row, looked, t_row * looked, marks], 1)))
        for i, dilation in enumerate(_DILATIONS["early"]):
            x = self._block(f"early.{i}", x, dilation, row.there)
        again = _softmax(x @ self._dense("look", q).T * scale) @ q
        x = x + self._dense("merge", np.concatenate([x, again, x * again], 1))
        for i, dilation in enumerate(_DILATIONS["late"]):
            x = self._block(f"late.{i}", x, dilation, row.there)
        matched = _unit(self._dense("match_text", x)) @ _unit(self._dense("match_question", q)).T
        terms = _shares(np.logaddexp(0, self._dense("term_weight", q)[:, 0]))
        plain = _shares(np.exp(weight))
        by_cosine = row.best(cosine)
        covers = [*_covers(by_cosine, terms, row.owner), *_covers(row.best(matched), terms, row.owner)]
        own_plain, _, window_plain, _ = _covers(by_cosine, plain, row.owner)
        evidence, pooled = row.pool(x @ self._dense("attend", summary[None])[0] * scale, x)
        ranks = np.array([window.rank for window in windows], np.float32)[row.owner]
        figures = np.stack(
            [evidence / 5, *covers, own_plain, window_plain, np.log1p(row.lengths) / 5, 1 / ranks], axis=1
        ).astype(np.float32)
        seen = np.concatenate([pooled, pooled * summary, figures], 1)
        hidden = self._dense("hidden", seen) + self._dense("hidden_question", summary[None])
        logits = np.where(row.lengths > 0, self._dense("outer", _rectified(hidden))[:, 0], np.float32(_ABSENT))
        cuts = np.cumsum([len(w.sentences) for w in windows])[:-1]
        return Scores(tuple(np.split(logits, cuts)), float(self._dense("none", summary[None])[0, 0]))

    @cached_property
    def _weights(self) -> Array:
        """How rare each token of the encoder is, standardised: the length of its row tells."""
        logs = np.log(np.linalg.norm(self._encoder.table, axis=1) + 1e-3)
        weights: Array = (logs - logs.mean()) / max(float(logs.std(ddof=1)), 1e-6)
        return weights

    def _rows(self, ids: Ids) -> tuple[Array, Array, Array]:
        """Weights `(n,)`, unit rows `(n, dim)` and projected rows `(n, width)` of tokens."""
        distinct, place = np.unique(ids, return_inverse=True)
        rows = self._encoder.table[distinct]
        unit = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)
        projected = unit @ self._arrays["project.weight"].T
        free = self._free_row[distinct]
        projected[free > 0] += self._arrays["free.weight"][free[free > 0]]
        return self._weights[ids], unit[place], projected[place]

    def _dense(self, name: str, x: Array) -> Array:
        y: Array = x @ self._arrays[f"{name}.weight"].T
        bias = self._arrays.get(f"{name}.bias")
        return y if bias is None else y + bias

    def _block(self, name: str, x: Array, dilation: int, there: Array | None) -> Array:
        """One block over a row of tokens `(n, width)`; what is not `there` `(n, 1)` reads as zero."""
        taps = self._arrays[f"{name}.conv.weight"][:, 0, :]
        reach = dilation * (taps.shape[1] // 2)
        padded = np.pad(x if there is None else x * there, ((reach, reach), (0, 0)))
        read = self._arrays[f"{name}.conv.bias"] + sum(
            padded[i * dilation : i * dilation + len(x)] * taps[:, i] for i in range(taps.shape[1])
        )
        read = read - read.mean(1, keepdims=True)
        read /= np.sqrt((read * read).mean(1, keepdims=True) + 1e-5)
        read = read * self._arrays[f"{name}.norm.weight"] + self._arrays[f"{name}.norm.bias"]
        return x + self._dense(f"{name}.down", _rectified(self._dense(f"{name}.up", read)))


@dataclass(frozen=True)
class _Row:
    """All windows in one row of tokens."""

    tokens: Ids
    """-1 between windows."""
    spans: Ids
    """Start and end of every sentence, `(sentences, 2)`."""
    titles: Ids
    """The same of the title of every window."""
    owner: Ids
    """Window of every sentence."""

    @cached_property
    def there(self) -> Array:
        """1 for tokens, 0 between windows, `(n, 1)`."""
        return (self.tokens >= 0).astype(np.float32)[:, None]

    @cached_property
    def lengths(self) -> Array:
        """Tokens of every sentence."""
        lengths: Array = (self.spans[:, 1] - self.spans[:, 0]).astype(np.float32)
        return lengths

    def best(self, matched: Array) -> tuple[Array, Array]:
        """The best match of each token of the question in every sentence, and in the title of its window; >= 0."""
        titles = _reduced(np.maximum, matched, self.titles, 0.0)
        return np.maximum(_reduced(np.maximum, matched, self.spans, 0.0), 0), np.maximum(titles, 0)[self.owner]

    def pool(self, scores: Array, x: Array) -> tuple[Array, Array]:
        """Evidence (log of a sum of exponentials) and attention-pooled tokens of every sentence."""
        top = _reduced(np.maximum, scores[:, None], self.spans, _ABSENT)
        highest = np.full((len(scores), 1), _ABSENT, np.float32)
        for (start, end), value in zip(self.spans, top, strict=True):
            highest[start:end] = value
        parts = np.exp(np.minimum(scores[:, None] - highest, 0))
        total = _reduced(np.add, parts, self.spans, 0.0)
        pooled = _reduced(np.add, parts * x, self.spans, 0.0) / (total + 1e-6)
        return np.maximum(top + np.log(total + 1e-6), _LOWEST_EVIDENCE)[:, 0], pooled


def _reduced(reduce: np.ufunc, values: Array, spans: Ids, empty: float) -> Array:
    """`values` `(n, width)` reduced over each span, `(len(spans), width)`; `empty` for spans without a token."""
    result = np.full((len(spans), values.shape[1]), empty, np.float32)
    filled = spans[:, 1] > spans[:, 0]
    if filled.any():
        # Every second stretch lies between two spans and is thrown away.
        result[filled] = reduce.reduceat(values, spans[filled].ravel(), axis=0)[::2]
    return result


def _marks(asked: Ids, row: _Row, cosine: Array, weight: Array, t_weight: Array) -> Array:
    where = cosine.argmax(1)
    best = cosine[np.arange(len(where)), where]
    same = np.isin(row.tokens, asked).astype(np.float32)
    title = np.zeros(len(where), np.float32)
    for start, end in row.titles:
        title[start:end] = 1
    return np.stack(
        [best, same, t_weight, weight[where] * best, title, same * t_weight, (best > SAME_WORD).astype(np.float32)], 1
    )


def _covers(best: tuple[Array, Array], terms: Array, owner: Ids) -> list[Array]:
    """Share of the question that the sentence, with title, with neighbours as well, and the whole window hold."""
    own, title = best
    titled = np.maximum(own, title)
    around = titled.copy()
    together = owner[1:] == owner[:-1]
    around[1:][together] = np.maximum(around[1:], own[:-1])[together]
    around[:-1][together] = np.maximum(around[:-1], own[1:])[together]
    starts = np.flatnonzero(np.concatenate([[True], ~together]))
    whole = np.maximum.reduceat(own, starts, axis=0)[np.cumsum(np.concatenate([[0], ~together]))]
    return [held @ terms for held in (own, titled, around, whole)]


def _rectified(x: Array) -> Array:
    return np.maximum(x, 0)


def _softmax(x: Array) -> Array:
    parts = np.exp(x - x.max(-1, keepdims=True))
    shares: Array = parts / parts.sum(-1, keepdims=True)
    return shares


def _shares(weights: Array) -> Array:
    shares: Array = (weights / (weights.sum() + 1e-6)).astype(np.float32)
    return shares


def _unit(x: Array) -> Array:
    rows: Array = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)
    return rows


def metadata_of(encoder: StaticEncoder) -> dict[str, str]:
    """What the file of a scorer says of the encoder that it was trained with."""
    return {"encoder": json.dumps([encoder.fingerprint])}
