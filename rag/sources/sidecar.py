"""Date and source name beside a file that prints none: `<file>.meta.toml`, or `meta.toml` for a whole folder.

Two keys, both optional: `date = 2025-12-09` (or in quotes) and `source = "天津日报"`.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

from rag.sources.dating import date_in_name, parse_date
from rag.sources.reading import Problem

_SUFFIX = ".meta.toml"
_FOLDER_FILE = "meta.toml"
_KEYS = {"date", "source"}
_MAX_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the articles of a file get where they say nothing themselves."""

    date: dt.date | None = None
    source: str = ""
    exact: bool = False
    """Whether the date stands in the side-car of this very file."""


def is_sidecar(path: Path) -> bool:
    """Whether `path` describes other files instead of holding articles."""
    return path.name == _FOLDER_FILE or path.name.endswith(_SUFFIX)


def sidecars_of(path: Path) -> tuple[Path, Path]:
    """Where the side-car of `path` and that of its folder would be."""
    return path.parent / f"{path.name}{_SUFFIX}", path.parent / _FOLDER_FILE


def is_there(path: Path) -> bool:
    """Whether `path` is a regular file; a name that is too long for a side-car names none."""
    try:
        return path.is_file() and not path.is_symlink()
    except (OSError, ValueError):
        return False


def read_defaults(path: Path, setting: str | None) -> tuple[Defaults, list[Problem]]:
    """Defaults for `path`: its side-car, the date in its name, its folder's `meta.toml`, `setting`, in that order."""
    problems: list[Problem] = []
    own, folder = (_read_sidecar(sidecar, problems) for sidecar in sidecars_of(path))
    date = own.date or date_in_name(path.name) or folder.date
    if date is None and setting:
        date = parse_date(setting)
        if date is None:
            problems.append(
                Problem(str(path), None, f"setting sources.date is {setting!r}; expected a date like 2025-12-09")
            )
    return Defaults(date, own.source or folder.source, exact=own.date is not None), problems


def _read_sidecar(path: Path, problems: list[Problem]) -> Defaults:
    if not is_there(path):
        return Defaults()
    try:
        with path.open("rb") as stream:
            values = tomllib.loads(stream.read(_MAX_BYTES).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        problems.append(Problem(str(path), None, f"side-car ignored, not readable as TOML: {error}"))
        return Defaults()
    unknown = sorted(set(values) - _KEYS)
    date, source = parse_date(values.get("date")), values.get("source", "")
    if unknown:
        problems.append(Problem(str(path), None, f"unknown key {unknown[0]!r}; expected date, source"))
    if "date" in values and date is None:
        problems.append(Problem(str(path), None, f"date is {values['date']!r}; expected a date like 2025-12-09"))
    if not isinstance(source, str):
        problems.append(Problem(str(path), None, f"source is {source!r}; expected a name in quotes"))
        source = ""
    return Defaults(date, source.strip())
