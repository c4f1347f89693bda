"""PowerPoint presentations by python-pptx: one article, slide by slide, with tables and what the speaker notes say."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from rag.errors import SourceError
from rag.sources.archives import open_archive
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title
from rag.sources.extraction import Extraction, Loss, pictures_lost

_MAX_DEPTH = 20
_TEMPLATE_DAY = "2013-01-27"
"""Created date of python-pptx's own template: it says nothing about the file."""


def extract_slides(data: bytes) -> Extraction:
    """Text, tables and notes of all slides, in order.

    :raises SourceError: it is damaged, too long, or holds no text.
    """
    archive = open_archive(data)
    from pptx import Presentation

    deck = Presentation(io.BytesIO(data))
    slides: list[str] = []
    hidden = drawings = 0
    for slide in deck.slides:
        if slide.element.get("show") == "0":
            hidden += 1
            continue
        lines: list[str] = []
        drawings += _read(slide.shapes, lines, 0)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            lines += _lines(slide.notes_slide.notes_text_frame)
        if lines:
            slides.append("\n".join(lines))
    text = "\n\n".join(slides)
    if not any(char.isalnum() for char in text):
        raise SourceError("presentation without text (perhaps pictures); needs OCR first")
    if len(text) > MAX_ARTICLE:
        raise SourceError(f"presentation with more than {MAX_ARTICLE:,} characters; split it")
    said = deck.core_properties
    created = said.created.date().isoformat() if said.created else ""
    title = next((s.shapes.title.text_frame.text for s in deck.slides if s.shapes.title is not None), "")
    document = Extracted(
        text=text,
        title=title or said_title("" if said.title == "PowerPoint Presentation" else said.title or ""),
        author="" if said.author == "Steve Canny" else said_author(said.author or ""),
        made="" if created == _TEMPLATE_DAY else created,
    )
    losses = [Loss("charts and drawings", f"{drawings} not read")] if drawings else []
    losses += [Loss("hidden slides", f"{hidden} not read")] if hidden else []
    pictures = sum(name.startswith("ppt/media/") and not name.endswith((".wmf", ".emf")) for name in archive.namelist())
    return Extraction((document,), losses=(*losses, *pictures_lost(pictures)))


def _read(shapes: Iterable[Any], lines: list[str], depth: int) -> int:
    """Add the lines of `shapes`, titles first; how many charts and drawings among them are not read."""
    unread = 0
    for shape in sorted(shapes, key=lambda s: not (s.is_placeholder and s.placeholder_format.idx == 0)):
        if getattr(shape, "shapes", None) is not None and depth < _MAX_DEPTH:
            unread += _read(shape.shapes, lines, depth + 1)
        elif shape.has_text_frame:
            lines += _lines(shape.text_frame)
        elif getattr(shape, "has_table", False):
            lines += [" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in shape.table.rows]
        elif shape.element.tag.endswith("}graphicFrame"):
            unread += 1
    return unread


def _lines(frame: Any) -> list[str]:
    lines = ("".join(run for run in paragraph.text.replace("\v", "\n")).strip() for paragraph in frame.paragraphs)
    return [line for line in lines if line]
