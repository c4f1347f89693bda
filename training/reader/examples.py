"""Questions with their answers, one shape for all sets: human, translated, written by us over news.

What is read: the sets of `DATA/qa`, the SQuAD-format files beside it, and `training/reader/questions` (our own
questions; they name articles of `DATA/news_zh.jsonl.gz` and offsets, and hold none of their text).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rag.conversation import in_context
from rag.tokens import fold

Span = tuple[int, int]

QUESTIONS_DIR: Final = Path(__file__).resolve().parent / "questions"
NEWS_HELD_OUT: Final = 6_000
"""Last lines of the news that no training may read."""

QA_SETS: Final = (
    "cmrc2018_train", "squad_zh_mt", "squad2_en_half", "mlqa_dev", "tydi_en_train", "chronoqa", "crud_news_qa",
    "antiterror_news_zh", "webqa_test_ann", "cjrc", "dureader_robust_dev",
)  # fmt: skip
"""Files of `DATA/qa` that are read; bipar is not to be had for weights that ship."""
SQUAD_FILES: Final = ("drcd_dev", "drcd_test", "cmrc2018_trial")
_LEAST_CONFIDENCE: Final = 0.6
"""Of an aligned answer of crud_news_qa."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question over one text."""

    question: str
    text: str
    answers: tuple[Span, ...]
    """Spans of `text`, each an answer (or, with `several`, a part of it); empty when the text does not answer."""
    group: str
    """Texts of one group belong together: a paragraph's neighbours, a question's other passages."""
    source: str
    several: bool = False
    date: str = ""
    """ISO date of the text, where it is known."""

    @property
    def answer_texts(self) -> tuple[str, ...]:
        """The answers as printed."""
        return tuple(self.text[start:end] for start, end in self.answers)


def read_examples(data: Path, written: bool = False) -> list[Example]:
    """All examples of the public sets, or (`written`) those that we wrote over news."""
    if written:
        return list(_written(data))
    found = [example for name in QA_SETS for example in _qa_set(data / "qa" / f"{name}.jsonl.gz", name)]
    return found + [example for name in SQUAD_FILES for example in _squad(data / f"{name}.json.gz", name)]


def read_news(data: Path) -> Iterator[tuple[str, str, str]]:
    """Id, ISO date (or nothing) and body of each news article that training may read."""
    with gzip.open(data / "news_zh.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = lines.readlines()
    for row in rows[:-NEWS_HELD_OUT]:
        article = json.loads(row)
        yield article["id"], *split_news(article["text"])


_NEWS_DATE = re.compile(r"\D{0,12}(20\d\d)[-年/](\d{1,2})[-月/](\d{1,2})")


def split_news(text: str) -> tuple[str, str]:
    """ISO date (or nothing) and body of an article of `news_zh`."""
    head, mark, body = text.partition("正文：")
    found = _NEWS_DATE.match(head)
    date = f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}" if found else ""
    return date, body if mark else text


def _qa_set(path: Path, name: str) -> Iterator[Example]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            if row.get("conf", 1.0) < _LEAST_CONFIDENCE:
                continue
            spans = _spans(row)
            if not spans and not row["is_impossible"]:
                continue
            date, text = "", row["context"]
            if name == "crud_news_qa":
                date, body = split_news(text)
                shift = len(text) - len(body)
                spans = tuple((a - shift, b - shift) for a, b in spans if a >= shift)
                text = body
                if not spans:
                    continue
            yield Example(row["question"], text, spans, _group(row, name, number), name, date=date)


def _spans(row: Mapping[str, Any]) -> tuple[Span, ...]:
    starts = zip(row["answer_start"], row["answers"], strict=True)
    return tuple(dict.fromkeys((start, start + len(answer)) for start, answer in starts if answer))


def _group(row: Mapping[str, Any], name: str, number: int) -> str:
    """Paragraphs of one article where the id tells, else neighbours in the file."""
    if name == "cmrc2018_train":
        return f"{name}:{row['id'].split('_QUERY')[0]}"
    return f"{name}:{number // 40}"


def _squad(path: Path, name: str) -> Iterator[Example]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    for article in articles:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = {(a["answer_start"], a["answer_start"] + len(a["text"])) for a in qa["answers"]}
                right = {(a, b) for a, b in answers if a >= 0 and b <= len(paragraph["context"])}
                if right:
                    group = f"{name}:{article.get('title', article.get('id', ''))}"
                    yield Example(qa["question"], paragraph["context"], tuple(sorted(right)), group, name)


def _written(data: Path) -> Iterator[Example]:
    texts = {article: (date, body) for article, date, body in read_news(data)}
    bodies = {article: body for article, (_, body) in texts.items()}
    for row in read_lines(QUESTIONS_DIR / "news.jsonl"):
        date, text = texts[row["article"]]
        yield Example(row["question"], text, _pairs(row), row["article"], row["type"], row["type"] == "several", date)
    for row in read_lines(QUESTIONS_DIR / "talks.jsonl"):
        date, text = texts[row["article"]]
        question = row["question"]
        if row["depends"]:
            question = in_context(question, *said_before(row["history"], bodies))
        yield Example(question, text, _pairs(row), row["article"], "talk", date=date)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def said_before(history: Sequence[Sequence[Any]], texts: Mapping[str, str]) -> tuple[str, str]:
    """The last question of a written conversation and the answer to it (nothing for a refusal).

    A `quote` turn names an article and offsets.
    """
    asked = next((said for role, said in reversed(history) if role == "user"), "")
    role, said = history[-1]
    if role != "quote" or said is None:
        return asked, ""
    article, start, end = said
    return asked, texts[article][start:end]


def _pairs(row: Mapping[str, Any]) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in row["spans"])


_NOISE = re.compile(r"[\s,，]+")


def folded(text: str) -> str:
    """`text` for comparing answers: width, case and script alike, no spaces and commas."""
    return _NOISE.sub("", fold(text))
