"""Batch files of the command line: JSONL with `id, question`, optionally `as_of, history`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answering.refusal import turn_of
from rag.arguments import read_as_of
from rag.errors import QuestionSetError
from rag.types import Turn

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One question of a batch."""

    id: str
    question: str
    as_of: dt.date | None
    history: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a batch that is not a question; the others are asked all the same."""

    number: int
    """1-based."""
    id: str | None
    """As far as it can be read."""
    cause: str
    """One line: what came and what was expected."""


def read_batch(path: Path) -> list[BatchEntry | BadLine]:
    """The questions of `path` (`-`: standard input), in order, and the lines that are none.

    :raises QuestionSetError: the file cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except (OSError, ValueError) as error:
        raise QuestionSetError(f"batch file {path} cannot be read: {error}; expected UTF-8 JSONL") from error
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [_line(number, line) for number, line in enumerate(lines, 1) if line.strip()]


class _NotAQuestionError(Exception):
    """A line is not a question; `str(error)` says why."""


def _line(number: int, line: bytes) -> BatchEntry | BadLine:
    data: Any = None
    try:
        data = _json(line)
        return _entry(data)
    except _NotAQuestionError as error:
        known = isinstance(data, dict) and isinstance(data.get("id"), str | int) and _is_text(str(data["id"]))
        return BadLine(number, str(data["id"]) if known else None, str(error))


def _json(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _NotAQuestionError(f"not valid UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise _NotAQuestionError("JSON nested too deeply; expected one object with id and question") from None
    except ValueError as error:
        raise _NotAQuestionError(f"not JSON ({error}); expected one object with id and question") from None


def _entry(data: Any) -> BatchEntry:
    if not isinstance(data, dict) or not isinstance(data.get("question"), str) or "id" not in data:
        raise _NotAQuestionError("expected an object with id and question")
    entry = BatchEntry(
        id=str(data["id"]),
        question=data["question"],
        as_of=_as_of(data.get("as_of")),
        history=_history(data.get("history") or []),
    )
    for name, text in [("id", entry.id), ("question", entry.question), *(("history", t.text) for t in entry.history)]:
        if not _is_text(text):
            raise _NotAQuestionError(f"{name} holds half of a surrogate pair; expected Unicode text")
    return entry


def _is_text(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _as_of(value: Any) -> dt.date | None:
    if value is None:
        return None
    try:
        return read_as_of(value)
    except (TypeError, ValueError):
        raise _NotAQuestionError(f"as_of is {_shown(value)}; expected a date such as 2026-01-18 or null") from None


def _history(value: Any) -> tuple[Turn, ...]:
    try:
        turns = tuple(turn_of(role, text) for role, text in value)
        good = all(turn.role in {"user", "assistant"} and isinstance(turn.text, str) for turn in turns)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise _NotAQuestionError(f'history is {_shown(value)}; expected [["user", "…"], ["assistant", "…"]]')
    return turns


def _shown(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) and not _is_text(value) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
