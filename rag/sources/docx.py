"""DOCX -> text by python-docx, after a look at the archive: a small one may unpack to gigabytes."""

from __future__ import annotations

import io
import zipfile

from rag.errors import SourceError
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title

_MAX_ENTRIES = 5_000
_MAX_UNPACKED = 200_000_000
_MAX_RATIO = 200
_SMALL = 10_000_000
_OTHERS = (
    ("xl/workbook.xml", "an Excel workbook; export it as JSON Lines with title, text and date of each article"),
    ("ppt/presentation.xml", "a PowerPoint presentation; save it as PDF or .docx"),
    ("META-INF/container.xml", "an EPUB book; save its chapters as text or HTML"),
    ("content.xml", "an OpenDocument file; save it as .docx"),
)
_TEMPLATE_DAY = "2013-12-23"
"""Created date of python-docx's own template: it says nothing about the document."""


def extract_docx(data: bytes) -> Extracted:
    """Paragraphs and tables of a Word document, in order.

    :raises SourceError: not a Word document, or it unpacks to too much.
    """
    check_archive(data)
    from docx import Document
    from docx.table import Table

    document = Document(io.BytesIO(data))
    lines: list[str] = []
    size = 0
    for block in document.iter_inner_content():
        line = _table_text(block) if isinstance(block, Table) else block.text
        size += len(line)
        if size > MAX_ARTICLE:
            raise SourceError(f"document with more than {MAX_ARTICLE:,} characters; split it")
        lines.append(line)
    properties = document.core_properties
    heading = _heading(document)
    created = properties.created.date().isoformat() if properties.created else ""
    return Extracted(
        text="\n".join(lines),
        title=heading or said_title(properties.title or ""),
        author=said_author(properties.author or ""),
        made="" if created == _TEMPLATE_DAY else created,
    )


def check_archive(data: bytes) -> None:
    """:raises SourceError: `data` is no DOCX archive, or the sizes it declares are out of bounds.

    What is read later never exceeds the declared sizes: zipfile stops there.
    """
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise SourceError(f"damaged or unsupported archive: {error}") from error
    if not any(entry.filename == "word/document.xml" for entry in entries):
        raise SourceError(_other_archive({entry.filename for entry in entries}))
    if any(entry.flag_bits & 1 for entry in entries):
        raise SourceError("password-protected archive; save it without a password")
    if len(entries) > _MAX_ENTRIES:
        raise SourceError(f"archive with {len(entries)} entries; the limit is {_MAX_ENTRIES}")
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries), len(data) // 2)
    if unpacked > _MAX_UNPACKED or (unpacked > _SMALL and unpacked > _MAX_RATIO * packed):
        raise SourceError(
            f"unpacks from {len(data) / 1e6:.1f} to {unpacked / 1e6:.0f} MB: refused as a decompression bomb"
        )


def _other_archive(names: set[str]) -> str:
    """What an archive is that is no Word document, and what to do with it."""
    for entry, what in _OTHERS:
        if entry in names:
            return what
    return "a ZIP archive that is no Word document; unpack it and index the files in it"


def _table_text(table: object) -> str:
    rows = getattr(table, "rows", [])
    return "\n".join(" | ".join(_cells(row)) for row in rows)


def _cells(row: object) -> list[str]:
    """Texts of the cells of a row; a merged cell, which stands there several times, once."""
    cells = {id(cell._tc): cell for cell in getattr(row, "cells", [])}
    return [cell.text.strip() for cell in cells.values()]


def _heading(document: object) -> str:
    """The first paragraph set as title or heading, else empty."""
    for paragraph in getattr(document, "paragraphs", [])[:30]:
        style = (paragraph.style.name or "") if paragraph.style is not None else ""
        if style.lower().startswith(("title", "heading 1", "标题")) and paragraph.text.strip():
            return str(paragraph.text)
    return ""
