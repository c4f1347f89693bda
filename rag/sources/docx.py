"""DOCX -> text: the document as it reads with all changes accepted, by python-docx's package and its XML.

python-docx's own paragraphs leave out tracked insertions, text boxes, content controls, footnotes and embedded pages.
"""

from __future__ import annotations

import io
import posixpath
from typing import Any

from rag.errors import SourceError
from rag.sources.archives import open_archive
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title
from rag.sources.extraction import Extraction, Loss, pictures_lost
from rag.sources.html_text import html_text
from rag.sources.markup_xml import parse_xml

_TEMPLATE_DAY = "2013-12-23"
"""Created date of python-docx's own template: it says nothing about the document."""
_DEFAULT_TITLE = "Word Document"
"""What python-docx calls a document that says nothing of itself."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
# What is not read: deleted and moved text, field codes, phonetic guides, the second form of a drawing.
_UNREAD = frozenset({"del", "moveFrom", "instrText", "delText", "rt", "pPr", "rPr", "sdtPr", "tblPr", "Fallback"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_MAX_DEPTH = 3
"""Documents in documents."""


def extract_docx(data: bytes) -> Extraction:
    """Paragraphs, tables, text boxes and notes of a Word document, in order, with its tracked changes accepted.

    :raises SourceError: not a Word document, it unpacks to too much, or holds no text.
    """
    archive = open_archive(data)
    if "word/document.xml" not in archive.namelist():
        raise SourceError("a ZIP archive that is no Word document; unpack it and index the files in it")
    from docx import Document

    document = Document(io.BytesIO(data))
    reader = _Reader(document.part, 0)
    lines = reader.read()
    if sum(map(len, lines)) > MAX_ARTICLE:
        raise SourceError(f"document with more than {MAX_ARTICLE:,} characters; split it")
    properties = document.core_properties
    created = properties.created.date().isoformat() if properties.created else ""
    extracted = Extracted(
        text="\n".join(lines),
        title=reader.heading or said_title("" if properties.title == _DEFAULT_TITLE else properties.title or ""),
        author=said_author(properties.author or ""),
        made="" if created == _TEMPLATE_DAY else created,
    )
    losses = [Loss(what, f"{count} not read") for what, count in reader.unread.items() if count]
    return Extraction((extracted,), losses=(*losses, *pictures_lost(reader.pictures)))


class _Reader:
    """Reads one document part."""

    def __init__(self, part: Any, depth: int) -> None:
        self.heading = ""
        self.pictures = 0
        self.unread = {"embedded objects": 0, "charts and drawings": 0}
        self._part = part
        self._depth = depth
        self._notes: list[tuple[str, str]] = []
        self._headings = _heading_styles(part)

    def read(self) -> list[str]:
        """All lines of the document, its notes behind it."""
        lines: list[str] = []
        body = self._part.element.find(f"{_W}body")
        if body is not None:
            self._blocks(body, lines)
        for kind, number in self._notes:
            lines += self._note(kind, number)
        return lines

    def _blocks(self, element: Any, lines: list[str]) -> None:
        for child in element:
            tag = _tag(child)
            if tag == "p":
                self._paragraph(child, lines)
            elif tag == "tbl":
                lines += self._rows(child)
            elif tag == "altChunk":
                lines += self._embedded(child.get(f"{_R}id"))
            elif tag not in _UNREAD:  # content controls, insertions, smart tags
                self._blocks(child, lines)

    def _paragraph(self, paragraph: Any, lines: list[str]) -> None:
        boxes: list[str] = []
        text = self._words(paragraph, boxes)
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        if not self.heading and style is not None and style.get(f"{_W}val") in self._headings:
            self.heading = text.strip()
        if text or not boxes:
            lines.append(text)
        lines += boxes

    def _words(self, element: Any, boxes: list[str]) -> str:
        """Words of `element`; those of text boxes in it go to `boxes`."""
        parts: list[str] = []
        for child in element:
            tag = _tag(child)
            if tag == "t":
                parts.append(child.text or "")
            elif tag in _BREAKS:
                parts.append(_BREAKS[tag])
            elif tag == "txbxContent":
                self._blocks(child, boxes)
            elif tag in ("footnoteReference", "endnoteReference"):
                self._notes.append((tag.removesuffix("Reference"), child.get(f"{_W}id") or ""))
            elif tag not in _UNREAD:
                self._count(child, tag)
                parts.append(self._words(child, boxes))
        return "".join(parts)

    def _count(self, element: Any, tag: str) -> None:
        if tag in ("blip", "imagedata"):
            self.pictures += 1
        elif tag == "OLEObject":
            self.unread["embedded objects"] += 1
        elif tag in ("chart", "relIds") and element.attrib:
            self.unread["charts and drawings"] += 1

    def _rows(self, table: Any) -> list[str]:
        """Rows of `table`; a cell that spans columns stands once, one that goes on from above is repeated."""
        rows: list[str] = []
        above: dict[int, str] = {}
        for row in (r for r in _through(table, "tr")):
            cells: list[str] = []
            column = 0
            for cell in _through(row, "tc"):
                inner: list[str] = []
                self._blocks(cell, inner)
                text = " ".join(" ".join(inner).split())
                merged = cell.find(f"{_W}tcPr/{_W}vMerge")
                if merged is not None and merged.get(f"{_W}val") != "restart":
                    text = text or above.get(column, "")
                above[column] = text
                cells.append(text)
                span = cell.find(f"{_W}tcPr/{_W}gridSpan")
                width = span.get(f"{_W}val") if span is not None else "1"
                column += int(width) if str(width).isdigit() else 1
            rows.append(" | ".join(cells))
        return rows

    def _embedded(self, relation: str | None) -> list[str]:
        """Lines of a page or document that is embedded whole (altChunk)."""
        from docx.opc.constants import CONTENT_TYPE

        part = self._part.rels[relation].target_part if relation in self._part.rels else None
        if part is None or self._depth >= _MAX_DEPTH:
            self.unread["embedded objects"] += 1
            return []
        data, kind = part.blob, str(part.content_type)
        if kind.startswith(CONTENT_TYPE.WML_DOCUMENT_MAIN.rsplit(".", 2)[0]) or data.startswith(b"PK"):
            extraction = extract_docx(data)
            self.heading = self.heading or extraction.documents[0].title
            return extraction.documents[0].text.split("\n")
        return self._page(data)

    def _page(self, data: bytes) -> list[str]:
        from rag.sources.containers import looks_like_web_archive
        from rag.sources.encoding import decode
        from rag.sources.html import looks_like_html
        from rag.sources.mail import archive_text

        head = data[:20_000].decode("latin-1").replace("\r\n", "\n").lstrip()
        text = archive_text(data.lstrip()) if looks_like_web_archive(head) else decode(data).text
        return html_text(text).split("\n") if looks_like_html(text) or "<" in text[:200] else text.split("\n")

    def _note(self, kind: str, number: str) -> list[str]:
        name = f"/word/{kind}s.xml"
        part = next((r.target_part for r in self._part.rels.values() if not r.is_external and
                     posixpath.basename(str(r.target_part.partname)) == posixpath.basename(name)), None)  # fmt: skip
        if part is None:
            return []
        root = parse_xml(part.blob)
        note = next((n for n in root.iterfind(f"{_W}{kind}") if n.get(f"{_W}id") == number), None)
        lines: list[str] = []
        if note is not None:
            self._blocks(note, lines)
        return [line.strip() for line in lines if line.strip()]


def _through(element: Any, tag: str) -> Any:
    """Children of `element` called `tag`, also in content controls and insertions; deleted ones left out."""
    for child in element:
        name = _tag(child)
        if name == tag:
            if child.find(f"{_W}trPr/{_W}del") is None:
                yield child
        elif name in ("sdt", "sdtContent", "ins", "smartTag", "customXml"):
            yield from _through(child, tag)


def _heading_styles(part: Any) -> frozenset[str]:
    """Ids of the styles of titles."""
    names = ("title", "heading 1", "标题 1", "标题")
    return frozenset(str(style.style_id) for style in part.document.styles if (style.name or "").lower() in names)


def _tag(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
