"""What a line of a newspaper page is, by its own characters: lead marker, byline, credit, headline, body.

Newspapers mark where a story begins or ends in few ways, and OCR keeps the words: a lead marker opens the body
(本报讯(记者 …), 新华社…电), a byline stands above or below it (■ 记者 …, 本报记者 …, By …), a credit closes a caption
(… 摄), a jump line names the page a story comes from or goes on (上接第1版).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from rag.sources import newspaper_markers as marker
from rag.sources.cleaning import visible_spans


class Role(Enum):
    """What a line is for."""

    LEAD = auto()
    """Body paragraph that opens with a lead marker."""
    BYLINE = auto()
    """Only the writers' names; above or below the body."""
    CONTINUED = auto()
    """`(上接第1版)`: what follows began on another page."""
    JUMP = auto()
    """`(下转第3版)`: the story goes on elsewhere and ends here."""
    PHOTO = auto()
    """Only a photographer's credit; closes a caption."""
    CAPTION = auto()
    """Caption text with the photographer's credit at its end."""
    CREDIT = auto()
    """Who provided pictures or text; belongs to the story above."""
    SERVICE = auto()
    """Telephone, address, deadline: a service box."""
    HEADLINE = auto()
    """Short line without a sentence end: title, kicker, deck, column label or crosshead."""
    BODY = auto()
    FURNITURE = auto()
    """Page number, masthead, editors: part of no story."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page with something on it."""

    text: str
    start: int
    """Offset in the decoded file; `end` likewise."""
    end: int
    breaks: int
    """Line breaks between the line above and this one; a large number at the top of the page."""
    role: Role


_SENTENCE_END = re.compile(r"[。！？…!?][”’」』）)》\"']*$|[.][”\"'’)]*$|[；;]$")
_TITLE_END = re.compile(r"[！？!?…][”’」』）)》\"']*$")
_BODY_OPENING = re.compile(
    r"据(?:悉|了解|介绍|统计|报道)[,，]|(?:目前|此外|同时|随后|其中|日前|近日|昨日|当天|截至目前|另外|会上|会议指出|记者)[,，]"
)
_MAX_HEADLINE = 42.0
_LATIN_WIDTH = 0.45


def split_lines(text: str) -> list[Line]:
    """The lines of `text` that hold something, in order; decoration is left out.

    `text[line.start:line.end]` is the line with its outer white space removed, `line.text` what is to be read of it.
    """
    lines: list[Line] = []
    position, breaks = 0, 99
    for raw in text.split("\n"):
        spans = visible_spans(text, position, position + len(raw))
        if spans:
            start, end = spans[0][0], spans[-1][1]
            body = "".join(text[first:last] for first, last in spans)
            lines.append(Line(body, start, end, breaks, role_of(body)))
            breaks = 0
        breaks += 1
        position += len(raw) + 1
    return lines


def role_of(line: str) -> Role:
    """The role of `line` as far as its own characters tell."""
    if len(line) <= 100:
        role = _role_of_short(line)
        if role:
            return role
    if marker.LEAD.match(line) or marker.LATIN_LEAD.match(line):
        return Role.LEAD
    if len(line) <= 300 and marker.CAPTION_END.search(line[-60:]):
        return Role.CAPTION
    if len(line) <= 120 and marker.SERVICE.search(line):
        return Role.SERVICE
    return Role.HEADLINE if is_headline(line) else Role.BODY


def _role_of_short(line: str) -> Role | None:
    whole = (
        (marker.FURNITURE, Role.FURNITURE),
        (marker.CONTINUED, Role.CONTINUED),
        (marker.JUMP, Role.JUMP),
        (marker.PHOTO, Role.PHOTO),
        (marker.MARKED_BYLINE, Role.BYLINE),
        (marker.PLAIN_BYLINE, Role.BYLINE),
        (marker.LATIN_BYLINE, Role.BYLINE),
        (marker.CREDIT, Role.CREDIT),
    )
    return next((role for pattern, role in whole if pattern.fullmatch(line)), None)


def width(line: str) -> float:
    """Printed width of `line` in Chinese characters."""
    return sum(_LATIN_WIDTH if ord(c) < 0x2000 else 1.0 for c in line)


def is_headline(line: str) -> bool:
    """Whether `line` could be a title, kicker, deck, label or crosshead: short, and no full sentence."""
    if len(line) > 200 or width(line) > _MAX_HEADLINE or "。" in line or line[-1] in ",，、;；":
        return False
    commas = len(re.findall(r"[,，]", line))
    if _BODY_OPENING.match(line) or commas > 1 or (commas and ("、" in line or width(line) > 28)):
        return False
    return not _SENTENCE_END.search(line) or bool(_TITLE_END.search(line) and width(line) <= 30)


def is_finished(line: str) -> bool:
    """Whether `line` ends where a sentence may end."""
    if _SENTENCE_END.search(line) or line[-1] in ":：—" or marker.JUMP_END.search(line):
        return True
    return line[-1] in ")）】" and not re.search(r"[,，。]", line)


def ends_with_jump(line: str) -> bool:
    """Whether `line` closes with `(下转第3版)`."""
    return marker.JUMP_END.search(line) is not None


def is_marked_byline(line: str) -> bool:
    """Whether `line` is a byline with a bullet, as printed above a body."""
    return marker.MARKED_BYLINE.fullmatch(line) is not None
