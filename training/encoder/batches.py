"""Training pairs as bags of tokens: who is pulled towards whom, and who counts as a negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.encoder.data import Corpus, Ints, Pair, QuestionPair, Spans, Tokens, build_corpus, sentences_of, tokenize

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bags:
    """`n` bags of tokens: bag `i` is `tokens[starts[i]:starts[i + 1]]`."""

    tokens: Tokens
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Row `i` of `left` belongs to row `i` of `right`; `right` may have further rows, all negatives.

    `same` holds further pairs (row of left, row of right) that must not count as negatives.
    """

    left: Bags
    right: Bags
    same: tuple[Ints, Ints]


def gather(spans: Spans, first: Ints, last: Ints) -> tuple[Tokens, Ints, Ints]:
    """Tokens of the texts `first[i]` to `last[i]` (exclusive) of each row: tokens, their places, row of each."""
    begin, end = spans.starts[first], spans.starts[last]
    lengths = end - begin
    rows = np.repeat(np.arange(len(first)), lengths)
    places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + np.repeat(begin, lengths)
    return spans.tokens[places], places, rows


def pack(tokens: Tokens, rows: Ints, size: int, keep: Bools | None = None) -> Bags:
    """Bags from tokens with the (ascending) row of each, leaving out where `keep` is false."""
    if keep is not None:
        tokens, rows = tokens[keep], rows[keep]
    return Bags(tokens, np.searchsorted(rows, np.arange(size + 1)))


def thinned(tokens: Tokens, rows: Ints, size: int, rng: np.random.Generator, low: float, high: float) -> Bags:
    """Bags from which tokens are dropped at random; the share kept is drawn for each row."""
    share = rng.uniform(low, high, size)
    return pack(tokens, rows, size, rng.random(len(tokens)) < share[rows])


class Surroundings:
    """A thinned sentence of an article against the passage that it stands in, sometimes without it.

    The other passages of its article are in the same batch, as the hardest negatives.
    (Inverse cloze task: Lee, Chang and Toutanova, ACL 2019.)
    """

    def __init__(self, corpus: Corpus, keep_sentence: float = 0.5, per_article: int = 4) -> None:
        self.corpus = corpus
        self.per_article = per_article
        self.keep_sentence = keep_sentence
        self._article_starts = np.searchsorted(corpus.groups, np.arange(corpus.groups[-1] + 2))

    def sample(self, size: int, rng: np.random.Generator) -> Batch:
        """One batch of `size` passages."""
        passages = self.passages(size, rng)
        first, last = self.corpus.passages[passages], self.corpus.passages[passages + 1]
        chosen = first + (rng.random(size) * (last - first)).astype(np.int64)
        spans = self.corpus.sentences
        tokens, _, rows = gather(spans, chosen, chosen + 1)
        left = thinned(tokens, rows, size, rng, 0.25, 0.9)
        tokens, places, rows = gather(spans, first, last)
        removed = (rng.random(size) >= self.keep_sentence) & (last - first > 1)
        inside = (places >= spans.starts[chosen][rows]) & (places < spans.starts[chosen + 1][rows])
        return Batch(left, pack(tokens, rows, size, ~(inside & removed[rows])), _no_pairs())

    def passages(self, size: int, rng: np.random.Generator) -> Ints:
        """`size` passages of random articles, at most `per_article` of each."""
        articles = rng.choice(len(self._article_starts) - 1, size=size, replace=False)
        chosen: list[Ints] = []
        count = 0
        for article in articles:
            run = np.arange(self._article_starts[article], self._article_starts[article + 1])
            if len(run) > self.per_article:
                run = np.sort(rng.choice(run, self.per_article, replace=False))
            chosen.append(run)
            count += len(run)
            if count >= size:
                break
        return np.concatenate(chosen)[:size]


class Translations:
    """Sentences and their translations; also a thinned sentence against the other language's surroundings."""

    def __init__(self, tokenizer: Tokenizer, pairs: Sequence[Pair], reach: int = 3, least_kept: float = 0.7) -> None:
        self.zh = tokenize(tokenizer, [p.zh for p in pairs])
        self.en = tokenize(tokenizer, [p.en for p in pairs])
        self.reach = reach
        self.least_kept = least_kept
        self._zh_id = np.unique([p.zh for p in pairs], return_inverse=True)[1]
        self._en_id = np.unique([p.en for p in pairs], return_inverse=True)[1]

    def sample(self, size: int, rng: np.random.Generator, surroundings: bool) -> Batch:
        """One batch: English against Chinese, in either direction where one side is a passage."""
        chosen = rng.choice(len(self.zh), size=size, replace=False)
        near, far = (self.en, self.zh) if rng.random() < 0.5 else (self.zh, self.en)
        tokens, _, rows = gather(near, chosen, chosen + 1)
        if not surroundings:
            left = thinned(tokens, rows, size, rng, self.least_kept, 1.2)
            tokens, _, rows = gather(far, chosen, chosen + 1)
            return Batch(left, thinned(tokens, rows, size, rng, self.least_kept, 1.2), self._same(chosen))
        left = thinned(tokens, rows, size, rng, 0.3, 1.0)
        first = np.maximum(chosen - rng.integers(0, self.reach + 1, size), 0)
        last = np.minimum(chosen + 1 + rng.integers(0, self.reach + 1, size), len(self.zh))
        tokens, _, rows = gather(far, first, last)
        return Batch(left, pack(tokens, rows, size), self._same(chosen))

    def _same(self, chosen: Ints) -> tuple[Ints, Ints]:
        zh, en = self._zh_id[chosen], self._en_id[chosen]
        rows, columns = np.nonzero((zh[:, None] == zh[None]) | (en[:, None] == en[None]))
        other = rows != columns
        return rows[other], columns[other]


class Questions:
    """Questions against the paragraphs that answer them, with passages of the news as further negatives."""

    def __init__(self, tokenizer: Tokenizer, pairs: Sequence[QuestionPair], news: Surroundings) -> None:
        self.questions = tokenize(tokenizer, [p.question for p in pairs])
        contexts = sorted({p.context for p in pairs})
        number = {context: i for i, context in enumerate(contexts)}
        self.contexts = tokenize(tokenizer, contexts)
        self._context_of = np.array([number[p.context] for p in pairs])
        self._news = news

    def sample(self, size: int, rng: np.random.Generator) -> Batch:
        """One question for each of at most `size` paragraphs, and as many passages of the news."""
        order = rng.permutation(len(self.questions))
        contexts, where = np.unique(self._context_of[order], return_index=True)
        picked = rng.permutation(len(contexts))[:size]
        contexts, asked = contexts[picked], order[where[picked]]
        tokens, _, rows = gather(self.questions, asked, asked + 1)
        left = thinned(tokens, rows, len(asked), rng, 0.6, 1.2)
        tokens, _, rows = gather(self.contexts, contexts, contexts + 1)
        right = pack(tokens, rows, len(contexts), rng.random(len(tokens)) < 0.9)
        corpus = self._news.corpus
        extra = self._news.passages(size, rng)
        tokens, _, rows = gather(corpus.sentences, corpus.passages[extra], corpus.passages[extra + 1])
        negatives = pack(tokens, rows, size)
        return Batch(left, _joined(right, negatives), _no_pairs())


def english_corpus(tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Corpus:
    """The English sentences, each once, in file order, as articles of about 20 sentences."""
    unique = list(dict.fromkeys(p.en for p in pairs))
    return build_corpus(tokenizer, (unique[i : i + 20] for i in range(0, len(unique), 20)), 1_000)


def news_corpus(tokenizer: Tokenizer, articles: Sequence[str]) -> Corpus:
    """Articles cut into sentences and passages."""
    return build_corpus(tokenizer, (sentences_of(text) for text in articles))


def _joined(first: Bags, second: Bags) -> Bags:
    return Bags(
        np.concatenate([first.tokens, second.tokens]),
        np.concatenate([first.starts, second.starts[1:] + first.starts[-1]]),
    )


def _no_pairs() -> tuple[Ints, Ints]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)
