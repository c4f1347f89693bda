"""Questions with hits for the judge: answerable ones, and near misses of many kinds made from them.

Everything is searched with the product's own index and retriever, so that ranks, scores and texts are those of
run time. From one answerable question come questions that the library does not answer:

- `paragraph`: the paragraph with the answer is cut out of its article; the rest of the article stays, so the
  thing asked about is known and the asked attribute is absent,
- `sentence`: only the answer's sentence is cut out,
- `article`: the article is gone; others of the same subject stay,
- `year`, `ordinal`, `number`: the question asks of another one,
- `name`: the question asks of another person, place or body than the articles tell of,
- `attribute`: the question asks of its subject what was asked of another one,
- `asked`: only the asking words and what they ask for are another question's (总投资多少亿元 for 全长多少米).
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.answering.question_type import AnswerType, profile
from rag.answering.reader_spans import typed_spans
from rag.answering.reader_text import fold_keep
from rag.answering.word_match import WordMatcher
from rag.config import EncoderSettings, PassageSettings, RetrievalSettings, Settings
from rag.ingest_writer import BatchWriter
from rag.library import Library
from rag.sentences import sentence_spans
from rag.store import FileArticles, FileRecord
from rag.tokens import tokenize
from rag.types import Article, Hit, Passage
from training.reader.data import TOP_K, Gold, Item, english_question

WHOLE: Final = "whole"
CUTS: Final = ("paragraph", "sentence", "article")
SWAPS: Final = ("year", "ordinal", "number", "name", "attribute", "asked")
CHANGES: Final = (WHOLE, *CUTS, *SWAPS)
_DEEP: Final = 40
"""Hits searched for, of which some are cut."""
_PER_ARTICLE: Final = RetrievalSettings().per_article
_READ_AROUND: Final = 1_500
"""Characters beyond a passage that the reader may read as well."""


@dataclass(frozen=True)
class Case:
    """A question with its hits; `gold` is empty when they do not answer it."""

    question: str
    hits: tuple[Hit, ...]
    gold: tuple[Gold, ...]
    kind: str
    change: str
    group: str


class Shelf:
    """Articles in an index of their own."""

    def __init__(self, folder: Path, articles: Sequence[Article], encoder: str) -> None:
        """Index `articles` in `folder`, which must not hold an index yet."""
        settings = Settings(encoder=EncoderSettings(name=encoder))
        self.library = Library(folder, settings, create=True)
        self.articles = {article.id: article for article in articles}
        writer = BatchWriter(self.library.store, self.library.encoder, PassageSettings(), lambda: None)
        with self.library.store.writing():
            for number in range(0, len(articles), 500):
                some = list(articles[number : number + 500])
                record = FileRecord(f"part-{number}", f"part-{number}", 0, str(number), "", articles=len(some))
                writer.add(FileArticles(record, some), lambda: False)
            writer.flush()
            self.library.store.update_caches()
        self._retriever = self.library.retriever_for(RetrievalSettings(top_k=_DEEP, per_article=2 * _PER_ARTICLE))

    def search(self, question: str) -> list[Hit]:
        """More hits than are read, best first."""
        return self._retriever.retrieve(question)


def cases(
    shelf: Shelf, items: Sequence[Item], names: Names, matcher: WordMatcher, rng: random.Random
) -> Iterator[Case]:
    """Each question with its hits, and some of the near misses that it allows."""
    for item in items:
        found = shelf.search(item.question)
        yield from _case(shelf, item, item.question, found, item.hidden, WHOLE)
        for change in ("sentence", rng.choice(CUTS)):
            yield from _case(shelf, item, item.question, found, item.hidden + _cut_for(shelf, item, change), change)
        swapped = list(swaps(item, shelf.articles, names, rng))
        rng.shuffle(swapped)
        asked = swap_asked(item, shelf.articles[item.gold[0][0]], names, matcher, rng)
        for change, question in [*asked, *swapped[:1]]:
            yield from _case(shelf, item, question, shelf.search(question), item.hidden, change)


def _cut_for(shelf: Shelf, item: Item, change: str) -> tuple[Gold, ...]:
    """The spans that `change` takes away."""
    cut: list[Gold] = []
    for article_id, start, end in item.gold:
        text = shelf.articles[article_id].text
        if change == "article":
            cut.append((article_id, 0, len(text)))
        elif change == "paragraph":
            after = text.find("\n", end)
            cut.append((article_id, text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after))
        else:
            inside = [(a, b) for a, b in sentence_spans(text) if a < end and start < b]
            cut.append((article_id, inside[0][0], inside[-1][1]) if inside else (article_id, start, end))
    return tuple(cut)


def _case(
    shelf: Shelf, item: Item, question: str, found: Sequence[Hit], cut: Sequence[Gold], change: str
) -> Iterator[Case]:
    """The case without the `cut` spans; nothing when it cannot be told whether it is answered."""
    shown, gold = without(found, item.gold, cut)
    hits = _first(shown)
    if change in SWAPS:
        gold = []
    held = tuple(g for g in gold if any(_reads(hit, g) for hit in hits))
    if not hits or (change == WHOLE and item.kind == "cloze" and not held):
        return
    if not held and change not in SWAPS and len(item.answer) > 1 and any(_says(hit, item.answer) for hit in hits):
        return
    yield Case(question, tuple(hits), held, item.kind, change, item.group)


def _reads(hit: Hit, gold: Gold) -> bool:
    """Whether the reader may come to see `gold`: in the passage or around it."""
    first, last = hit.passage.start - _READ_AROUND, hit.passage.end + _READ_AROUND
    return hit.article.id == gold[0] and first < gold[2] and gold[1] < last


def _says(hit: Hit, answer: str) -> bool:
    first = max(0, hit.passage.start - _READ_AROUND)
    return answer in hit.article.text[first : hit.passage.end + _READ_AROUND]


def _first(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are read, ranked anew."""
    taken: Counter[str] = Counter()
    kept: list[Hit] = []
    for hit in hits:
        taken[hit.article.id] += 1
        if taken[hit.article.id] <= _PER_ARTICLE and len(kept) < TOP_K:
            kept.append(dataclasses.replace(hit, rank=len(kept) + 1))
    return kept


def without(hits: Sequence[Hit], gold: Sequence[Gold], cut: Sequence[Gold]) -> tuple[list[Hit], list[Gold]]:
    """Hits and gold spans after the `cut` spans have been taken out of the texts; emptied passages are left out."""
    shown, kept = list(hits), list(gold)
    for article_id, start, end in sorted(set(cut), key=lambda g: -g[1]):
        kept = [
            (i, _moved(a, start, end), _moved(b, start, end)) if i == article_id else (i, a, b)
            for i, a, b in kept
            if not (i == article_id and a < end and start < b)
        ]
        shown = [moved for hit in shown if (moved := _cut_hit(hit, article_id, start, end)) is not None]
    return shown, kept


def _cut_hit(hit: Hit, article_id: str, start: int, end: int) -> Hit | None:
    if hit.article.id != article_id:
        return hit
    text = hit.article.text[:start] + hit.article.text[end:]
    a, b = _moved(hit.passage.start, start, end), _moved(hit.passage.end, start, end)
    if not text[a:b].strip():
        return None
    article = dataclasses.replace(hit.article, text=text)
    return dataclasses.replace(hit, article=article, passage=Passage(article_id, a, b, text[a:b]))


def _moved(at: int, start: int, end: int) -> int:
    """Where offset `at` lies after `start:end` has been cut."""
    return at if at <= start else at - (end - start) if at >= end else start


@dataclass(frozen=True)
class Names:
    """Names that the shelf does not tell of, and questions by the title they ask about."""

    unknown: Mapping[AnswerType, Sequence[str]]
    titles: Sequence[str]
    """Titles of articles that are not on the shelf."""
    asked: Sequence[tuple[str, str]]
    """(question, title in it)."""
    segments: Mapping[str, Sequence[Segment]] = dataclasses.field(default_factory=dict)
    """What questions ask for, by language."""


@dataclass(frozen=True)
class Segment:
    """Asking words together with the word that says what is asked for."""

    start: int
    end: int
    text: str
    focus: str


_LONGEST_SEGMENT: Final = {"zh": 14, "en": 48}


def segment_of(question: str, matcher: WordMatcher) -> Segment | None:
    """What `question` asks for; None when that is not one short stretch."""
    asked = profile(question)
    focus = [word for word in matcher.words_of(asked, question) if word.focus]
    if len(asked.asking) != 1 or len(focus) != 1:
        return None
    start, end = min(asked.asking[0][0], focus[0].start), max(asked.asking[0][1], focus[0].end)
    if end - start > _LONGEST_SEGMENT[asked.language] or focus[0].end - focus[0].start < 2:
        return None
    return Segment(start, end, question[start:end], asked.text[focus[0].start : focus[0].end])


def swap_asked(
    item: Item, article: Article, names: Names, matcher: WordMatcher, rng: random.Random
) -> Iterator[tuple[str, str]]:
    """The question with another question's asking words, for something that the article does not speak of."""
    own = segment_of(item.question, matcher)
    others = names.segments.get(profile(item.question).language, ())
    if own is None or not others:
        return
    text = fold_keep(f"{article.title}\n{article.text}")
    for _ in range(6):
        other = rng.choice(others)
        if other.focus not in text and other.focus not in item.question:
            yield "asked", _put(item.question, (own.start, own.end), other.text)
            return


_NAMED = (AnswerType.PERSON, AnswerType.PLACE, AnswerType.ORGANISATION)


def gather_names(
    news: Sequence[Article], left_out: Sequence[Article], items: Sequence[Item], matcher: WordMatcher
) -> Names:
    """Names of `news` and titles of `left_out`, none of which is on the shelf, and what `items` ask for."""
    unknown: dict[AnswerType, list[str]] = {kind: [] for kind in _NAMED}
    for article in news:
        text = fold_keep(article.text[:600])
        for kind in _NAMED:
            unknown[kind] += [text[a:b] for a, b in typed_spans(text, kind) if 2 <= b - a <= 8]
    asked = [(i.question, i.group) for i in items if 2 <= len(i.group) <= 8 and i.group in i.question]
    segments: dict[str, list[Segment]] = {}
    for item in items:
        segment = segment_of(item.question, matcher)
        if segment is not None:
            segments.setdefault(profile(item.question).language, []).append(segment)
    return Names(unknown, [a.title for a in left_out if 2 <= len(a.title) <= 8], asked, segments)


_EN_BLOCK: Final = 12
"""English sentences of one article."""
_EN_DROPPED: Final = 0.25
"""Share of the words of an English question that are left out, because people do not repeat a sentence."""


def english_items(file: Path, begin: int, end: int, rng: random.Random) -> tuple[list[Article], list[Item]]:
    """Articles of consecutive English sentences (lines `begin` to `end` of the parallel text), and questions."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["en"] for i, line in enumerate(lines) if begin <= i < end]
    articles, items = [], []
    for number in range(0, len(rows), _EN_BLOCK):
        text, article_id = "", f"english-{begin + number}"
        for sentence in (" ".join(row.split()) for row in rows[number : number + _EN_BLOCK]):
            made = english_question(sentence, rng) if rng.random() < 0.5 else None
            if made is not None:
                start = len(text)
                asked = " ".join(w for w in made[0].split() if w[0].isupper() or rng.random() > _EN_DROPPED)
                gold = (article_id, start, start + len(sentence))
                items.append(Item(asked, (gold,), made[1], "crosslingual", group=article_id))
            text += sentence + "\n"
        if text.strip():
            articles.append(Article(article_id, "", text, "english"))
    return articles, items


_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20[0-3]\d)(?!\d)")
_ORDINAL = re.compile(r"第([一二三四五六七八九十]{1,2}|\d{1,2})(?=[届次批期季代任])")
_NUMBER = re.compile(r"(?<![\d.,第])(\d{1,3}(?:\.\d+)?|\d{5,})(?=[^\d年.,月日])")
_EN_NAME = re.compile(r"(?<=[a-z,] )([A-Z][a-z]{2,}(?: [A-Z][a-z]+)*)")
_EN_NAMES = (
    "Novosibirsk", "Marrakesh", "Ulsan", "Valparaiso", "Harrogate", "Tampere", "Abidjan", "Lindqvist", "Okonkwo",
    "Petrosyan", "Kowalczyk", "Takahashi", "Delacroix", "Fernandes", "Guadalajara", "Reykjavik", "Montero", "Zanzibar",
    "Henan", "Guizhou", "Yantai", "Wenzhou", "Lanzhou", "Liu Mingyuan", "Zhao Wenbo", "Sun Lihua", "Gao Jianping",
)  # fmt: skip


def swaps(item: Item, articles: Mapping[str, Article], names: Names, rng: random.Random) -> Iterator[tuple[str, str]]:
    """(change, question) for the swaps that `item` allows."""
    article = articles[item.gold[0][0]]
    text = fold_keep(f"{article.title}\n{article.text}")
    asked = profile(item.question)
    yield from _swap_years(item.question, text, rng)
    for change, pattern in (("ordinal", _ORDINAL), ("number", _NUMBER)):
        match = pattern.search(item.question)
        if match is not None and not any(a < match.end() and match.start() < b for a, b in asked.asking):
            other = rng.choice("二三四五六七八九") if change == "ordinal" else str(rng.randint(2, 980))
            if other != match[1] and f"第{other}" not in text:
                yield change, _put(item.question, match.span(1), other)
    if asked.language == "en":
        yield from _swap_english_name(item.question, rng)
        return
    yield from _swap_name(item.question, article.title, text, names, rng)
    yield from _swap_attribute(item.question, article, text, names, rng)


def _swap_years(question: str, text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    match = _YEAR.search(question)
    if match is not None:
        others = [str(int(match[1]) + gap) for gap in (-5, -3, -2, -1, 1, 2, 3, 6)]
        others = [year for year in others if year not in text]
        if others:
            yield "year", _put(question, match.span(1), rng.choice(others))


def _swap_english_name(question: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    found = list(_EN_NAME.finditer(question))
    if found:
        yield "name", _put(question, rng.choice(found).span(1), rng.choice(_EN_NAMES))


def _swap_name(question: str, title: str, text: str, names: Names, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Another name in the place of the title, or of a person, place or body that the article names."""
    folded = fold_keep(question)
    at = folded.find(fold_keep(title)) if len(title) > 1 else -1
    if at >= 0 and names.titles:
        yield "name", _put(question, (at, at + len(title)), rng.choice(names.titles))
        return
    for kind in _NAMED:
        spans = [(a, b) for a, b in typed_spans(folded, kind) if b - a > 1 and folded[a:b] in text]
        others = names.unknown[kind]
        if spans and others:
            other = rng.choice(others)
            if other not in text:
                yield "name", _put(question, rng.choice(spans), other)
                return


def _swap_attribute(
    question: str, article: Article, text: str, names: Names, rng: random.Random
) -> Iterator[tuple[str, str]]:
    """What was asked of another subject, asked of this one, where the article does not speak of it."""
    if not names.asked or not 2 <= len(article.title) <= 8:
        return
    for _ in range(4):
        other, title = rng.choice(names.asked)
        if title == article.title:
            continue
        words = {w for w in tokenize(other.replace(title, "")) if len(w) > 1}
        if sum(w not in text for w in words) >= 0.5 * len(words):
            yield "attribute", other.replace(title, article.title)
            return


def _put(text: str, span: tuple[int, int], other: str) -> str:
    return text[: span[0]] + other + text[span[1] :]
