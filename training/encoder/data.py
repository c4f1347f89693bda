"""Training data: raw files -> texts, and texts -> flat token arrays with sentence and passage borders."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

NEWS_TEST_LINES = 6_000
"""The last lines of the news file are distractors of the tests and never read for training."""
NEWS_DEV_LINES = 2_000
"""The lines before them are distractors while hyper-parameters are chosen."""
PARALLEL_DEV_PAIRS = 1_500
"""Of each source in `_PARALLEL_DEV`: its last pairs, so that whole texts are held out."""
PASSAGE_CHARACTERS = 400

_PARALLEL_DEV = ("wmt21", "news-cn")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;\n]+[”’」』\"')）]*|$)")
_DATE_PREFIX = re.compile(r"^.{0,40}?，?正文：")
Ints = npt.NDArray[np.int64]
Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence in both languages."""

    zh: str
    en: str
    source: str


@dataclass(frozen=True, slots=True)
class QuestionPair:
    """A question and the paragraph that answers it; `group` names the article that it is from."""

    question: str
    context: str
    group: str


@dataclass(frozen=True, slots=True)
class Spans:
    """Texts as one token array: text `i` is `tokens[starts[i]:starts[i + 1]]`."""

    tokens: Tokens
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences, the passages they form and the articles these come from.

    Passage `p` holds sentences `passages[p]` to `passages[p + 1]`; `groups[p]` is its article.
    """

    sentences: Spans
    passages: Ints
    groups: Ints


def read_news(path: Path) -> tuple[list[str], list[str]]:
    """Article bodies for training and, never trained on, for distractors of development."""
    bodies = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            bodies.append(_DATE_PREFIX.sub("", json.loads(line)["text"], count=1))
    usable = bodies[: len(bodies) - NEWS_TEST_LINES]
    return usable[:-NEWS_DEV_LINES], usable[-NEWS_DEV_LINES:]


def read_test_distractors(path: Path, limit: int) -> list[str]:
    """The first `limit` passages of 400 characters of the last 6,000 articles of the news file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][-NEWS_TEST_LINES:]
    return cut(texts, limit)


def cut(texts: Iterable[str], limit: int) -> list[str]:
    """Consecutive slices of at most 400 characters of each text, at most `limit` in all."""
    size = PASSAGE_CHARACTERS
    return [text[i : i + size] for text in texts for i in range(0, len(text), size)][:limit]


def read_parallel(path: Path) -> tuple[list[Pair], list[Pair]]:
    """Sentence pairs for training and, sharing no sentence with them, for development.

    Left out: exact repetitions, pairs whose Chinese has no Chinese character, prompts of test suites
    (`英文：…`), and pairs whose lengths differ too much to be translations.
    """
    pairs: dict[tuple[str, str], Pair] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            pair = Pair(record["zh"].strip(), record["en"].strip(), record["source"])
            if _is_translation(pair):
                pairs.setdefault((pair.zh, pair.en), pair)
    kept = list(pairs.values())
    dev = [pair for source in _PARALLEL_DEV for pair in [p for p in kept if p.source == source][-PARALLEL_DEV_PAIRS:]]
    held_zh, held_en = {p.zh for p in dev}, {p.en for p in dev}
    train = [p for p in kept if p.zh not in held_zh and p.en not in held_en]
    return train, _one_per_sentence(dev)


def read_questions(paths: Iterable[Path]) -> list[QuestionPair]:
    """Questions of files in SQuAD format with their paragraphs."""
    pairs = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            articles = json.load(file)["data"]
        for number, article in enumerate(articles):
            for paragraph in article["paragraphs"]:
                group = f"{path.name}:{article.get('title', number)}"
                pairs += [QuestionPair(qa["question"], paragraph["context"], group) for qa in paragraph["qas"]]
    return pairs


def sentences_of(text: str) -> list[str]:
    """`text` cut after sentence ends; nothing is lost but empty pieces."""
    return [piece for piece in _SENTENCE.findall(text) if piece.strip()]


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> Spans:
    """Token ids of `texts`, without unknown tokens."""
    arrays: list[npt.NDArray[np.int32]] = []
    lengths = np.zeros(len(texts) + 1, dtype=np.int64)
    for begin in range(0, len(texts), 10_000):
        batch = tokenizer.encode_batch_fast(list(texts[begin : begin + 10_000]), add_special_tokens=False)
        for i, encoding in enumerate(batch, begin + 1):
            ids = np.array(encoding.ids, dtype=np.int32)
            arrays.append(ids[ids != 0])
            lengths[i] = len(arrays[-1])
    return Spans(np.concatenate(arrays) if arrays else np.zeros(0, np.int32), np.cumsum(lengths))


def build_corpus(tokenizer: Tokenizer, articles: Iterable[Iterable[str]], size: int = PASSAGE_CHARACTERS) -> Corpus:
    """Sentences of articles packed into passages of at most `size` characters."""
    sentences: list[str] = []
    passages, groups = [0], []
    for number, article in enumerate(articles):
        for first, last in _packed(list(article), size):
            sentences += first
            passages.append(last + passages[-1])
            groups.append(number)
    return Corpus(tokenize(tokenizer, sentences), np.array(passages), np.array(groups))


def _packed(sentences: list[str], size: int) -> Iterator[tuple[list[str], int]]:
    held: list[str] = []
    for sentence in sentences:
        if held and sum(map(len, held)) + len(sentence) > size:
            yield held, len(held)
            held = []
        held.append(sentence)
    if held:
        yield held, len(held)


def _is_translation(pair: Pair) -> bool:
    if not re.search(r"[一-鿿]", pair.zh) or not re.search(r"[A-Za-z]", pair.en):
        return False
    if pair.zh.startswith(("英文：", "英文:")) or pair.en.startswith("English:"):
        return False
    ratio = len(pair.en) / len(pair.zh)
    return 1.0 <= ratio <= 8.0


def _one_per_sentence(pairs: list[Pair]) -> list[Pair]:
    seen: set[str] = set()
    kept = []
    for pair in pairs:
        if pair.zh not in seen and pair.en not in seen:
            kept.append(pair)
            seen |= {pair.zh, pair.en}
    return kept
