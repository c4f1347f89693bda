"""OpenDocument texts and presentations: the words of content.xml in order, without deleted ones and comments."""

from __future__ import annotations

from typing import Any

from rag.errors import SourceError
from rag.sources.archives import open_archive
from rag.sources.extracted import Extracted, said_author, said_title
from rag.sources.extraction import Extraction, Loss, pictures_lost
from rag.sources.markup_xml import parse_xml

_UNREAD = frozenset(
    {"tracked-changes", "annotation", "annotation-end", "sequence-decls", "forms", "note-citation", "settings"}
)
_LINES = frozenset({"p", "h"})
_MAX_REPEATED = 50


def extract_odt(data: bytes) -> Extraction:
    """Paragraphs, tables and footnotes of an OpenDocument file, in order.

    :raises SourceError: it is damaged or holds no text.
    """
    archive = open_archive(data)
    names = set(archive.namelist())
    body = parse_xml(archive.read("content.xml")).find(".//{*}body")
    if body is None:
        raise SourceError(
            "encrypted or damaged OpenDocument file" if "META-INF/manifest.xml" in names else "no text in it"
        )
    lines: list[str] = []
    notes: list[str] = []
    _walk(body, lines, notes)
    if not any(char.isalnum() for line in lines for char in line):
        raise SourceError("no text in it")
    meta = parse_xml(archive.read("meta.xml")) if "meta.xml" in names else None
    heading = body.find(".//{*}h")
    title = "".join(heading.itertext()).strip() if heading is not None else ""
    document = Extracted(
        text="\n".join([*lines, *notes]),
        title=title or said_title(_said(meta, "title")),
        author=said_author(_said(meta, "initial-creator") or _said(meta, "creator")),
        made=_said(meta, "creation-date")[:10],
    )
    pictures = sum(name.startswith("Pictures/") for name in names)
    objects = sum(name.startswith("Object ") and name.endswith("/content.xml") for name in names)
    losses = (Loss("embedded objects", f"{objects} not read"),) if objects else ()
    return Extraction((document,), losses=(*losses, *pictures_lost(pictures)))


def _walk(element: Any, lines: list[str], notes: list[str]) -> None:
    for child in element:
        tag = _tag(child)
        if tag in _LINES:
            boxes: list[str] = []
            lines.append(_text(child, boxes, notes))
            lines += boxes
        elif tag == "table":
            lines += _rows(child, notes)
        elif tag not in _UNREAD:
            _walk(child, lines, notes)


def _rows(table: Any, notes: list[str]) -> list[str]:
    rows: list[str] = []
    for row in table.iterfind(".//{*}table-row"):
        cells: list[str] = []
        for cell in row:
            if _tag(cell) not in ("table-cell", "covered-table-cell"):
                continue
            inner: list[str] = []
            _walk(cell, inner, notes)
            repeated = _number(cell, "number-columns-repeated")
            cells += [" ".join(inner)] * (repeated if repeated <= _MAX_REPEATED else 1)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(" | ".join(cells))
    return rows


def _text(paragraph: Any, boxes: list[str], notes: list[str]) -> str:
    """Words of `paragraph`; those of text boxes in it go to `boxes`, of footnotes to `notes`."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        tag = _tag(child)
        if tag == "s":
            parts.append(" " * min(_number(child, "c"), _MAX_REPEATED))
        elif tag in ("tab", "line-break"):
            parts.append("\t" if tag == "tab" else "\n")
        elif tag in ("note", "frame", "custom-shape", "text-box"):
            body = child.find("{*}note-body") if tag == "note" else child
            if body is not None:
                _walk(body, notes if tag == "note" else boxes, notes)
        elif tag not in _UNREAD:
            parts.append(_text(child, boxes, notes))
        parts.append(child.tail or "")
    return "".join(parts)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def _number(element: Any, name: str) -> int:
    value = next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == name), "1")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def _said(meta: Any, name: str) -> str:
    return (meta.findtext(f".//{{*}}{name}") or "").strip() if meta is not None else ""
