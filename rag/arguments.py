"""What stands on the command line, before anything is done with it: text must be text, a path one that can exist."""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import SettingsError

_AS_OF_YEARS = range(1_000, 9_000)
"""Days are counted from the day of asking, in both directions: at the ends of the calendar there would be none."""
_LONGEST_PATH = 4_095
"""Bytes; Linux takes no longer one."""
_FILES = "paths"
"""The argument that names files to read: a name that is not UTF-8 is a problem of that file, told in the report."""


def read_as_of(text: str) -> dt.date:
    """The day on which something is asked.

    :raises ValueError: `text` is no ISO date, or of a year that nobody asks in.
    """
    date = dt.date.fromisoformat(text)
    if date.year not in _AS_OF_YEARS:
        raise ValueError(f"year {date.year}")
    return date


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse values that no function behind the command line can take.

    :raises SettingsError: a text is not valid UTF-8 or holds a NUL; a path does so or is too long.
    """
    for name, value in _values(args):
        _check_text(name, str(value), any_bytes=name == _FILES)
        if isinstance(value, Path) and len(os.fsencode(value)) > _LONGEST_PATH:
            raise SettingsError(
                f"{name}: a path of {len(os.fsencode(value))} bytes; the longest possible is {_LONGEST_PATH}"
            )


def _values(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for name, value in vars(args).items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | Path):
                yield name, item


def _check_text(name: str, text: str, *, any_bytes: bool) -> None:
    if "\0" in text:
        raise SettingsError(f"{name}: holds a NUL character; expected text without one")
    try:
        text.encode("utf-8", "surrogateescape" if any_bytes else "strict")
    except UnicodeEncodeError as error:
        shown = text[max(0, error.start - 20) : error.end + 20].encode("ascii", "backslashreplace").decode()
        raise SettingsError(
            f"{name}: not valid UTF-8 at character {error.start + 1} ({shown}); type it in UTF-8"
        ) from None
