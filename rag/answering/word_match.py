"""Which words of a question the articles hold: in the best sentence, around it, in its article, anywhere in the hits.

A near miss shares most words with the question and lacks one that matters: another name, another year, the very
attribute that is asked for. So words are looked up one by one, literally (an English word also in its Chinese
readings) and by the vectors of the shipped encoder, which forgive another wording, and what is missing is told
by the weight of the words that are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rag.answering.question_type import AnswerType, QuestionProfile
from rag.answering.reader_features import Candidate
from rag.answering.reader_matching import QueryTerm, TextIndex, find_term, query_terms
from rag.answering.reader_spans import typed_spans
from rag.encoder import StaticEncoder
from rag.lexicon import Lexicon, is_stopword
from rag.types import Article

Array = npt.NDArray[np.float32]
Span = tuple[int, int]

_PLACES: Final = ("sentence", "window", "article", "hits")
_KINDS: Final = ("any", "attribute", "focus", "name", "figure")
WORD_FEATURES: tuple[str, ...] = (
    *(
        f"{kind}_{measure}_{place}"
        for place in _PLACES
        for kind in _KINDS
        for measure in ("literal", "alike", "missing")
    ),
    *(f"second_missing_{place}" for place in _PLACES),
    *(f"has_{kind}" for kind in _KINDS),
    "words",
)
"""Columns of `WordMatcher.features`, in order: shares of the words found, and the heaviest word that is missing."""

_FUNCTION = frozenset(
    "的了是在和与及或为被于由对从向把让给以等个这那其之里后前时有没不也都还就会能可将曾所着过又并而但它他她们你我您到说要用做"
)
_COMMON_WEIGHT: Final = 2.0
"""Taken from every weight: words this frequent tell nothing."""
_WEIGHT_OF_FIGURE: Final = 6.0
_NAMED: Final = (AnswerType.PERSON, AnswerType.PLACE, AnswerType.ORGANISATION, AnswerType.NAME)
_CAPITALISED = re.compile(r"(?<=[\w,'’] )[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question that an answer's surroundings should hold."""

    start: int
    end: int
    tokens: tuple[int, ...]
    """Numbers of the encoder's tokens that make it up."""
    terms: tuple[QueryTerm, ...]
    """What to look for literally."""
    weight: float
    attribute: bool
    """Whether it stands beside an asking word."""
    focus: bool
    """Whether no other word stands between it and an asking word."""
    name: bool
    figure: bool


class WordMatcher:
    """Looks the words of questions up in sentences."""

    def __init__(self, lexicon: Lexicon, encoder: StaticEncoder) -> None:
        self._lexicon = lexicon
        self._encoder = encoder

    def features(self, asked: QuestionProfile, question: str, ranked: Sequence[Candidate]) -> Array:
        """float32 `(len(WORD_FEATURES),)` of the first of `ranked` and what surrounds it, for `asked`."""
        encoding = self._encoder.tokenizer.encode(asked.text, add_special_tokens=False)
        words = self.words(asked, question, encoding.offsets)
        if not words or not ranked:
            return np.zeros(len(WORD_FEATURES), np.float32)
        read = _texts(ranked)
        literal = self._literal(words, ["\n".join(read.texts[n] for n in place) for place in read.places])
        tokens = [e.ids for e in self._encoder.tokenizer.encode_batch(list(read.texts), add_special_tokens=False)]
        places = [[t for n in place for t in tokens[n]] for place in read.places]
        alike = np.maximum(literal, self._alike(words, encoding.ids, places))
        return _aggregate(words, literal, alike)

    def words_of(self, asked: QuestionProfile, question: str) -> list[Word]:
        """The telling words of `question`, whose profile is `asked`, in order."""
        return self.words(asked, question, self._encoder.tokenizer.encode(asked.text, add_special_tokens=False).offsets)

    def words(self, asked: QuestionProfile, question: str, tokens: Sequence[Span]) -> list[Word]:
        """The telling words of a question, in order; `tokens` are the spans of the encoder's tokens."""
        terms = query_terms(asked, self._lexicon)
        names = _names(asked, question)
        groups = _groups(asked, tokens)
        spans = [(tokens[group[0]][0], tokens[group[-1]][1]) for group in groups]
        focus = _focus(asked, spans)
        words = []
        for group, (start, end) in zip(groups, spans, strict=True):
            text = asked.text[start:end]
            mine = tuple(term for term in terms if _within(term.text, text, asked.language))
            figure = any(char.isdigit() for char in text)
            longest = [t for t in mine if not t.single] or list(mine)
            weight = max((t.weight for t in longest), default=0.0) - _COMMON_WEIGHT
            if not longest or weight <= 0:
                continue
            words.append(
                Word(
                    start,
                    end,
                    tuple(group),
                    tuple(longest),
                    max(weight, _WEIGHT_OF_FIGURE) if figure else weight,
                    attribute=any(a <= start and end <= b for a, b in asked.attribute),
                    focus=(start, end) in focus,
                    name=any(a < end and start < b for a, b in names),
                    figure=figure,
                )
            )
        return words

    def _literal(self, words: Sequence[Word], texts: Sequence[str]) -> Array:
        """`(texts, words)`: the share of each word that stands in each text."""
        indexes = [TextIndex.of(text) for text in texts]
        found: dict[tuple[str, int], float] = {}
        rows = np.zeros((len(texts), len(words)), np.float32)
        for i, index in enumerate(indexes):
            for k, word in enumerate(words):
                shares = []
                for term in word.terms:
                    key = (term.text, i)
                    if key not in found:
                        found[key] = find_term(term, index)[0]
                    shares.append(found[key])
                rows[i, k] = float(np.mean(shares))
        return rows

    def _alike(self, words: Sequence[Word], ids: Sequence[int], places: Sequence[Sequence[int]]) -> Array:
        """`(places, words)`: the highest cosine of each word's tokens with a token of each place, at least 0."""
        table = self._encoder.table
        own = table[np.array(ids, np.int64)]
        lengths = np.linalg.norm(own, axis=1)
        held = sorted(set().union(*places))
        column = {number: i for i, number in enumerate(held)}
        there = table[np.array(held, np.int64)]
        cosines = own @ there.T
        cosines /= np.maximum(lengths[:, None] * np.sqrt(np.einsum("ij,ij->i", there, there))[None], 1e-9)
        rows = np.zeros((len(places), len(words)), np.float32)
        for i, tokens in enumerate(places):
            best = cosines[:, [column[t] for t in set(tokens)]].max(axis=1, initial=0.0)
            for k, word in enumerate(words):
                part = list(word.tokens)
                rows[i, k] = float(best[part] @ lengths[part] / max(float(lengths[part].sum()), 1e-9))
        return rows


def _groups(asked: QuestionProfile, tokens: Sequence[Span]) -> list[list[int]]:
    """Numbers of the tokens of each word: single Chinese characters in a row are one (张 建 宁)."""
    groups: list[list[int]] = []
    open_run = False
    for number, (start, end) in enumerate(tokens):
        text = asked.text[start:end]
        asks = any(a < end and start < b for a, b in asked.asking)
        if asks or not text.strip() or not any(c.isalnum() for c in text) or text in _FUNCTION or is_stopword(text):
            open_run = False
            continue
        single = end - start == 1 and text >= "㐀"
        joins = open_run and single and tokens[groups[-1][-1]][1] == start
        piece = (
            bool(groups) and text.isascii() and tokens[groups[-1][-1]][1] == start and asked.text[start - 1].isascii()
        )
        if joins or piece:
            groups[-1].append(number)
        else:
            groups.append([number])
        open_run = single
    return groups


def _focus(asked: QuestionProfile, words: Sequence[Span]) -> set[Span]:
    """What is asked for: the word right after each asking word (which airline, 多少只海鸥), else the one before it."""
    found = set()
    for start, end in asked.asking:
        after = next((w for w in words if w[0] >= end), None)
        before = next((w for w in reversed(words) if w[1] <= start), None)
        close = after is not None and (asked.language == "en" or after[0] == end)
        chosen = after if close or before is None else before
        if chosen is not None:
            found.add(chosen)
    return found


def _within(term: str, word: str, language: str) -> bool:
    return term in word if term >= "㐀" or language == "zh" else word.startswith(term) or term == word


def _names(asked: QuestionProfile, question: str) -> list[Span]:
    """Spans of the question that name a person, a place, a body or a title."""
    if asked.language == "en":
        return [m.span() for m in _CAPITALISED.finditer(question)]
    return [span for kind in _NAMED for span in typed_spans(asked.text, kind)]


@dataclass(frozen=True, slots=True)
class _Texts:
    """What was read, and which of it makes up each of `_PLACES`."""

    texts: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    """Numbers of texts."""


def _texts(ranked: Sequence[Candidate]) -> _Texts:
    best = ranked[0]
    heads = {c.hit.article.id: _head(c.hit.article) for c in ranked}
    mine = list(heads).index(best.hit.article.id)
    article = [n for n, c in enumerate(ranked, len(heads)) if c.hit.article.id == best.hit.article.id]
    spans = {n: ranked[n - len(heads)] for n in article}
    near = [n for n, c in spans.items() if c.start <= best.end + 2 and best.start <= c.end + 2]
    texts = (*heads.values(), *(c.text for c in ranked))
    return _Texts(texts, ((len(heads),), (mine, *near), (mine, *article), tuple(range(len(texts)))))


def _head(article: Article) -> str:
    """Title and date."""
    day = f"{article.date.year}年{article.date.month}月{article.date.day}日" if article.date else ""
    return f"{article.display_title} {day}"


def _aggregate(words: Sequence[Word], literal: Array, alike: Array) -> Array:
    weight = np.array([w.weight for w in words], np.float32)
    of_kind = {
        "any": np.ones(len(words), bool),
        "attribute": np.array([w.attribute for w in words]),
        "focus": np.array([w.focus for w in words]),
        "name": np.array([w.name for w in words]),
        "figure": np.array([w.figure for w in words]),
    }
    row: list[float] = []
    for place in range(len(_PLACES)):
        for kind in _KINDS:
            chosen = of_kind[kind]
            row += [
                _share(literal[place], weight * chosen),
                _share(alike[place], weight * chosen),
                float((weight * chosen * (1 - alike[place])).max()) / 10,
            ]
    for place in range(len(_PLACES)):
        missing = np.sort(weight * (1 - alike[place]))
        row.append(float(missing[-2]) / 10 if len(missing) > 1 else 0.0)
    row += [float(of_kind[kind].any()) for kind in _KINDS]
    row.append(float(np.log1p(len(words))))
    return np.array(row, np.float32)


def _share(values: Array, weights: Array) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total else 1.0
