"""How alike a question and sentences are by the token vectors of the shipped encoder.

Besides the cosine of whole texts there is soft alignment: every word of the question is compared with every word
of a sentence, so that 车 meets 巴士 and "reservoir" meets 水库.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.answering.question_type import QuestionProfile
from rag.encoder import StaticEncoder
from rag.sentences import clause_spans

Matrix = npt.NDArray[np.float32]
Span = tuple[int, int]

SIMILARITIES = (
    "similar", "similar_clause", "similar_title", "similar_window", "soft_cover", "soft_clause", "soft_window",
    "soft_worst", "soft_asked", "soft_attribute", "soft_attribute_window",
)  # fmt: skip
"""Columns of `similarities`, in order."""

_ASKING_WORDS = frozenset(
    ["谁", "什么", "啥", "哪", "哪个", "哪些", "哪几", "哪家", "多少", "几", "何", "何时", "吗", "呢", "是", "的"]
    + ["who", "what", "which", "when", "where", "how", "many", "much", "is", "was", "are", "were", "did", "does", "the"]
)
_BREAK = re.compile(r"[,，.。;；:：?？!！、]")


@dataclass(frozen=True, slots=True)
class SentenceText:
    """What is compared of one candidate."""

    text: str
    title: str
    previous: int | None
    """Number of the sentence before it among the candidates."""
    next: int | None


@dataclass(frozen=True, slots=True)
class _Tokens:
    vectors: Matrix
    """float32 `(n, dim)`, as long as they weigh."""
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


def similarities(question: QuestionProfile, sentences: Sequence[SentenceText], encoder: StaticEncoder) -> Matrix:
    """float32 `(len(sentences), len(SIMILARITIES))`, all in [-1, 1]."""
    titles = list(dict.fromkeys(s.title for s in sentences))
    asked, *rest = _tokenize([question.text, *titles, *(s.text for s in sentences)], encoder)
    of_title = dict(zip(titles, rest, strict=False))
    tokens = rest[len(titles) :]
    query = _unit(asked.vectors.sum(axis=0))
    weights = np.linalg.norm(asked.vectors, axis=1)
    content = _content(asked, question) * weights
    head = _head(asked, question) * weights
    attribute = _within(asked, question.attribute) * _content(asked, question) * weights
    heavy = np.argsort(-content)[:3]
    unit = _unit(asked.vectors)
    title_cosines = {title: unit @ _unit(t.vectors).T for title, t in of_title.items()}
    cosines = [unit @ _unit(t.vectors).T for t in tokens]
    best = [_best(c) for c in cosines]
    sums = [t.vectors.sum(axis=0) for t in tokens]
    rows: list[list[float]] = []
    for i, sentence in enumerate(sentences):
        around = [best[k] for k in (sentence.previous, sentence.next) if k is not None]
        window = np.maximum.reduce([best[i], _best(title_cosines[sentence.title]), *around])
        with_previous = sums[i] if sentence.previous is None else sums[i] + sums[sentence.previous]
        clause_similar, clause_soft = _clauses(query, content, tokens[i], cosines[i], sentence.text)
        rows.append(
            [
                _cosine(query, sums[i]),
                clause_similar,
                _cosine(query, of_title[sentence.title].vectors.sum(axis=0)),
                _cosine(query, with_previous),
                _share(best[i], content),
                clause_soft,
                _share(window, content),
                float(best[i][heavy].min()) if len(heavy) else 0.0,
                _share(best[i], head),
                _share(best[i], attribute),
                _share(window, attribute),
            ]
        )
    return np.array(rows, np.float32).reshape(len(sentences), len(SIMILARITIES))


def _tokenize(texts: Sequence[str], encoder: StaticEncoder) -> list[_Tokens]:
    encodings = encoder.tokenizer.encode_batch(list(texts), add_special_tokens=False)
    found = []
    for encoding in encodings:
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        found.append(_Tokens(encoder.table[np.array(encoding.ids, dtype=np.int64)], offsets[:, 0], offsets[:, 1]))
    return found


def _clauses(query: Matrix, content: Matrix, tokens: _Tokens, cosines: Matrix, text: str) -> tuple[float, float]:
    """Best cosine and best soft coverage of two neighbouring clauses."""
    clauses = clause_spans(text)
    cosine = soft = -1.0
    for k, (start, _) in enumerate(clauses):
        end = clauses[min(k + 1, len(clauses) - 1)][1]
        first, last = np.searchsorted(tokens.starts, (start, end))
        cosine = max(cosine, _cosine(query, tokens.vectors[first:last].sum(axis=0)))
        soft = max(soft, _share(_best(cosines[:, first:last]), content))
    return cosine, soft


def _best(cosines: Matrix) -> Matrix:
    """For each token of the question (row) the highest cosine with any token of a text, at least 0."""
    best: Matrix = cosines.max(axis=1, initial=0.0)
    return best


def _content(asked: _Tokens, question: QuestionProfile) -> Matrix:
    """1 for the tokens of the question that do not ask."""
    asks: Matrix = 1.0 - _within(asked, question.asking)
    return asks


def _within(asked: _Tokens, spans: Sequence[Span]) -> Matrix:
    """1 for the tokens inside one of `spans`."""
    inside = np.zeros(len(asked.starts), bool)
    for start, end in spans:
        inside |= (asked.starts >= start) & (asked.ends <= end)
    return inside.astype(np.float32)


def _head(asked: _Tokens, question: QuestionProfile) -> Matrix:
    """1 for the tokens that say what is asked for: what car, which reservoir."""
    head = np.zeros(len(asked.starts), bool)
    reach = 4 if question.language == "zh" else 16
    for start, end in question.asking:
        stop = _BREAK.search(question.text, end)
        last = min(end + reach, stop.start() if stop else len(question.text))
        head |= (asked.starts >= start) & (asked.ends <= last)
    words = [question.text[a:b] for a, b in zip(asked.starts, asked.ends, strict=True)]
    return np.array([h and w not in _ASKING_WORDS for h, w in zip(head, words, strict=True)], np.float32)


def _unit(vectors: Matrix) -> Matrix:
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Matrix = vectors / np.maximum(norm, 1e-9)
    return unit


def _cosine(query: Matrix, vector: Matrix) -> float:
    length = float(vector @ vector) ** 0.5
    return float(query @ vector) / length if length > 1e-9 else 0.0


def _share(values: Matrix, weights: Matrix) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total else 0.0
