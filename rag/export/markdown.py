"""A manuscript -> Markdown with footnotes (`[^1]`), as GitHub, Pandoc, Obsidian and Typora read them.

Whatever comes from an article, a question or a model is escaped: it can make no link, image, formula or HTML.
"""

from __future__ import annotations

import re

from rag.export.manuscript import Manuscript, Paragraph, Reference, Related, Run, Section, Style
from rag.export.notes import Note
from rag.export.words import word

_SPECIAL = re.compile(r"[\\`*_\[\]{}<>~$^|#]|&(?=#?\w+;)|(?<!\w)@")
_ORDERED = re.compile(r"^(\d{1,9})([.)])", re.MULTILINE)
_LINE_START = re.compile(r"^([-+=:%])", re.MULTILINE)


def markdown(paper: Manuscript) -> str:
    """The file, UTF-8 text that ends with a line break."""
    blocks = [f"# {_escape(paper.title)}"]
    for section in paper.sections:
        if not paper.alone:
            blocks.append(f"## {_escape(section.question)}")
        blocks += _section(section, paper.language)
    notes = "\n".join(map(_note, paper.notes))
    return "\n\n".join([*blocks, *([notes] if notes else [])]) + "\n"


def _section(section: Section, language: str) -> list[str]:
    blocks = [_paragraph(paragraph) for paragraph in section.paragraphs]
    if section.related:
        blocks += [word(language, "near"), "\n".join(map(_related, section.related))]
    if section.remarks:
        blocks.append("\n>\n".join(f"> {_started(_escape(remark))}" for remark in section.remarks))
    return [*blocks, *([_started(_escape(section.made))] if section.made else [])]


def _paragraph(paragraph: Paragraph) -> str:
    text = "".join(f"[^{piece.number}]" if isinstance(piece, Reference) else _run(piece) for piece in paragraph)
    lines = (line.strip() for line in text.split("\n"))
    return _started("\\\n".join(line for line in lines if line))


def _run(run: Run) -> str:
    escaped = _escape(run.text)
    # Stars beside punctuation are no emphasis to CommonMark where no space stands, as in Chinese.
    bold = run.style is Style.STRONG and run.text[0].isalnum() and run.text[-1].isalnum()
    return f"**{escaped}**" if bold else escaped


def _related(item: Related) -> str:
    return f"- {_escape(item.line)}" + (f" <{item.url}>" if item.url else "")


def _note(note: Note) -> str:
    place = f"{note.comma}<{note.url}>" if note.url else ""
    opened, closed = note.quotes
    return f"[^{note.number}]: {_escape(note.head)}{place}{note.colon}{opened}{_escape(note.quote)}{closed}"


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)


def _started(text: str) -> str:
    """`text` whose lines begin no list, heading or definition."""
    return _LINE_START.sub(r"\\\1", _ORDERED.sub(r"\1\\\2", text))
