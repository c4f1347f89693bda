"""What every collection of others becomes, articles and a question set, and the reading that their formats share."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.question_set import QuestionSet
from rag.errors import QuestionSetError
from rag.types import Article


@dataclass(frozen=True, slots=True)
class Collection:
    """Articles and the questions over them."""

    articles: tuple[Article, ...]
    question_set: QuestionSet


def open_text(path: Path) -> str:
    """The text of a file, gzipped or not.

    :raises QuestionSetError: it cannot be read as UTF-8.
    """
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path} cannot be read: {error}") from error


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line.

    :raises QuestionSetError: the file cannot be read.
    :raises ValueError: a line is something else.
    """
    for number, line in enumerate(open_text(path).split("\n"), 1):
        if line.strip():
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(f"line {number} is no object")
            yield record


def file_stem(path: Path) -> str:
    """The name of a file without the endings of its format."""
    name = path.name
    for suffix in (".gz", ".zip", ".jsonl", ".json"):
        name = name.removesuffix(suffix)
    return name
