"""The forms of an export, what each is called on disk and on the web, and the one function that makes them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from rag.errors import JinwenError
from rag.export.bibtex import bibtex
from rag.export.entry import Entry
from rag.export.gbt7714 import references
from rag.export.manuscript import manuscript
from rag.export.markdown import markdown
from rag.export.sources import sources
from rag.export.words import word
from rag.types import Article
from rag.visible import flat

_LONGEST_NAME = 60
_NOT_IN_NAMES = re.compile(r"[^\w]+")


class Form(StrEnum):
    """A form of export; its value is the ending of its files."""

    MARKDOWN = "md"
    WORD = "docx"
    REFERENCES = "txt"
    """The list of sources by GB/T 7714-2015."""
    BIBTEX = "bib"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return _MEDIA_TYPES[self]


ENDINGS: Final = ", ".join(f".{form}" for form in Form)
_MEDIA_TYPES: Final = {
    Form.MARKDOWN: "text/markdown; charset=utf-8",
    Form.WORD: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Form.REFERENCES: "text/plain; charset=utf-8",
    Form.BIBTEX: "application/x-bibtex; charset=utf-8",
}


class ExportError(JinwenError):
    """An answer cannot be exported to this file."""


def export(
    entries: Sequence[Entry],
    form: Form,
    *,
    language: str,
    made: dt.date,
    articles: Mapping[str, Article] | None = None,
) -> bytes:
    """The content of a file.

    `language` (`zh`, `en`) is that of the words beside the answers, `made` the day of the export, and `articles`, by
    id, tell who wrote what is cited, which a citation does not.

    :raises ValueError: there is no entry.
    """
    if form is Form.WORD:
        from rag.export.docx import word_file  # python-docx is not needed for the others

        return word_file(manuscript(entries, language, made))
    if form is Form.MARKDOWN:
        return markdown(manuscript(entries, language, made)).encode()
    found = sources(entries, articles)
    if form is Form.BIBTEX:
        return (bibtex(found, made) or f"% {word(language, 'no_sources')}\n").encode()
    return (references(found, made) or f"{word(language, 'no_sources')}\n").encode()


def export_name(entries: Sequence[Entry], form: Form, made: dt.date) -> str:
    """A file name for every system: the day, then the letters and digits of the first question."""
    asked = unicodedata.normalize("NFC", flat(entries[0].question)) if entries else ""
    title = _NOT_IN_NAMES.sub("-", asked).strip("-_")[:_LONGEST_NAME].strip("-_")
    return "-".join(part for part in ("jinwen", made.isoformat(), title) if part) + f".{form}"


def form_of(file: Path) -> Form:
    """The form that the ending of a file asks for.

    :raises ExportError: no form has this ending, or the folder does not exist.
    """
    ending = file.suffix.lower().lstrip(".")
    form = next((form for form in Form if form == ending), None)
    if form is None:
        raise ExportError(f"cannot export to {str(file)!r}: its name must end in one of {ENDINGS}")
    if not file.parent.is_dir():
        raise ExportError(f"cannot export to {str(file)!r}: there is no folder {str(file.parent)!r}; make it first")
    return form


def write_export(file: Path, content: bytes) -> None:
    """Write an export whole or not at all; a file of this name is replaced.

    :raises ExportError: it cannot be written.
    """
    from rag.store.atomic import write_checked

    try:
        write_checked(file, [content])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"cannot export to {str(file)!r}: {reason}; choose another file") from error
