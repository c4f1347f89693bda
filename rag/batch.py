"""Batch files of the command line: JSONL with `id, question`, optionally `as_of, history`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.types import Turn


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One question of a batch."""

    id: str
    question: str
    as_of: dt.date | None
    history: tuple[Turn, ...]


def read_batch(path: Path) -> list[BatchEntry]:
    """The questions of `path` (`-`: standard input), in order.

    :raises QuestionSetError: the file cannot be read, or a line is not a question; names the line.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"batch file {path} cannot be read: {error}; expected UTF-8 JSONL") from error
    return [_entry(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _entry(path: Path, number: int, line: str) -> BatchEntry:
    where = f"{path}, line {number}"
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise QuestionSetError(f"{where}: not JSON ({error}); expected one object with id and question") from error
    if not isinstance(data, dict) or not isinstance(data.get("question"), str) or "id" not in data:
        raise QuestionSetError(f"{where}: expected an object with id and question")
    return BatchEntry(
        id=str(data["id"]),
        question=data["question"],
        as_of=_as_of(where, data.get("as_of")),
        history=_history(where, data.get("history") or []),
    )


def _as_of(where: str, value: Any) -> dt.date | None:
    if value is None:
        return None
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise QuestionSetError(f"{where}: as_of is {value!r}; expected a date such as 2026-01-18 or null") from None


def _history(where: str, value: Any) -> tuple[Turn, ...]:
    try:
        turns = tuple(Turn(role, text) for role, text in value)
    except (TypeError, ValueError):
        turns = (Turn("", ""),)
    if not all(turn.role in {"user", "assistant"} and isinstance(turn.text, str) for turn in turns):
        raise QuestionSetError(f'{where}: history is {value!r}; expected [["user", "…"], ["assistant", "…"]]')
    return turns
