"""Texts -> passages as the index cuts them, and which passages retrieval would put beside a question."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rag.config import PassageSettings
from rag.encoder import Encoder
from rag.passages import split_article
from rag.sentences import sentence_spans
from rag.tokens import is_chinese, tokenize
from rag.types import Article
from training.reader.examples import Example, Span, folded

Array = npt.NDArray[Any]

SIZE = 350
"""Characters of a passage, as in `rag.config.PassageSettings`; English ones are trained on twice as many as well."""
_COMMON = 3_000
"""Tokens in more passages than this do not tell them apart."""
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a text, with what stands over it."""

    text: str
    start: int
    end: int
    header: str = ""
    """Title and date, as far as known."""

    @property
    def passage(self) -> str:
        """The span itself."""
        return self.text[self.start : self.end]

    @property
    def sentences(self) -> list[Span]:
        """Its sentences, as offsets into `text`."""
        return sentence_spans(self.text, self.start, self.end)


def windows(text: str, header: str = "") -> list[Window]:
    """`text` as the index cuts it."""
    passages = split_article(Article(id="", title="", text=text, file=""), PassageSettings())
    return [Window(text, p.start, p.end, header if p.start else "") for p in passages]


def window_around(text: str, span: Span, rng: random.Random, header: str = "") -> Window:
    """A run of whole sentences around `span`, the span anywhere in it, about as long as a passage."""
    room = int(
        SIZE * rng.uniform(0.6, 1.1) * (1 if is_chinese(text[span[0] - 200 if span[0] > 200 else 0 : span[1]]) else 2)
    )
    sentences = sentence_spans(text)
    first = next((i for i, (_, end) in enumerate(sentences) if end > span[0]), 0)
    last = next((i for i, (_, end) in enumerate(sentences) if end >= span[1]), len(sentences) - 1)
    last = max(first, last)
    while True:
        grown = []
        if first > 0 and sentences[last][1] - sentences[first - 1][0] <= room:
            grown.append((first - 1, last))
        if last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= room:
            grown.append((first, last + 1))
        if not grown:
            break
        first, last = rng.choice(grown)
    start, end = sentences[first][0], sentences[last][1]
    return Window(text, start, end, header if start else "")


class Pool:
    """Passages searched by vectors and by words, many questions at a time."""

    def __init__(self, passages: Sequence[Window], encoder: Encoder) -> None:
        self.passages = list(passages)
        self._encoder = encoder

    @cached_property
    def _vectors(self) -> Array:
        return self._encoder.encode_passages([f"{w.header}\n{w.passage}" for w in self.passages])

    @cached_property
    def _words(self) -> tuple[dict[str, int], sparse.csc_matrix]:
        ids: dict[str, int] = {}
        counts = [Counter(tokenize(w.passage)) for w in self.passages]
        rows, columns, values = [], [], []
        mean = np.mean([sum(c.values()) for c in counts])
        for row, count in enumerate(counts):
            norm = 1.2 * (0.25 + 0.75 * sum(count.values()) / mean)
            for token, n in count.items():
                rows.append(row)
                columns.append(ids.setdefault(token, len(ids)))
                values.append(n * 2.2 / (n + norm))
        matrix = sparse.csc_matrix((values, (rows, columns)), (len(counts), len(ids)), dtype=np.float32)
        frequency = np.diff(matrix.indptr)
        weights = np.log(1 + (len(counts) - frequency + 0.5) / (frequency + 0.5))
        weights[frequency > _COMMON] = 0
        matrix = matrix @ sparse.diags(weights.astype(np.float32))
        matrix.eliminate_zeros()
        return ids, matrix

    def search(self, questions: Sequence[str], k: int) -> Iterator[list[int]]:
        """For each question the passages that the words or the vectors put among their first `k`, in turn."""
        ids, matrix = self._words
        for at in range(0, len(questions), _BLOCK):
            block = questions[at : at + _BLOCK]
            dense = self._encoder.encode_queries(list(block)) @ self._vectors.T
            rows, columns = [], []
            for row, question in enumerate(block):
                known = {ids[t] for t in tokenize(question) if t in ids}
                rows += [row] * len(known)
                columns += sorted(known)
            asked = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(block), len(ids)))
            lexical = (asked @ matrix.T).tocsr()
            for row in range(len(block)):
                by_vector = np.argpartition(-dense[row], k)[:k]
                by_vector = by_vector[np.argsort(-dense[row][by_vector])]
                begin, end = lexical.indptr[row], lexical.indptr[row + 1]
                best = np.argsort(-lexical.data[begin:end])[:k]
                by_word = lexical.indices[begin:end][best]
                both = [int(i) for pair in zip(by_vector, by_word, strict=False) for i in pair]
                yield list(dict.fromkeys([*both, *map(int, by_vector)]))


def rivals(example: Example, found: Sequence[Window], most: int = 5) -> list[Window]:
    """The first `most` of the passages `found` that cannot answer: of another text, and without the answer's words."""
    answers = [folded(text) for text in example.answer_texts]
    kept: list[Window] = []
    for window in found:
        if len(kept) == most:
            break
        if window.text != example.text and not any(len(a) > 1 and a in _folded(window) for a in answers):
            kept.append(window)
    return kept


@lru_cache(maxsize=100_000)
def _folded(window: Window) -> str:
    return folded(window.passage)
