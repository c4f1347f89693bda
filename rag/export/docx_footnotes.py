"""Footnotes of a Word document: python-docx reads and writes everything around them, but not these.

A footnote is a paragraph in the part `word/footnotes.xml` and a reference to it in the text. Word counts them
itself, so each is referred to once; where a quote is cited again, a NOTEREF field shows its number (what Word's
own "cross-reference" command makes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from rag.export.notes import Note

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

MARK_STYLE, NOTE_STYLE = "footnote reference", "footnote text"
_MARK_ID, _NOTE_ID, _LINK_ID = "footnotereference", "footnotetext", "Hyperlink"
"""Ids that python-docx gives to the styles."""
_SEPARATORS = ((-1, "separator"), (0, "continuationSeparator"))
"""Every footnotes part begins with them."""
_BEHIND = ("endnotePr", "compat", "docVars", "rsids")
"""Elements of the settings before which the schema wants `footnotePr`."""


class Footnotes:
    """The notes of one document."""

    def __init__(self, document: WordDocument, notes: Sequence[Note]) -> None:
        """Write `notes` into `document`; `refer` puts their marks into its text."""
        self._referred: set[int] = set()
        self._part = _part(document)
        for kind_id, kind in _SEPARATORS:
            self._part.element.append(_separator(kind_id, kind))
        _announce(document)
        for note in notes:
            self._part.element.append(self._footnote(note))

    def refer(self, paragraph: WordParagraph, number: int) -> None:
        """Put the mark of note `number` at the end of `paragraph`."""
        target: Any = paragraph._p
        if number in self._referred:
            target.extend(_field(f" NOTEREF {_bookmark(number)} \\f \\h ", str(number)))
            return
        self._referred.add(number)
        target.append(_element("w:bookmarkStart", id=number, name=_bookmark(number)))
        mark = _run(style=_MARK_ID)
        mark.append(_element("w:footnoteReference", id=number))
        target.append(mark)
        target.append(_element("w:bookmarkEnd", id=number))

    @staticmethod
    def link(paragraph: WordParagraph, url: str) -> None:
        """Put a link that shows its address at the end of `paragraph`."""
        target: Any = paragraph._p
        target.append(_hyperlink(paragraph.part, url))

    def _footnote(self, note: Note) -> Any:
        opened, closed = note.quotes
        paragraph = _paragraph(_NOTE_ID)
        mark = _run(style=_MARK_ID)
        mark.append(OxmlElement("w:footnoteRef"))
        paragraph.append(mark)
        paragraph.append(_run(f" {note.head}"))
        if note.url:
            paragraph.extend([_run(note.comma), _hyperlink(self._part, note.url)])
        paragraph.append(_run(f"{note.colon}{opened}{note.quote}{closed}"))
        footnote = _element("w:footnote", id=note.number)
        footnote.append(paragraph)
        return footnote


def _part(document: WordDocument) -> XmlPart:
    package: Any = document.part.package
    root: Any = OxmlElement("w:footnotes")
    part = XmlPart(PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, root, package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    return part


def _announce(document: WordDocument) -> None:
    """Name the separators in the settings, at the place that the schema gives them."""
    properties: Any = OxmlElement("w:footnotePr")
    properties.extend(_element("w:footnote", id=kind_id) for kind_id, _ in _SEPARATORS)
    settings: Any = document.settings.element
    behind = next((found for name in _BEHIND if (found := settings.find(qn(f"w:{name}"))) is not None), None)
    if behind is None:
        settings.append(properties)
    else:
        behind.addprevious(properties)


def _separator(kind_id: int, kind: str) -> Any:
    run = _run()
    run.append(OxmlElement(f"w:{kind}"))
    paragraph = _paragraph()
    paragraph.append(run)
    footnote = _element("w:footnote", type=kind, id=kind_id)
    footnote.append(paragraph)
    return footnote


def _bookmark(number: int) -> str:
    return f"_RefJinwen{number}"


def _field(instruction: str, shown: str) -> list[Any]:
    """The runs of a field, with what it shows until Word works it out again."""
    code = _run(style=_MARK_ID)
    text: Any = OxmlElement("w:instrText", {qn("xml:space"): "preserve"})
    text.text = instruction
    code.append(text)
    return [_turn("begin"), code, _turn("separate"), _run(shown, style=_MARK_ID), _turn("end")]


def _turn(kind: str) -> Any:
    run = _run(style=_MARK_ID)
    run.append(_element("w:fldChar", fldCharType=kind))
    return run


def _hyperlink(part: Any, url: str) -> Any:
    relation = part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link: Any = OxmlElement("w:hyperlink", {qn("r:id"): relation})
    link.append(_run(url, style=_LINK_ID))
    return link


def _paragraph(style: str = "") -> Any:
    paragraph: Any = OxmlElement("w:p")
    if style:
        paragraph.style = style
    return paragraph


def _run(text: str = "", style: str = "") -> Any:
    run: Any = OxmlElement("w:r")
    if style:
        run.style = style
    if text:
        run.text = text
    return run


def _element(tag: str, **attributes: object) -> Any:
    return OxmlElement(tag, {qn(f"w:{name}"): str(value) for name, value in attributes.items()})
