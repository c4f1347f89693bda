"""A manuscript -> a Word document with real footnotes, by python-docx.

Text goes into text elements only, so nothing in it can become a field, a link or markup.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.dml import MSO_THEME_COLOR
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from rag.export.docx_footnotes import MARK_STYLE, NOTE_STYLE, Footnotes
from rag.export.manuscript import Manuscript, Paragraph, Reference, Related, Run, Section, Style
from rag.export.words import word

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

_GREY, _RED = RGBColor(0x59, 0x59, 0x59), RGBColor(0x9C, 0x1C, 0x1C)
_SMALL = Pt(9)
_LONGEST_PROPERTY = 255
"""Characters that the properties of a document may have."""


def word_file(paper: Manuscript) -> bytes:
    """The file, a ZIP archive."""
    document = Document()
    _describe(document, paper)
    _add_styles(document)
    notes = Footnotes(document, paper.notes)
    document.add_heading(paper.title, level=1)
    for section in paper.sections:
        if not paper.alone:
            document.add_heading(section.question, level=2)
        _add_section(document, section, notes, paper.language)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _describe(document: WordDocument, paper: Manuscript) -> None:
    """Title, day and language in place of those of python-docx's template."""
    properties: Any = document.core_properties
    properties.title = paper.title[:_LONGEST_PROPERTY]
    properties.author = properties.last_modified_by = "Jinwen 津问"
    properties.comments = ""
    properties.created = properties.modified = dt.datetime.combine(paper.made, dt.time())
    properties.language = "zh-CN" if paper.language == "zh" else "en"
    for lang in document.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:eastAsia"), "zh-CN")
    for lang in document.settings.element.iter(qn("w:themeFontLang")):
        lang.set(qn("w:eastAsia"), "zh-CN")  # Word then takes the theme's Chinese fonts


def _add_styles(document: WordDocument) -> None:
    styles: Any = document.styles
    mark = styles.add_style(MARK_STYLE, WD_STYLE_TYPE.CHARACTER, builtin=True)
    mark.font.superscript = True
    text = styles.add_style(NOTE_STYLE, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    text.base_style = styles["Normal"]
    text.font.size = _SMALL
    text.paragraph_format.space_after = Pt(2)
    link = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER, builtin=True)
    link.font.underline = True
    link.font.color.theme_color = MSO_THEME_COLOR.HYPERLINK


def _add_section(document: WordDocument, section: Section, notes: Footnotes, language: str) -> None:
    for paragraph in section.paragraphs:
        _add_paragraph(document, paragraph, notes)
    if section.related:
        document.add_paragraph(word(language, "near"))
        for item in section.related:
            _add_related(document, item, notes)
    for remark in section.remarks:
        _aside(document.add_paragraph(), remark)
    if section.made:
        _aside(document.add_paragraph(), section.made)


def _add_paragraph(document: WordDocument, paragraph: Paragraph, notes: Footnotes) -> None:
    target, behind_mark = document.add_paragraph(), False
    for piece in paragraph:
        if isinstance(piece, Reference):
            if behind_mark:
                target.add_run(",", style=MARK_STYLE)  # else marks 1 and 2 read as 12
            notes.refer(target, piece.number)
        else:
            _add_run(target, piece)
        behind_mark = isinstance(piece, Reference)


def _add_run(target: WordParagraph, run: Run) -> None:
    added = target.add_run(run.text)
    if run.style is Style.STRONG:
        added.bold = True
    elif run.style is Style.ASIDE:
        added.font.color.rgb = _GREY
    elif run.style is Style.WARNING:
        added.font.color.rgb = _RED
        added.italic = True


def _add_related(document: WordDocument, item: Related, notes: Footnotes) -> None:
    target = document.add_paragraph(item.line, style="List Bullet")
    if item.url:
        target.add_run(" ")
        notes.link(target, item.url)


def _aside(target: WordParagraph, text: str) -> None:
    run = target.add_run(text)
    run.font.size, run.font.color.rgb = _SMALL, _GREY
