"""What reading a source gives: articles, and the problems met on the way."""

from __future__ import annotations

from dataclasses import dataclass

from rag.terminal import printable
from rag.types import Article

PARSER_VERSION = 3
"""Bump when the articles of an unchanged file change; the store re-reads what another version parsed."""


@dataclass(frozen=True)
class Problem:
    """One file or record that was skipped, or one thing in it that was repaired."""

    file: str
    record: str | None
    """Which record of the file, such as `record 3` or `line 12`; None for the whole file."""
    cause: str
    again: bool = False
    """Whether the next run tries once more: the cause may lie outside the file."""

    def __str__(self) -> str:
        where = printable(self.file) if self.record is None else f"{printable(self.file)}, {self.record}"
        return f"{where}: {printable(self.cause)}"


@dataclass(frozen=True)
class Reading:
    """The articles of one file."""

    articles: tuple[Article, ...]
    problems: tuple[Problem, ...]
    format: str
    """Name of the row in the table of formats (see `formats.py`)."""
    encoding: str | None
    """How the bytes were decoded; None where the format says so itself (PDF, DOCX)."""
    encoding_guessed: bool
    """True when neither the settings, a byte order mark nor strict UTF-8 decided."""
