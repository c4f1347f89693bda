"""Public retrieval test sets and their distractors, as files of one data folder.

Questions are to find the context that they were asked about: XQuAD (Artetxe et al., ACL 2020) and CMRC 2018
(Cui et al., EMNLP 2019) over contexts taken whole, among distractors from the news; sentences of NTREX-128
(Federmann et al., 2022) are to find their translation. These sets are for measuring only, never for training.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eval.collection import open_text
from eval.formats import read_squad
from rag.errors import QuestionSetError

NEWS_FILE = "news_zh.jsonl.gz"
NEWS_TEST_LINES = 6_000
"""The last lines of the news file are distractors of the tests and never read for training."""
PASSAGE_CHARACTERS = 400
DISTRACTORS = 12_000


@dataclass(frozen=True, slots=True)
class RetrievalTask:
    """Queries of which each has one right text."""

    name: str
    queries: tuple[str, ...]
    gold: tuple[int, ...]
    """Per query the index in `texts` of what it should find."""
    texts: tuple[str, ...]
    distracted: bool
    """Whether the texts stand among the distractors."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Which files make a task: its queries and the texts that they search."""

    name: str
    queries: str
    texts: str
    distracted: bool = False


_SOURCES = (
    _Source("XQuAD zh→zh", "xquad.zh.json.gz", "xquad.zh.json.gz", distracted=True),
    _Source("CMRC 2018 dev", "cmrc2018_dev.json.gz", "cmrc2018_dev.json.gz", distracted=True),
    _Source("XQuAD en→zh", "xquad.en.json.gz", "xquad.zh.json.gz", distracted=True),
    _Source("XQuAD zh→en (240)", "xquad.zh.json.gz", "xquad.en.json.gz"),
    _Source("NTREX zho-CN→eng", "ntrex.zho-CN.txt.gz", "ntrex.eng.txt.gz"),
    _Source("NTREX eng→zho-CN", "ntrex.eng.txt.gz", "ntrex.zho-CN.txt.gz"),
    _Source("NTREX zho-TW→eng", "ntrex.zho-TW.txt.gz", "ntrex.eng.txt.gz"),
)


def read_tasks(folders: Iterable[Path]) -> list[RetrievalTask]:
    """The tasks whose files lie in `folders`, in the order of the published table.

    :raises QuestionSetError: there are none, or a file is damaged.
    """
    places = tuple(folders)
    tasks = []
    for source in _SOURCES:
        files = [find_file(places, name) for name in (source.queries, source.texts)]
        if files[0] and files[1]:
            tasks.append(_read_task(source, files[0], files[1]))
    if not tasks:
        looked = ", ".join(str(place) for place in places)
        raise QuestionSetError(f"no public test set in {looked}; expected files such as {_SOURCES[0].queries}")
    return tasks


def find_file(folders: Iterable[Path], name: str) -> Path | None:
    """The file `name` in the first of `folders` that holds it."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, gzipped or not."""
    return open_text(path).rstrip("\n").split("\n")


def read_test_distractors(path: Path, limit: int = DISTRACTORS) -> list[str]:
    """The first `limit` passages of 400 characters of the last 6,000 articles of the news file."""
    return cut([json.loads(line)["text"] for line in read_lines(path)[-NEWS_TEST_LINES:]], limit)


def cut(texts: Iterable[str], limit: int) -> list[str]:
    """Consecutive slices of at most 400 characters of each text, at most `limit` in all."""
    size = PASSAGE_CHARACTERS
    return [text[i : i + size] for text in texts for i in range(0, len(text), size)][:limit]


def _read_task(source: _Source, queries_file: Path, texts_file: Path) -> RetrievalTask:
    if queries_file.name.endswith(".txt.gz"):
        queries, texts = read_lines(queries_file), read_lines(texts_file)
        gold = list(range(len(queries)))
    else:
        collection = read_squad(queries_file)
        place = {article.id: number for number, article in enumerate(collection.articles)}
        asked = [question for question in collection.question_set.questions if question.articles]
        queries = [question.text for question in asked]
        gold = [place[question.articles[0].id] for question in asked]
        texts = [article.text for article in read_squad(texts_file).articles]
    if max(gold, default=-1) >= len(texts):
        raise QuestionSetError(f"{queries_file} and {texts_file} do not belong together: their texts are not aligned")
    return RetrievalTask(source.name, tuple(queries), tuple(gold), tuple(texts), source.distracted)
