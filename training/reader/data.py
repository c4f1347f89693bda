"""Questions with realistic hits for training the reader: answerable ones, and ones whose answer was taken away.

Three kinds: human questions of DRCD and CMRC 2018 trial; sentences of news articles with a span asked for that
another sentence of the article repeats (after Splinter, arXiv 2101.00438); English sentences with a span asked
for that must be found in the Chinese translation. All are answered from the ten best passages of a common
pool, where the gold passage competes with other passages of its article and with news.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from rag.answering.question_type import AnswerType, profile
from rag.answering.reader_spans import typed_spans
from rag.answering.reader_text import fold_keep
from rag.config import PassageSettings
from rag.encoder import Encoder, StaticEncoder
from rag.fusion import reciprocal_rank_fusion
from rag.lexicon import is_stopword
from rag.passages import indexed_text, split_article
from rag.sentences import clause_spans, sentence_spans
from rag.tokens import _simplified, is_chinese, tokenize
from rag.types import Article, Hit, Passage

Span = tuple[int, int]
Gold = tuple[str, int, int]
"""Article id and the offsets of the answer in its text."""

NEWS_HELD_OUT = 6_000
PER_ARTICLE = 3
TOP_K = 10


@dataclass(frozen=True)
class Item:
    """A question before retrieval."""

    question: str
    gold: tuple[Gold, ...]
    answer: str
    """Text of the answer; empty when it is not literal."""
    kind: str
    hidden: tuple[Gold, ...] = ()
    """Sentences that the question was made from; they are never shown."""
    group: str = ""
    """Questions of one group stay on one side of a split."""


@dataclass(frozen=True)
class Example:
    """A question with hits; `gold` is empty when they do not answer it."""

    question: str
    hits: tuple[Hit, ...]
    gold: tuple[Gold, ...]
    kind: str
    group: str


class Pool:
    """Articles cut into passages and searched as Jinwen does: BM25 and vectors, fused by reciprocal rank."""

    def __init__(self, articles: Sequence[Article], encoder: Encoder) -> None:
        self.articles = {article.id: article for article in articles}
        self.passages: list[Passage] = []
        self._encoder = encoder
        self._ids: dict[str, int] = {}
        rows, columns, lengths = [], [], []
        values: list[float] = []
        texts: list[str] = []
        for article in articles:
            for passage in split_article(article, PassageSettings()):
                texts.append(indexed_text(article, passage))
                counts = Counter(tokenize(texts[-1]))
                for token, n in counts.items():
                    rows.append(len(self.passages))
                    columns.append(self._ids.setdefault(token, len(self._ids)))
                    values.append(float(n))
                lengths.append(sum(counts.values()))
                self.passages.append(passage)
        self._matrix = _bm25(np.array(values), np.array(rows), np.array(columns), np.array(lengths), len(self._ids))
        self._vectors = encoder.encode_passages(texts)

    def search(self, question: str) -> list[Hit]:
        """Best first, at most `PER_ARTICLE` passages of one article, `3 * TOP_K` in all."""
        lexical = np.zeros(len(self.passages))
        for token in tokenize(question):
            column = self._ids.get(token)
            if column is not None:
                begin, end = self._matrix.indptr[column], self._matrix.indptr[column + 1]
                lexical[self._matrix.indices[begin:end]] += self._matrix.data[begin:end]
        dense = self._vectors @ self._encoder.encode_queries([question])[0]
        by_word = [i for i in _best(lexical) if lexical[i] > 0]
        by_vector = _best(dense)
        fused = reciprocal_rank_fusion([by_vector, by_word])
        return self._hits(fused, dict(_ranked(by_vector, dense)), dict(_ranked(by_word, lexical)))

    def insert(self, hits: list[Hit], gold: Gold, rng: random.Random) -> list[Hit]:
        """`hits` with the gold passage at a random rank of the first ten, unless they hold it already."""
        if any(_holds(hit.passage, gold) for hit in hits[:TOP_K]):
            return hits
        passage = next((p for p in self.passages if _holds(p, gold)), None)
        if passage is None:
            return hits
        at = rng.randrange(TOP_K)
        score = hits[min(at, len(hits) - 1)].dense_score if hits else None
        hit = Hit(at + 1, 0.0, passage, self.articles[passage.article_id], at + 1, score)
        placed = [*hits[:at], hit, *hits[at:]]
        return [dataclasses.replace(h, rank=rank) for rank, h in enumerate(placed, 1)]

    def _hits(
        self,
        fused: Sequence[tuple[int, float]],
        dense: dict[int, tuple[int, float]],
        lexical: dict[int, tuple[int, float]],
    ) -> list[Hit]:
        taken: Counter[str] = Counter()
        hits: list[Hit] = []
        for i, score in fused:
            passage = self.passages[i]
            taken[passage.article_id] += 1
            if taken[passage.article_id] > PER_ARTICLE:
                continue
            in_dense, in_lexical = dense.get(i, (None, None)), lexical.get(i, (None, None))
            article = self.articles[passage.article_id]
            hits.append(Hit(len(hits) + 1, score, passage, article, *in_dense, *in_lexical))
            if len(hits) == 3 * TOP_K:
                break
        return hits


def _best(scores: np.ndarray, depth: int = 100) -> list[int]:
    best = np.argpartition(-scores, depth)[:depth]
    return [int(i) for i in best[np.argsort(-scores[best])]]


def _ranked(order: Sequence[int], scores: np.ndarray) -> Iterator[tuple[int, tuple[int, float]]]:
    for rank, i in enumerate(order, 1):
        yield i, (rank, float(scores[i]))


def _bm25(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, lengths: np.ndarray, width: int
) -> sparse.csc_matrix:
    n = len(lengths)
    df = np.bincount(columns, minlength=width)
    idf = np.log(1 + (n - df + 0.5) / (df + 0.5))
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
    weights = idf[columns] * values * 2.2 / (values + norm[rows])
    return sparse.csc_matrix((weights, (rows, columns)), shape=(n, width))


def read_squad(file: Path, kind: str) -> tuple[list[Article], list[Item]]:
    """Articles (the paragraphs of one title, joined by line breaks) and questions of a SQuAD file, simplified."""
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        data = json.load(stream)["data"]
    table = _simplified()
    articles, items = [], []
    for number, entry in enumerate(data):
        article_id = f"{kind}-{number}"
        texts = [p["context"].translate(table).replace("\n", " ") for p in entry["paragraphs"]]
        starts = np.cumsum([0, *(len(t) + 1 for t in texts)])
        articles.append(Article(article_id, entry.get("title", "").translate(table), "\n".join(texts), kind))
        for paragraph, offset in zip(entry["paragraphs"], starts, strict=False):
            for qa in paragraph["qas"]:
                answer = qa["answers"][0]
                begin = int(offset) + answer["answer_start"]
                gold = (article_id, begin, begin + len(answer["text"]))
                text = answer["text"].translate(table)
                items.append(Item(qa["question"].translate(table), (gold,), text, kind, group=article_id))
    return articles, items


def read_news(file: Path, begin: int, end: int) -> list[Article]:
    """News articles `begin` to `end` of the file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:-NEWS_HELD_OUT][begin:end]
    articles = []
    for row in rows:
        body = row["text"].partition("正文：")[2].strip()
        if 100 < len(body) < 4000:
            articles.append(Article(f"news-{row['id']}", "", body, "news"))
    return articles


_ASK = {
    AnswerType.NUMBER: ("多少{unit}",),
    AnswerType.DATE: ("哪天", "什么时候", "几月几日", "何时"),
    AnswerType.PERSON: ("谁", "哪位", "谁"),
    AnswerType.ORGANISATION: ("哪家单位", "哪个机构", "哪家"),
    AnswerType.NAME: ("什么", "叫什么"),
}


def cloze_items(articles: Sequence[Article], rng: random.Random, limit: int) -> list[Item]:
    """Questions made from a sentence whose span another sentence of the same article repeats."""
    items: list[Item] = []
    for article in articles:
        spans = sentence_spans(article.text)
        options = list(_repeated(article, spans))
        rng.shuffle(options)
        for kind, answer, (source, where) in options[:2]:
            question = _ask_for(article.text, spans[source], where, kind, rng)
            others = [
                (article.id, m.start(), m.end())
                for m in re.finditer(re.escape(answer), article.text)
                if not spans[source][0] <= m.start() < spans[source][1]
            ]
            if question and others:
                hidden = ((article.id, *spans[source]),)
                items.append(Item(question, tuple(others), answer, "cloze", hidden, article.id))
        if len(items) >= limit:
            break
    return items


def _repeated(article: Article, spans: list[Span]) -> Iterator[tuple[AnswerType, str, tuple[int, Span]]]:
    """(kind, answer, (sentence number, span in it)) for spans that two or three unlike sentences share."""
    places: dict[tuple[AnswerType, str], list[tuple[int, Span]]] = {}
    for number, (start, end) in enumerate(spans):
        text = fold_keep(article.text[start:end])
        for kind in _ASK:
            for a, b in typed_spans(text, kind):
                if 2 <= b - a <= 20 and _can_be_asked(kind, text[a:b]):
                    places.setdefault((kind, article.text[start + a : start + b]), []).append((number, (a, b)))
    for (kind, answer), found in places.items():
        numbers = sorted({number for number, _ in found})
        if 2 <= len(numbers) <= 3 and article.text.count(answer) == len(found):
            first, second = (article.text[slice(*spans[n])] for n in numbers[:2])
            if 0.08 < _alike(first, second) < 0.5:
                yield kind, answer, found[-1] if len(found) % 2 else found[0]


def _can_be_asked(kind: AnswerType, answer: str) -> bool:
    if kind is AnswerType.NUMBER:
        return len(answer) > 2 and answer[0].isdigit() and not answer.isdigit() and answer[-1] not in "年月日号时"
    return kind is not AnswerType.DATE or answer[0].isdigit()


def _alike(a: str, b: str) -> float:
    x, y = set(tokenize(a)), set(tokenize(b))
    return len(x & y) / max(1, min(len(x), len(y)))


def _ask_for(text: str, sentence: Span, where: Span, kind: AnswerType, rng: random.Random) -> str | None:
    """The clauses around the span with asking words in its place, some words dropped; None when they say too little."""
    start, end = sentence[0] + where[0], sentence[0] + where[1]
    clauses = clause_spans(text, *sentence)
    at = next((i for i, (a, b) in enumerate(clauses) if a <= start < b), None)
    if at is None or clauses[at][1] < end:
        return None
    first = at
    while first > 0 and clauses[at][1] - clauses[first][0] < 18:
        first -= 1
    before, after = text[clauses[first][0] : start], text[end : clauses[at][1]]
    if not 8 <= len(before) + len(after) <= 50:
        return None
    unit = re.sub(r"^[\d.,万亿千百余多]+", "", text[start:end])
    asking = rng.choice(_ASK[kind]).format(unit=unit)
    if unit and kind is AnswerType.NUMBER and rng.random() < 0.3:
        asking = "多少"
    pieces = [p for p in re.split(r"(?<=[，,、的了在为是和])", before) if p]
    before = "".join(p for p in pieces if len(pieces) < 3 or rng.random() > 0.2)
    return f"{before}{asking}{after}".strip("，,。；;：: ") + "？"


def parallel_items(
    file: Path, begin: int, end: int, rng: random.Random, limit: int
) -> tuple[list[Article], list[Item]]:
    """Pseudo-articles of consecutive Chinese sentences, and English questions made from their translations."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for i, line in enumerate(lines) if begin <= i < end]
    articles, items = [], []
    for number in range(0, len(rows), 12):
        block = [r for r in rows[number : number + 12] if len(r["zh"]) >= 8]
        text, starts = "", []
        for row in block:
            starts.append(len(text))
            text += row["zh"].replace("\n", " ").strip() + "\n"
        if not block:
            continue
        article = Article(f"pair-{begin + number}", "", text, "pairs")
        articles.append(article)
        for row, start in zip(block, starts, strict=True):
            question = english_question(row["en"], rng)
            if question and len(items) < limit and rng.random() < 0.7:
                stop = start + len(row["zh"].strip())
                asked, answer = question
                at = text.find(answer, start, stop) if answer else -1
                if answer and at < 0:
                    continue
                gold = (article.id, at, at + len(answer)) if answer else (article.id, start, stop)
                items.append(Item(asked, (gold,), answer, "crosslingual", group=article.id))
    return articles, items


_EN_NUMBER = re.compile(r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w-]|[.,]\d)(\s?%| percent)?")
_EN_NAME = re.compile(r"(?<=[a-z,] )([A-Z][a-z]+ [A-Z][a-z]+)(?= [a-z])")


def english_question(sentence: str, rng: random.Random) -> tuple[str, str] | None:
    """(question, Arabic digits of the answer or "") from an English sentence; None when nothing can be asked."""
    words = sentence.split()
    if not 8 <= len(words) <= 40:
        return None
    sentence = " ".join(words)
    number, name = _EN_NUMBER.search(sentence), _EN_NAME.search(sentence)
    answer = ""
    if number and rng.random() < 0.9:
        digits = number.group(1).replace(",", "")
        year = re.fullmatch(r"(?:19|20)\d\d", digits) is not None
        ask = "which year" if year else ("what percentage" if number.group(2) else "how many")
        span, answer = number.span(), digits
    elif name and rng.random() < 0.6:
        ask, span = "who", name.span()
    elif rng.random() < 0.7:
        return None
    else:
        begin = rng.randrange(2, len(words) - 3)
        piece = " ".join(words[begin : begin + rng.choice((1, 2, 3))])
        ask, span = "what", (sentence.index(piece), sentence.index(piece) + len(piece))
    before, after = sentence[: span[0]].split()[-9:], sentence[span[1] :].split()[:9]
    kept = [w for w in before + [""] + after if not w or is_stopword(w.lower()) or rng.random() > 0.25]
    cut = kept.index("")
    text = " ".join([*kept[:cut], ask, *kept[cut + 1 :]]).strip(" ,.;:\"'")
    content = [w for w in re.findall(r"[a-z]+", text.lower()) if not is_stopword(w)]
    return (f"{text}?", answer) if len(content) >= 4 else None


class Paraphraser:
    """Replaces words of a question by words of like meaning, so that the reader learns to see through wording."""

    def __init__(self, encoder: StaticEncoder, rng: random.Random) -> None:
        norms = np.linalg.norm(encoder.table, axis=1, keepdims=True)
        self._unit = encoder.table / np.maximum(norms, 1e-9)
        self._encoder = encoder
        self._rng = rng
        self._near: dict[int, list[str]] = {}

    def __call__(self, question: str) -> str:
        """`question` with most of its words of two or more characters replaced."""
        asked = profile(question)
        encoding = self._encoder.tokenizer.encode(question, add_special_tokens=False)
        text = question
        for number, (start, end) in reversed(list(zip(encoding.ids, encoding.offsets, strict=True))):
            asks = any(a < end and start < b for a, b in asked.asking)
            if asks or end - start < 2 or not is_chinese(question[start:end]) or self._rng.random() < 0.3:
                continue
            options = self._like(number)
            if self._rng.random() < 0.15:
                text = text[:start] + text[end:]
            elif options:
                text = text[:start] + self._rng.choice(options) + text[end:]
        return text

    def _like(self, number: int) -> list[str]:
        if number not in self._near:
            cosines = self._unit @ self._unit[number]
            nearest = [int(i) for i in np.argsort(-cosines)[1:7] if cosines[i] > 0.25]
            words = [(self._encoder.tokenizer.id_to_token(i) or "") for i in nearest]
            self._near[number] = [w for w in words if len(w) > 1 and is_chinese(w)]
        return self._near[number]


def examples(pool: Pool, items: Sequence[Item], rng: random.Random) -> Iterator[Example]:
    """Each question with its hits; some again with the answer's sentence or passages taken away."""
    for item in items:
        found = pool.search(item.question)
        if item.kind == "crosslingual":
            found = pool.insert(found, item.gold[0], rng)
        yield from _example(item, found[:TOP_K], item.hidden)
        draw = rng.random()
        if draw < 0.3:
            hidden = item.hidden + tuple(_sentence_of(pool, gold) for gold in item.gold)
            yield from _example(item, found[:TOP_K], hidden, answerable=False)
        elif draw < 0.6:
            kept = [hit for hit in found if not any(_holds(hit.passage, gold) for gold in item.gold)]
            yield from _example(item, kept[:TOP_K], item.hidden, answerable=False)


def _holds(passage: Passage, gold: Gold) -> bool:
    return passage.article_id == gold[0] and passage.start < gold[2] and gold[1] < passage.end


def _sentence_of(pool: Pool, gold: Gold) -> Gold:
    text = pool.articles[gold[0]].text
    inside = [(a, b) for a, b in sentence_spans(text) if a < gold[2] and gold[1] < b]
    return (gold[0], inside[0][0], inside[-1][1]) if inside else gold


def _example(item: Item, hits: Sequence[Hit], hidden: Sequence[Gold], *, answerable: bool = True) -> Iterator[Example]:
    """The example with the `hidden` spans cut out of their articles; nothing when it would be ambiguous."""
    shown, gold = _cut(hits, item.gold, hidden)
    present = tuple(g for g in gold if any(_holds(hit.passage, g) for hit in shown))
    if not answerable or not present:
        literal = item.answer and any(item.answer in hit.passage.text for hit in shown)
        if (literal and len(item.answer) > 1) or not shown:
            return
        present = ()
    yield Example(item.question, tuple(shown), present, item.kind, item.group)


def _cut(hits: Sequence[Hit], gold: Sequence[Gold], hidden: Sequence[Gold]) -> tuple[list[Hit], list[Gold]]:
    """Hits and gold spans after the hidden spans have been removed from the texts."""
    shown = list(hits)
    kept = list(gold)
    for article_id, start, end in sorted(set(hidden), key=lambda g: -g[1]):
        gone = end - start

        def move(at: int, start: int = start, end: int = end, gone: int = gone) -> int:
            return at if at <= start else max(start, at - gone) if at >= end else start

        kept = [
            (i, move(a), move(b)) if i == article_id else (i, a, b)
            for i, a, b in kept
            if not (i == article_id and a < end and start < b)
        ]
        moved: list[Hit] = []
        for hit in shown:
            if hit.article.id == article_id:
                text = hit.article.text[:start] + hit.article.text[end:]
                a, b = move(hit.passage.start), move(hit.passage.end)
                if a >= b:
                    continue
                article = dataclasses.replace(hit.article, text=text)
                moved.append(dataclasses.replace(hit, article=article, passage=Passage(article_id, a, b, text[a:b])))
            else:
                moved.append(hit)
        shown = moved
    return [dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(shown, 1)], kept
