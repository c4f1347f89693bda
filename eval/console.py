# ruff: noqa: T201  (this module is the part of the command line that prints)
"""What the forms of `jinwen eval` share: figures to stdout, everything else to stderr."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

from eval.question_set import QuestionSet
from eval.runs import DEFAULT_RUNS_DIR
from rag.errors import JinwenError


class UsageError(JinwenError):
    """A form of `jinwen eval` got too few or too many words."""


def expect(words: list[str], count: int, form: str) -> None:
    """Refuse a form with too few or too many words.

    :raises UsageError: there are not `count` words.
    """
    if len(words) != count:
        raise UsageError(f"got {len(words)} more words, expected: {form}")


def parse_date(text: str | None) -> dt.date | None:
    """The date in `text`, None for none.

    :raises UsageError: it is not ISO 8601.
    """
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{text!r} is not a date; expected year-month-day such as 2026-01-18") from None


def read_questions(path: Path) -> QuestionSet:
    """The questions of a file or folder of any format; tells where articles of others stay behind."""
    from eval.importing import import_questions

    found = import_questions(path)
    if found.articles:
        say(
            f"{path}: its {found.articles} articles are not read, only its questions; "
            f"`jinwen eval convert {path} --out DIR` unpacks both"
        )
    return found.question_set


def runs_root(args: argparse.Namespace) -> Path:
    """Where runs are kept."""
    root: Path = args.runs or DEFAULT_RUNS_DIR
    return root


def say(line: str) -> None:
    """Tell the user something that is not the result."""
    print(line, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """One JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
