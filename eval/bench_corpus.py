"""Articles to index while the clock runs: news from a data folder, or text mixed from the sample library."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from eval.public_retrieval import NEWS_FILE, PASSAGE_CHARACTERS, cut, find_file
from rag.config import PassageSettings
from rag.passages import split_article
from rag.tokens import is_chinese
from rag.types import Article

_PER_FILE = 1_000
"""Articles in one file, as an export tool writes them."""
_CALIBRATION = 300
_SEED = 7
_CLAUSE = re.compile(r"[^，。；！？,;!?\s]{4,30}")
_DIGIT = re.compile(r"\d")
_NAMED_CHARACTERS = 3_000


def read_texts(folders: Sequence[Path], sample: Callable[[], Iterable[Article]]) -> Iterator[str]:
    """Texts of articles: the news file of `folders` in order; without one, an endless mix of those of `sample`."""
    news = find_file(folders, NEWS_FILE)
    if news is None:
        yield from mixed_texts([article.text for article in sample() if is_chinese(article.text)])
        return
    with gzip.open(news, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def mixed_texts(texts: Sequence[str]) -> Iterator[str]:
    """Endless articles of about 900 characters, made of clauses of `texts` in another order with other numbers.

    Each sentence also names somebody who does not exist, so that no two are alike. The words are few, which
    makes lexical queries slower than over real news.
    """
    clauses = [clause for text in texts for clause in _CLAUSE.findall(text)]
    draw = random.Random(_SEED)
    while True:
        sentences: list[str] = []
        while sum(map(len, sentences)) < 900:
            chosen = [_DIGIT.sub(lambda _: str(draw.randrange(10)), c) for c in draw.choices(clauses, k=3)]
            name = "".join(chr(0x4E00 + draw.randrange(_NAMED_CHARACTERS)) for _ in range(3))
            sentences.append(f"{name}说，{'，'.join(chosen)}。")
        yield "".join(sentences)


def write_files(texts: Iterable[str], folder: Path, passages: int | None, settings: PassageSettings) -> list[str]:
    """Write as many articles as give about `passages` passages (None: all), as files of 1,000 records in `folder`.

    :returns: some of the texts, evenly spread, for queries.
    """
    source = iter(texts)
    head = list(islice(source, _CALIBRATION))
    per_character = _passages(head, settings) / max(1, sum(map(len, head)))
    most_characters = float("inf") if passages is None else passages / per_character
    written = characters = 0
    kept: list[str] = []
    batch: list[str] = []
    for text in chain(head, source):
        if characters >= most_characters:
            break
        batch.append(json.dumps({"id": str(written), "text": text}, ensure_ascii=False))
        characters += len(text)
        written += 1
        if written % 10 == 1:
            kept.append(text)
        if len(batch) == _PER_FILE:
            _write(folder, written, batch)
            batch = []
    if batch:
        _write(folder, written, batch)
    return kept


def queries_of(texts: Sequence[str], count: int) -> list[str]:
    """Up to `count` queries: a clause or two out of the middle of each of as many texts, evenly spread."""
    step = max(1, len(texts) // count)
    found = []
    for text in texts[::step][:count]:
        clauses = _CLAUSE.findall(text) or [text]
        middle = len(clauses) // 3
        found.append("".join(clauses[middle : middle + 2])[:30])
    return found


def full_passages(texts: Iterable[str], count: int) -> list[str]:
    """`count` slices of exactly 400 characters."""
    slices = (piece for text in texts for piece in cut([text], len(text)) if len(piece) == PASSAGE_CHARACTERS)
    return list(islice(slices, count))


def _passages(texts: Sequence[str], settings: PassageSettings) -> int:
    return sum(len(split_article(Article("0", "", text, ""), settings)) for text in texts)


def _write(folder: Path, number: int, lines: Sequence[str]) -> None:
    (folder / f"articles-{number:06d}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
