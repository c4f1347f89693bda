"""Question + hits -> sentences with features: what the ranking model sees.

The features of a sentence say how well it, its clauses, its neighbours, its title and its passage hold the
words of the question, whether something of the asked kind stands near those words, whether the question's
years and ordinals are met, and how the passage was found. See `FEATURES` for the list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rag.answering.question_type import AnswerType, QuestionProfile, ordinals, profile
from rag.answering.reader_matching import QueryTerm, TextIndex, find_term, query_terms
from rag.answering.reader_spans import has_unit, typed_spans
from rag.answering.reader_vectors import SIMILARITIES, SentenceText, similarities
from rag.encoder import StaticEncoder
from rag.lexicon import Lexicon
from rag.sentences import clause_spans, sentence_spans
from rag.types import Hit, Passage

Span = tuple[int, int]
Matrix = npt.NDArray[np.float32]

_NEAR = 8.0
"""Characters over which a matched word's influence on an answer falls by 1/e."""

_RELATIVE = (
    "cover", "cover_single", "cover_clause", "cover_title_union", "cover_window", "density", "common_run", "rare",
    "near", "near_unit", "similar", "similar_clause", "similar_window", "cover_local", "cover_local_window",
    "cover_plain", "near_local", "soft_cover", "soft_clause", "soft_window", "soft_asked",
    "attribute", "near_attribute", "soft_attribute",
)  # fmt: skip
_ABSOLUTE = (
    "cover", "cover_single", "cover_clause", "gain_previous", "gain_next", "cover_title", "cover_title_union",
    "cover_passage", "cover_window", "density", "common_run", "rare", "worst_missing", "worst_missing_context",
    "numbers", "cover_local", "cover_local_window", "cover_plain", "cover_article",
    "attribute", "attribute_window", "attribute_article",
    "typed", "typed_count", "near", "unit", "near_unit", "near_local", "near_attribute",
    "year_met", "year_other", "year_context",
    "ordinal_met", "ordinal_other", "headline", "length", "place", "closed", "digits", "enumerates",
    "hit_rank", "hit_dense", "hit_lexical", *SIMILARITIES, "question_length", "english", "has_unit",
)  # fmt: skip
FEATURES: tuple[str, ...] = (
    *_ABSOLUTE,
    *(f"type_{kind}" for kind in AnswerType),
    *(f"{name}_below_best" for name in _RELATIVE),
    *(f"{name}_standard" for name in _RELATIVE),
)
"""Names of the columns, in order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit: `hit.article.text[start:end]`."""

    hit: Hit
    start: int
    end: int
    answer: Span | None
    """The likeliest answer inside the article's text, where something of the asked kind stands in the sentence."""
    focus: Span
    """The clause that holds most of the question, inside the article's text."""
    covers: tuple[float, ...] = ()
    """For each term of the question, the share of the question's weight that the sentence with its title holds."""

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.hit.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Match:
    """Where and how well the question's terms stand in one text; arrays are aligned with the terms."""

    worth: Matrix
    places: list[list[Span]]


@dataclass(frozen=True, slots=True)
class _NearestAnswer:
    """Something of the asked kind in a sentence."""

    span: Span | None = None
    """Offsets into the sentence."""
    near: float = 0.0
    """Share of the question's weight that stands around it, in [0, 1], falling with distance."""
    near_local: float = 0.0
    """The same with local weights."""
    near_attribute: float = 0.0
    """The same for the words beside the asking words."""
    unit: float = 0.0
    """1 when its unit fits or none is asked."""
    count: int = 0
    """How many such spans the sentence has."""


class FeatureExtractor:
    """Turns a question and its hits into candidates and a feature matrix."""

    def __init__(self, lexicon: Lexicon, encoder: StaticEncoder | None = None) -> None:
        """`encoder` adds similarities; without it they are 0."""
        self._lexicon = lexicon
        self._encoder = encoder

    def extract(self, question: str, hits: Sequence[Hit]) -> tuple[list[Candidate], Matrix]:
        """Candidates in order of their hits and float32 `(len(candidates), len(FEATURES))`."""
        asked = profile(question)
        sentences = _sentences(hits)
        if not sentences:
            return [], np.zeros((0, len(FEATURES)), np.float32)
        return _Extraction(asked, query_terms(asked, self._lexicon), sentences, self._encoder).run()


@dataclass(frozen=True, slots=True)
class _Sentence:
    hit: Hit
    start: int
    end: int
    previous: Span | None
    next: Span | None
    index: TextIndex
    number: int
    """0-based place in its passage."""

    @property
    def text(self) -> str:
        return self.hit.article.text[self.start : self.end]


_IMPRINT = re.compile(
    r"\s*[(（【]?(?:来源|来稿|编辑|责编|责任编辑|值班|审核|审校|校对|监制|统筹|制图|海报|视频|图片|图源|图文|供图|转载|如需转载|声明|投稿"
    r"|source\s*:|editor\s*:)",
    re.IGNORECASE,
)
_LONGEST_IMPRINT = 40
_READ_AROUND = 3
"""Best articles that are read beyond their passages."""
_AROUND_CHARS = 1500
_BLOCK_CHARS = 350


def _is_imprint(text: str, start: int, end: int) -> bool:
    """Whether a line only says who made the article or whence it came."""
    return end - start <= _LONGEST_IMPRINT and _IMPRINT.match(text, start, end) is not None


def _sentences(hits: Sequence[Hit]) -> list[_Sentence]:
    """Sentences of the passages and of what lies around them in the best articles, each once."""
    seen: set[tuple[str, int, int]] = set()
    found: list[_Sentence] = []
    for hit in [*hits, *_surroundings(hits)]:
        spans = sentence_spans(hit.article.text, hit.passage.start, hit.passage.end)
        for i, (start, end) in enumerate(spans):
            if (hit.article.id, start, end) in seen or _is_imprint(hit.article.text, start, end):
                continue
            seen.add((hit.article.id, start, end))
            previous = spans[i - 1] if i else None
            following = spans[i + 1] if i + 1 < len(spans) else None
            index = TextIndex.of(hit.article.text[start:end])
            found.append(_Sentence(hit, start, end, previous, following, index, i))
    return found


def _surroundings(hits: Sequence[Hit]) -> Iterator[Hit]:
    """The best articles cut into further passages: a story is found more surely than its right passage."""
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.article.id not in best and len(best) < _READ_AROUND:
            best[hit.article.id] = hit
    for hit in best.values():
        article = hit.article
        first, last = hit.passage.start - _AROUND_CHARS, hit.passage.end + _AROUND_CHARS
        taken = [(h.passage.start, h.passage.end) for h in hits if h.article.id == article.id]
        spans = sentence_spans(article.text, max(0, first), min(len(article.text), last))
        fresh = [span for span in spans if not any(a <= span[0] < b for a, b in taken)]
        while fresh:
            start = fresh[0][0]
            block = [span for span in fresh if span[1] - start <= _BLOCK_CHARS] or fresh[:1]
            fresh = fresh[len(block) :]
            end = block[-1][1]
            yield replace(hit, passage=Passage(article.id, start, end, article.text[start:end]))


class _Extraction:
    """One question's features; holds what its steps share."""

    def __init__(
        self,
        asked: QuestionProfile,
        terms: list[QueryTerm],
        sentences: list[_Sentence],
        encoder: StaticEncoder | None,
    ) -> None:
        self.asked = asked
        self.terms = terms
        self.sentences = sentences
        self.encoder = encoder
        self.weight = np.array([0.0 if t.single else t.weight for t in terms], np.float32)
        self.single = np.array([t.weight if t.single else 0.0 for t in terms], np.float32)
        if not self.single.any():
            self.single = self.weight
        if not self.weight.any():
            self.weight = self.single
        bound = np.sort(self.weight)[-max(1, len(terms) // 4)] if len(terms) else 0.0
        self.rare = np.where(self.weight >= bound, self.weight, 0.0).astype(np.float32)
        self.attribute = np.array([w * t.attribute for w, t in zip(self.weight, terms, strict=True)], np.float32)
        self.plain = (self.weight > 0).astype(np.float32)
        self.local = self.weight
        self.articles: dict[str, Matrix] = {}
        self.passages: dict[tuple[str, int], Matrix] = {}
        self.cache: dict[tuple[str, int, int], _Match] = {}

    def run(self) -> tuple[list[Candidate], Matrix]:
        matches = [self._match(s.hit.article.id, s.start, s.end, s.index) for s in self.sentences]
        self._weigh_locally(matches)
        similarities = self._similarities()
        rows: list[list[float]] = []
        candidates: list[Candidate] = []
        for sentence, match, similar in zip(self.sentences, matches, similarities, strict=True):
            found = self._nearest_answer(sentence, match)
            clause_share, focus = self._best_clause(sentence, match)
            row = self._coverage(sentence, match, clause_share)
            row += [float(found.count > 0), math.log1p(found.count)]
            row += [found.near, found.unit, found.near * found.unit, found.near_local, found.near_attribute]
            row += self._details(sentence)
            row += _shape(sentence)
            row += self._retrieval(sentence)
            row += similar.tolist()
            row += [
                math.log1p(len(self.terms)),
                float(self.asked.language == "en"),
                float(bool(self.asked.units)),
            ]
            row += [float(kind is self.asked.types[0]) for kind in AnswerType]
            rows.append(row)
            candidates.append(self._candidate(sentence, match, found.span, focus))
        return candidates, _with_relative(np.array(rows, np.float32))

    def _weigh_locally(self, matches: Sequence[_Match]) -> None:
        """Weigh terms by their rarity among the sentences at hand: in a library about Tianjin, 天津 tells little."""
        worths = np.stack([match.worth for match in matches])
        holding = worths.sum(axis=0)
        self.local = (self.plain * np.log1p(len(matches) / (0.5 + holding))).astype(np.float32)
        for sentence, match in zip(self.sentences, matches, strict=True):
            article_id, passage_start = sentence.hit.article.id, sentence.hit.passage.start
            known = self.articles.get(article_id, match.worth)
            self.articles[article_id] = np.maximum(known, match.worth)
            known = self.passages.get((article_id, passage_start), match.worth)
            self.passages[article_id, passage_start] = np.maximum(known, match.worth)

    def _match(self, article_id: str, start: int, end: int, index: TextIndex) -> _Match:
        key = (article_id, start, end)
        if key not in self.cache:
            found = [find_term(term, index) for term in self.terms]
            self.cache[key] = _Match(np.array([w for w, _ in found], np.float32), [places for _, places in found])
        return self.cache[key]

    def _match_text(self, hit: Hit, span: Span | None) -> Matrix:
        if span is None:
            return np.zeros(len(self.terms), np.float32)
        key = (hit.article.id, *span)
        if key in self.cache:
            return self.cache[key].worth
        return self._match(*key, TextIndex.of(hit.article.text[span[0] : span[1]])).worth

    def _title(self, hit: Hit) -> Matrix:
        key = (hit.article.id, -1, -1)
        if key not in self.cache:
            self._match(*key, TextIndex.of(hit.article.display_title))
        return self.cache[key].worth

    def _coverage(self, sentence: _Sentence, match: _Match, clause_share: float) -> list[float]:
        """`cover` … `numbers`."""
        own = match.worth
        hit = sentence.hit
        previous = self._match_text(hit, sentence.previous)
        following = self._match_text(hit, sentence.next)
        title = self._title(hit)
        passage = self.passages[hit.article.id, hit.passage.start]
        window = np.maximum.reduce([own, previous, following, title])
        cover = _share(own, self.weight)
        missing = self.weight * (1 - own)
        missing_context = self.weight * (1 - np.maximum(np.maximum(own, title), passage))
        numbers = [w for t, w in zip(self.terms, own, strict=True) if t.text[0].isdigit()]
        return [
            cover,
            _share(own, self.single),
            clause_share,
            _share(np.maximum(own, previous), self.weight) - cover,
            _share(np.maximum(own, following), self.weight) - cover,
            _share(title, self.weight),
            _share(np.maximum(own, title), self.weight),
            _share(passage, self.weight),
            _share(window, self.weight),
            float(own @ self.weight) / math.sqrt(20 + len(sentence.index.text)),
            _longest_common_run(match.places) / 10,
            _share(own, self.rare),
            float(missing.max(initial=0.0)) / 10,
            float(missing_context.max(initial=0.0)) / 10,
            float(np.mean(numbers)) if numbers else 1.0,
            _share(own, self.local),
            _share(window, self.local),
            _share(own, self.plain),
            _share(np.maximum(self.articles[hit.article.id], title), self.local),
            _share(own, self.attribute),
            _share(window, self.attribute),
            _share(np.maximum(self.articles[hit.article.id], title), self.attribute),
        ]

    def _best_clause(self, sentence: _Sentence, match: _Match) -> tuple[float, Span]:
        """Largest share of the question that one clause holds, and that clause."""
        clauses = clause_spans(sentence.index.text) or [(0, len(sentence.index.text))]
        inside = np.zeros((len(clauses), len(self.terms)), np.float32)
        for i, places in enumerate(match.places):
            for a, b in places:
                for k, (start, end) in enumerate(clauses):
                    if start <= a and b <= end:
                        inside[k, i] = 1.0
        shares = inside @ (match.worth * _per_unit(self.weight))
        best = int(shares.argmax())
        return float(shares[best]), clauses[best]

    def _candidate(self, sentence: _Sentence, match: _Match, answer: Span | None, focus: Span) -> Candidate:
        start = sentence.start
        held = np.maximum(match.worth, self._title(sentence.hit)) * _per_unit(self.local)
        return Candidate(
            hit=sentence.hit,
            start=start,
            end=sentence.end,
            answer=(start + answer[0], start + answer[1]) if answer else None,
            focus=(start + focus[0], start + focus[1]),
            covers=tuple(held.tolist()),
        )

    def _nearest_answer(self, sentence: _Sentence, match: _Match) -> _NearestAnswer:
        """The typed span that the question's words stand closest to, one with a fitting unit first."""
        text = sentence.index.text
        in_question = {t.text for t in self.terms}
        weights = (_per_unit(self.weight) * match.worth).tolist()
        local_weights = (_per_unit(self.local) * match.worth).tolist()
        attribute_weights = (_per_unit(self.attribute) * match.worth).tolist()
        marks = [
            (start, end, (weight, local, attribute))
            for weight, local, attribute, places in zip(
                weights, local_weights, attribute_weights, match.places, strict=True
            )
            if weight or local
            for start, end in places
        ]
        best = _NearestAnswer()
        best_score = 0.0
        count, any_unit = 0, 0.0
        for kind in self.asked.types:
            for start, end in typed_spans(text, kind):
                answer = text[start:end]
                if answer in in_question or (len(answer) > 1 and answer in self.asked.text):
                    continue
                count += 1
                near, local, attribute = _nearness(marks, start, end)
                unit = float(not self.asked.units or has_unit(answer, self.asked.units))
                any_unit = max(any_unit, unit)
                score = (0.3 + unit) * (near + 1e-3)
                if score > best_score:
                    best, best_score = _NearestAnswer((start, end), near, local, attribute, unit), score
        return replace(best, count=count, unit=max(best.unit, 0.5 * any_unit))

    def _details(self, sentence: _Sentence) -> list[float]:
        """`year_met` … `ordinal_other`: binding years and ordinals of the question."""
        text, article = sentence.index.text, sentence.hit.article
        years, wanted = self.asked.years, self.asked.ordinals
        met = float(bool(years) and any(y in text for y in years))
        other = float(bool(years) and not met and _has_year(text))
        context = f"{article.title}{article.date.year if article.date else ''}"
        in_context = float(bool(years) and any(y in context for y in years))
        own = ordinals(text)
        ordinal_met = float(bool(wanted) and any(n in own for n in wanted))
        ordinal_other = float(bool(wanted) and not ordinal_met and bool(own))
        return [met, other, in_context, ordinal_met, ordinal_other]

    def _retrieval(self, sentence: _Sentence) -> list[float]:
        hit = sentence.hit
        top = max((s.hit.lexical_score or 0.0 for s in self.sentences), default=0.0) or 1.0
        return [1 / hit.rank, hit.dense_score or 0.0, (hit.lexical_score or 0.0) / top]

    def _similarities(self) -> Matrix:
        if self.encoder is None:
            return np.zeros((len(self.sentences), len(SIMILARITIES)), np.float32)
        place = {(s.hit.article.id, s.start, s.end): i for i, s in enumerate(self.sentences)}
        texts = [
            SentenceText(
                sentence.text,
                sentence.hit.article.display_title,
                place.get((sentence.hit.article.id, *sentence.previous)) if sentence.previous else None,
                place.get((sentence.hit.article.id, *sentence.next)) if sentence.next else None,
            )
            for sentence in self.sentences
        ]
        return similarities(self.asked, texts, self.encoder)


def _per_unit(weight: Matrix) -> Matrix:
    return weight / (float(weight.sum()) or 1.0)


_Mark = tuple[int, int, tuple[float, float, float]]
"""A matched word: start, end, its weights."""


def _nearness(marks: Sequence[_Mark], start: int, end: int) -> tuple[float, float, float]:
    """Weights of the marks outside `start:end`, falling with their distance from it."""
    near = local = attribute = 0.0
    for a, b, weights in marks:
        gap = max(a - end, start - b, 0)
        if gap < 40 and not (start <= a and b <= end):
            fall = math.exp(-gap / _NEAR)
            near += weights[0] * fall
            local += weights[1] * fall
            attribute += weights[2] * fall
    return min(near, 1.0), min(local, 1.0), min(attribute, 1.0)


def _share(worth: Matrix, weight: Matrix) -> float:
    total = float(weight.sum())
    return float(worth @ weight) / total if total else 0.0


def _longest_common_run(places: list[list[Span]]) -> int:
    """Longest stretch of the sentence that matched terms cover without a gap, in characters (at most 10)."""
    spans = sorted(span for found in places for span in found)
    best, begin, reach = 0, 0, -1
    for start, end in spans:
        if start > reach:
            begin, reach = start, end
        reach = max(reach, end)
        best = max(best, reach - begin)
    return min(best, 10)


def _has_year(text: str) -> bool:
    return any(text[i : i + 4].isdigit() and text[i : i + 2] in {"19", "20"} for i in range(len(text) - 3))


def _shape(sentence: _Sentence) -> list[float]:
    """`headline` … `enumerates`."""
    text = sentence.index.text
    return [
        float(sentence.start < sentence.hit.article.body_start),
        math.log1p(len(text)) / 5,
        math.log1p(sentence.number) / 3,
        float(text[-1] in "。!?.”’」』)"),
        sum(c.isdigit() for c in text) / len(text),
        math.log1p(text.count("、")),
    ]


def _with_relative(rows: Matrix) -> Matrix:
    """`rows` with, for the features of `_RELATIVE`, the distance to the best sentence and the standard score."""
    columns = rows[:, [_ABSOLUTE.index(name) for name in _RELATIVE]]
    below = columns - columns.max(axis=0)
    spread = columns.std(axis=0)
    standard = (columns - columns.mean(axis=0)) / np.where(spread > 1e-6, spread, 1.0)
    return np.concatenate([rows, below, standard], axis=1).astype(np.float32)
