"""PDF -> text by pypdf, with the lines of a paragraph joined again and page headers left out."""

from __future__ import annotations

import io
import re
from collections import Counter

from rag.errors import SourceError
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title

_MAX_PAGES = 2_000
_FULL_LINE = 0.8
"""A line at least this share of the page's widest ones continues its paragraph."""
_SENTENCE_END = re.compile(r"[。！？…!?.:：；;][”’」』）)》\"']*$")
_LATIN_EDGE = re.compile(r"[A-Za-z0-9,;:)\"”’.%]$")


def extract_pdf(data: bytes) -> Extracted:
    """Text of all pages and the metadata of a PDF.

    :raises SourceError: encrypted with a password, too many pages, or no text layer.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PdfReadError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("encrypted PDF; save it without its password")
        count = len(reader.pages)
    except (DependencyError, FileNotDecryptedError) as error:
        raise SourceError("encrypted PDF; save it without its password") from error
    except PdfReadError as error:
        raise SourceError(f"damaged PDF: {error}") from error
    if not count:
        raise SourceError("PDF without pages")
    if count > _MAX_PAGES:
        raise SourceError(f"PDF with {count} pages; the limit is {_MAX_PAGES}, split it")
    pages: list[list[str]] = []
    size = 0
    for page in reader.pages:
        text = page.extract_text()
        size += len(text)
        if size > MAX_ARTICLE:
            raise SourceError(f"PDF with more than {MAX_ARTICLE:,} characters; split it")
        pages.append(text.splitlines())
    if not size or not any(line.strip() for lines in pages for line in lines):
        raise SourceError("PDF without a text layer (scanned images); needs OCR first")
    return Extracted(text="\n".join(reflow(pages)), **_metadata(reader))


def _metadata(reader: object) -> dict[str, str]:
    values: dict[str, str] = {}
    metadata = getattr(reader, "metadata", None) or {}
    for field, key in (("title", "/Title"), ("author", "/Author"), ("made", "/CreationDate")):
        value = metadata.get(key)
        values[field] = str(value) if value else ""
    match = re.match(r"(?:D:)?(\d{4})(\d{2})(\d{2})", values["made"])
    values["made"] = "-".join(match.groups()) if match else ""
    return values | {"title": said_title(values["title"]), "author": said_author(values["author"])}


def reflow(pages: list[list[str]]) -> list[str]:
    """Paragraphs of `pages` (the printed lines of each), without repeated headers, footers and page numbers."""
    repeated = _repeated(pages)
    paragraphs: list[str] = []
    for page in pages:
        lines = [
            line.strip() for line in page if line.strip() not in repeated and not re.fullmatch(r"\W*\d{0,4}\W*", line)
        ]
        widths = sorted(_width(line) for line in lines)
        full = _FULL_LINE * widths[int(len(widths) * 0.9)] if widths else 0.0
        for index, line in enumerate(lines):
            open_before = bool(paragraphs) and not _SENTENCE_END.search(paragraphs[-1])
            wide_before = _width(lines[index - 1]) >= full if index else True
            if open_before and wide_before:
                paragraphs[-1] = _join(paragraphs[-1], line)
            else:
                paragraphs.append(line)
    return paragraphs


def _repeated(pages: list[list[str]]) -> set[str]:
    """Lines at the top or foot of at least three pages and of half of them."""
    edges = Counter(line.strip() for page in pages for line in {*page[:2], *page[-2:]})
    return {line for line, count in edges.items() if count >= max(3, len(pages) / 2)}


def _width(line: str) -> float:
    return sum(0.5 if ord(char) < 0x2000 else 1.0 for char in line)


def _join(above: str, below: str) -> str:
    if re.search(r"[A-Za-z]-$", above) and below[:1].islower():
        return above[:-1] + below
    space = " " if _LATIN_EDGE.search(above) and below[:1].isascii() else ""
    return above + space + below
