"""The table of formats: how each is called, how files end, how it is recognised by content, and what reads it.

A new format is one row here, one module and one test. Rows are asked in order; the content decides, and the end of
the name only where content of that kind says nothing (a table without known columns, a mail without MIME).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from typing import Any

from rag.sources.archives import entry_names
from rag.sources.containers import looks_like_mail, looks_like_table, looks_like_web_archive
from rag.sources.feeds import looks_like_feed
from rag.sources.html import looks_like_html
from rag.sources.newspaper import looks_like_newspaper
from rag.sources.text import looks_like_markdown
from rag.sources.wechat import looks_like_records

_HEAD = 20_000
_PDF_HEADER = re.compile(rb"^%PDF-\d\.\d", re.M)
_PDF_OBJECT = re.compile(rb"\b\d{1,10} \d{1,5} obj\b|\bxref\b|%%EOF")
_PDF_HEAD = 1024
"""Bytes in which a PDF may begin, behind what a mail or a server put before it."""


class Way(Enum):
    """How a format's reader is called."""

    BYTES = "bytes"
    """In the child process: bytes -> `Extraction`. Recognised before the file is decoded."""
    MARKUP = "markup"
    """In the child process: the decoded text as UTF-8 -> `Extraction`."""
    TEXT = "text"
    """Here: decoded text, file, defaults -> articles, problems."""


@dataclass(frozen=True)
class Sample:
    """A file whose format is asked for."""

    suffix: str
    """End of its name in small letters, such as `.csv`."""
    data: bytes = b""
    text: str = ""
    """Decoded; empty as long as the rows of `Way.BYTES` are asked."""

    @cached_property
    def head(self) -> str:
        """The first bytes, each as one character."""
        return self.data[:_HEAD].decode("latin-1").replace("\r\n", "\n")

    @cached_property
    def entries(self) -> frozenset[str]:
        """Names in the archive; empty for what is none."""
        return entry_names(self.data) if self.data.startswith(b"PK") else frozenset()

    @cached_property
    def is_opendocument(self) -> bool:
        """Whether this is a text or a presentation of OpenOffice or LibreOffice."""
        return (
            "content.xml" in self.entries
            and re.search(rb"opendocument\.(?:text|presentation)", self.data[:200]) is not None
        )


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One row of the table."""

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Sample], bool]
    reader: str
    """`module:function` under `rag.sources`; loaded when first needed, so that its library costs nothing before."""
    way: Way

    def load_reader(self) -> Callable[..., Any]:
        """The function that reads this format."""
        module, _, function = self.reader.partition(":")
        reader: Callable[..., Any] = getattr(import_module(f"rag.sources.{module}"), function)
        return reader


def _looks_like_pdf(data: bytes) -> bool:
    """Whether a PDF begins here; a text that only mentions the header has none of a PDF's objects."""
    header = _PDF_HEADER.search(data, 0, _PDF_HEAD)
    if header is None:
        return False
    bare = header.start() == 0 and data[header.end() :][:2].strip() == b""
    return bare or _PDF_OBJECT.search(data, header.end()) is not None


def _has(entry: str) -> Callable[[Sample], bool]:
    return lambda sample: entry in sample.entries


def _is_mail(sample: Sample) -> bool:
    return looks_like_mail(sample.head, surely=sample.suffix in (".eml", ".mbox", ".mbx"))


# fmt: off
FORMATS: tuple[FileFormat, ...] = (
    FileFormat("pdf", (".pdf",), lambda s: _looks_like_pdf(s.data), "pdf:extract_pdf", Way.BYTES),
    FileFormat("rtf", (".rtf",), lambda s: s.data.startswith(b"{\\rtf"), "rtf:extract_rtf", Way.BYTES),
    FileFormat("docx", (".docx", ".docm"), _has("word/document.xml"), "docx:extract_docx", Way.BYTES),
    FileFormat("xlsx", (".xlsx", ".xlsm"), _has("xl/workbook.xml"), "xlsx:extract_workbook", Way.BYTES),
    FileFormat("pptx", (".pptx",), _has("ppt/presentation.xml"), "pptx:extract_slides", Way.BYTES),
    FileFormat("epub", (".epub",), _has("META-INF/container.xml"), "epub:extract_book", Way.BYTES),
    FileFormat("odt", (".odt", ".odp"), lambda s: s.is_opendocument, "odt:extract_odt", Way.BYTES),
    FileFormat("zip", (".zip",), lambda s: s.data.startswith((b"PK\x03\x04", b"PK\x05\x06")),
               "archives:extract_zip", Way.BYTES),
    FileFormat("gzip", (".gz",), lambda s: s.data.startswith(b"\x1f\x8b"), "archives:extract_gzip", Way.BYTES),
    FileFormat("warc", (".warc",), lambda s: re.match(r"\s*WARC/\d", s.head) is not None,
               "warc:extract_warc", Way.BYTES),
    FileFormat("mhtml", (".mhtml", ".mht"), lambda s: looks_like_web_archive(s.head), "mail:extract_mhtml", Way.BYTES),
    FileFormat("mail", (".eml", ".mbox"), _is_mail, "mail:extract_mails", Way.BYTES),
    FileFormat("wechat", (".json", ".jsonl"), lambda s: looks_like_records(s.text), "wechat:read_records", Way.TEXT),
    FileFormat("html", (".html", ".htm"), lambda s: looks_like_html(s.text), "html:extract_page", Way.MARKUP),
    FileFormat("feed", (".xml", ".rss", ".atom"), lambda s: looks_like_feed(s.text), "feeds:extract_feed", Way.MARKUP),
    FileFormat("table", (".csv", ".tsv"), lambda s: looks_like_table(s.text, surely=s.suffix in (".csv", ".tsv")),
               "tables:read_table", Way.TEXT),
    FileFormat("markdown", (".md", ".markdown"), lambda s: looks_like_markdown(s.text),
               "plain:read_markdown", Way.TEXT),
    FileFormat("newspaper", (), lambda s: looks_like_newspaper(s.text), "plain:read_newspaper_page", Way.TEXT),
    FileFormat("text", (".txt",), lambda _: True, "plain:read_plain", Way.TEXT),
)
# fmt: on

SUFFIXES = tuple(dict.fromkeys(suffix for row in FORMATS for suffix in row.suffixes))
"""How the names of readable files commonly end."""


def format_named(name: str) -> FileFormat:
    """The row with this name."""
    return next(row for row in FORMATS if row.name == name)
