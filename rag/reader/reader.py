"""The reader: a question and passages -> how likely each passage answers, which span, which sentences are evidence.

A cross-encoder (multilingual-e5-small, fine-tuned; see `models/jinwen-reader`): question and passage go through the
network together. It runs on onnxruntime; torch is never imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rag.config import MODELS_DIR
from rag.errors import ModelError
from rag.passages import context_line
from rag.reader.weights import TOKENIZER_FILE, ReaderWeights, read_weights
from rag.sentences import sentence_spans
from rag.types import Hit

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

Array = npt.NDArray[Any]
Span = tuple[int, int]

READER_NAME: Final = "jinwen-reader"
MAX_TOKENS: Final = 320
"""Of question, context line and passage together; longer passages are cut at their end."""
LONGEST_SPAN: Final = 40
"""Tokens of an answer inside a sentence."""
_HEADS: Final = ("answer_", "span_", "sentence_")
BATCH: Final = 4
"""Passages read together; between batches the time is looked at."""


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """A sentence of a passage."""

    start: int
    end: int
    """Offsets into the article's text."""
    logit: float
    """Log-odds that it is evidence for an answer, as trained; `rag.answering.decision` calibrates them."""
    answer: Span
    """The likeliest short answer inside it, offsets into the article's text."""
    answer_logit: float
    """Log-odds of that answer against the passage having none."""


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What the reader makes of one passage."""

    hit: Hit
    logit: float
    """Log-odds that the passage answers."""
    sentences: tuple[SentenceReading, ...]
    """In their order; those beyond `MAX_TOKENS` are missing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one question."""

    passages: tuple[PassageReading, ...]
    """In the order of the hits."""
    unread: int = 0
    """Hits for which there was no time left."""


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return float(1 / (1 + np.exp(-np.clip(x, -60, 60))))


class Reader:
    """Reads passages for a question. Safe to use from several threads."""

    name: Final = READER_NAME

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """`threads`: as many as there are processors by default.

        :raises ModelError: a file of the reader is missing, damaged or of another version.
        """
        self.folder = folder
        self._threads = threads or os.cpu_count() or 1
        self.weights: ReaderWeights = read_weights(folder)
        heads = {name: values for name, values in self.weights.arrays.items() if name.startswith(_HEADS)}
        self._heads = {name: values.astype(np.float32) for name, values in heads.items()}

    def read(self, question: str, hits: Sequence[Hit], seconds: float | None = None) -> Reading:
        """Read `hits` in their order, as many as `seconds` allow (at least the first batch)."""
        started = time.monotonic()
        passages: list[PassageReading] = []
        for at in range(0, len(hits), BATCH):
            spent = time.monotonic() - started
            if at and seconds is not None and spent * (1 + BATCH / at) > seconds:
                break
            passages += self._read_batch(question, hits[at : at + BATCH])
        return Reading(tuple(passages), len(hits) - len(passages))

    def embed(self, text: str, beside: str | None = None) -> Array:
        """What the last layer makes of `text`, read alone or with another text `beside` it.

        float32: the state of `<s>` and the mean over `text`; beside another, its mean and the product of both too.
        """
        encoding = self._tokenizer.encode(text) if beside is None else self._tokenizer.encode(text, beside)
        hidden = self._hidden([encoding])[0]
        sequences = np.array([-1 if s is None else s for s in encoding.sequence_ids])
        first = _mean(hidden, sequences == 0)
        if beside is None:
            return np.concatenate([hidden[0], first])
        second = _mean(hidden, sequences == 1)
        return np.concatenate([hidden[0], first, second, first * second])

    def _read_batch(self, question: str, hits: Sequence[Hit]) -> list[PassageReading]:
        headers = [_header(hit) for hit in hits]
        texts = [header + hit.passage.text for header, hit in zip(headers, hits, strict=True)]
        encodings = [self._tokenizer.encode(question, text) for text in texts]
        hidden = self._hidden(encodings)
        return [
            self._passage(hit, encoding, states[: len(encoding.ids)], len(header) - hit.passage.start)
            for hit, encoding, states, header in zip(hits, encodings, hidden, headers, strict=True)
        ]

    def _hidden(self, encodings: Sequence[Encoding]) -> Array:
        length = max(len(encoding.ids) for encoding in encodings)
        ids = np.ones((len(encodings), length), np.int64)
        mask = np.zeros((len(encodings), length), np.int32)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        embedded = self.weights.rows(ids) + self.weights.arrays["positions"][:length].astype(np.float32)
        (hidden,) = self._session.run(None, {"embedded": embedded, "mask": mask})
        return hidden  # type: ignore[no-any-return]

    def _passage(self, hit: Hit, encoding: Encoding, hidden: Array, shift: int) -> PassageReading:
        """`shift` added to an offset into the article gives the offset into the text that was read."""
        inside = np.array([sequence == 1 for sequence in encoding.sequence_ids])
        first = int(inside.argmax())
        offsets = np.array(encoding.offsets)[inside]
        starts, ends = offsets[:, 0], offsets[:, 1]
        spans = sentence_spans(hit.article.text, hit.passage.start, hit.passage.end)
        places = [(span, *_tokens(starts, ends, span[0] + shift, span[1] + shift)) for span in spans]
        places = [(span, a, b) for span, a, b in places if b > a]
        logits = self._evidence(hidden, [(first + a, first + b) for _, a, b in places])
        scores = self._linear("span_score", hidden)
        none = float(scores[0].sum())
        sentences = []
        for (span, a, b), logit in zip(places, logits, strict=True):
            begin, last, score = _best_span(scores[first + a : first + b])
            found = max(int(starts[a + begin]) - shift, span[0]), min(int(ends[a + last]) - shift, span[1])
            answer = _trimmed(hit.article.text, *found) or span
            sentences.append(SentenceReading(*span, float(logit), answer, score - none))
        answers = self._linear("answer_score", np.tanh(self._linear("answer_dense", hidden[:1])))
        return PassageReading(hit, float(answers[0, 0]), tuple(sentences))

    def _evidence(self, hidden: Array, places: Sequence[Span]) -> Array:
        if not places:
            return np.zeros(0, np.float32)
        means = np.stack([hidden[a:b].mean(axis=0) for a, b in places])
        seen = np.concatenate([means, np.broadcast_to(hidden[0], means.shape)], axis=1)
        return self._linear("sentence_score", _gelu(self._linear("sentence_dense", seen)))[:, 0]

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self._heads[f"{name}.weight"].T + self._heads[f"{name}.bias"]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        path = self.folder / TOKENIZER_FILE
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} cannot be read ({error}); restore it from the distribution") from error
        # As in training; "only_second" fails on a question that is too long by itself.
        tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        from rag.reader.graph import build_session

        return build_session(self.weights.arrays, self.weights.heads, self._threads)


def load_reader(folder: Path | None = None) -> Reader:
    """The reader in `folder` (default: the shipped one).

    :raises ModelError: a file of the reader is missing, damaged or of another version.
    """
    return Reader(folder or MODELS_DIR / READER_NAME)


def _header(hit: Hit) -> str:
    """The context line of the article, unless the passage begins with the title itself."""
    lines = [line for line in context_line(hit.article).split("\n") if line and line not in hit.passage.text]
    return "".join(f"{line}\n" for line in lines)


def _tokens(starts: Array, ends: Array, a: int, b: int) -> Span:
    """The tokens that overlap characters `a` to `b`."""
    return int(np.searchsorted(ends, a, "right")), int(np.searchsorted(starts, b, "left"))


def _best_span(scores: Array) -> tuple[int, int, float]:
    """First and last row of the likeliest span of a sentence and its score; `scores` `(n, 2)`, `n` at least 1."""
    both = scores[:, :1] + scores[:, 1]
    rows, columns = np.indices(both.shape)
    both = np.where((columns < rows) | (columns - rows >= LONGEST_SPAN), -np.inf, both)
    first, last = np.unravel_index(int(both.argmax()), both.shape)
    return int(first), int(last), float(both[first, last])


def _trimmed(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _mean(hidden: Array, rows: Array) -> Array:
    return hidden[rows].mean(axis=0) if rows.any() else np.zeros(hidden.shape[1], hidden.dtype)


def _gelu(x: Array) -> Array:
    """The exact GELU, by an approximation of erf that is right to 1.5e-7 (Abramowitz and Stegun 7.1.26)."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return 0.5 * x * (1 + np.sign(x) * (1 - poly * np.exp(-z * z)))  # type: ignore[no-any-return]
