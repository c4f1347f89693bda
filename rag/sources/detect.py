"""Which format a file has, by its content; a name says nothing certain."""

from __future__ import annotations

import re
from enum import StrEnum

from rag.errors import SourceError
from rag.sources.containers import container
from rag.sources.html import looks_like_html, looks_like_xml
from rag.sources.newspaper import looks_like_newspaper
from rag.sources.text import looks_like_markdown
from rag.sources.wechat import looks_like_records

_PDF_HEADER = re.compile(rb"^%PDF-\d\.\d", re.M)
_PDF_OBJECT = re.compile(rb"\b\d{1,10} \d{1,5} obj\b|\bxref\b|%%EOF")
_HEAD = 1024
"""Bytes in which a PDF may begin, behind what a mail or a server put before it."""


class Format(StrEnum):
    """The formats that are read."""

    WECHAT = "wechat"
    NEWSPAPER = "newspaper"
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"


def detect_binary(data: bytes) -> Format | None:
    """PDF or DOCX by their first bytes, None for what may be text.

    :raises SourceError: an old or encrypted Office file.
    """
    if _looks_like_pdf(data):
        return Format.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.DOCX
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise SourceError("old (.doc) or password-protected Office file; save it as .docx without a password")
    if data.startswith(b"{\\rtf"):
        raise SourceError("RTF file; save it as .docx or text")
    return None


def _looks_like_pdf(data: bytes) -> bool:
    """Whether a PDF begins here; a text that only mentions the header has none of a PDF's objects."""
    header = _PDF_HEADER.search(data, 0, _HEAD)
    if header is None:
        return False
    bare = header.start() == 0 and data[header.end() :][:2].strip() == b""
    return bare or _PDF_OBJECT.search(data, header.end()) is not None


def detect_text(text: str) -> Format:
    """Format of a decoded text file.

    :raises SourceError: a container that is not unpacked, such as a mail, a table or XML that is not HTML.
    """
    if looks_like_records(text):
        return Format.WECHAT
    if looks_like_html(text):
        return Format.HTML
    if looks_like_xml(text):
        raise SourceError("XML that is not HTML; expected text, JSON, HTML, PDF or DOCX")
    if wrapping := container(text):
        raise SourceError(wrapping)
    if looks_like_markdown(text):
        return Format.MARKDOWN
    return Format.NEWSPAPER if looks_like_newspaper(text) else Format.TEXT
