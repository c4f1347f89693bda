"""Lines of a newspaper page -> stories, in page order.

A story begins with the headlines before a lead marker, a byline or a jump line; after a story has been closed (by a
byline at its end, a jump or a credit) also with the next headline or paragraph. Other headlines inside an open story
are crossheads, unless the text above stopped in mid-sentence or the text below begins in one: then the story's
beginning stood elsewhere. A photo credit closes a caption, after which the story around it goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from rag.sources.newspaper_lines import (
    Line,
    Role,
    ends_with_jump,
    is_finished,
    is_marked_byline,
    width,
)
from rag.sources.newspaper_markers import lead_names, tail_names
from rag.types import ArticleKind

_TEXT = (Role.BODY, Role.LEAD, Role.CAPTION)
_PICTURE_GAP = 4
"""Line breaks that a lost picture leaves."""
_MAX_HEADS = 6
_MAX_CROSSHEAD = 20.0
"""A wider line with a comma is no crosshead."""
_COLONS = ":："
_MIDDLE = ",，、。;；)）》」』”"
"""What no sentence starts with."""
NUMBER_END = re.compile(r"\d[\d.,]{0,30}[十百千万亿]{0,4}$")
UNIT = re.compile(r"[年月日时分秒元亿万千百个名家项种件次倍度吨米公平立%％‰℃]|\d|[.,]\d")
"""How a number cut by a column break goes on."""
_MAX_CAPTION = 260
_CAPTION_OPENING = re.compile(
    r"[(（▲△◀←↑]?\s{0,4}(?:(?:图|上图|下图|左图|右图|题图)[为①-⑨]?|这是|昨[日天]|近日|日前|连日来"
    r"|\d{1,2}月\d{1,2}日|\d{1,2}日)"
)
_SERVICE_TAIL = re.compile(r"欢迎|请于|请致电|咨询|报名|联系|电话|邮箱|@|扫码|二维码")
_NOTICE_TITLE = re.compile(r"(?:启事|公告|声明|公示|通告|更正|致歉|讣告|招领)$")


@dataclass(frozen=True, slots=True)
class Story:
    """The lines of one story in reading order; the first `heads` of them are its headlines."""

    lines: tuple[Line, ...]
    heads: int
    kind: ArticleKind = ArticleKind.ARTICLE


@dataclass
class _Open:
    """A story being read."""

    lines: list[Line]
    heads: int
    kind: ArticleKind = ArticleKind.ARTICLE
    closed: bool = False

    @property
    def is_readable(self) -> bool:
        return any(char.isalnum() for line in self.lines for char in line.text)

    @property
    def is_signed(self) -> bool:
        return any(
            line.role is Role.BYLINE or (line.role is Role.LEAD and lead_names(line.text)) for line in self.lines
        )

    @property
    def has_text(self) -> bool:
        return any(line.role in _TEXT for line in self.lines)

    def last_text(self) -> Line | None:
        return next((line for line in reversed(self.lines) if line.role in _TEXT), None)


def split_stories(lines: list[Line]) -> list[Story]:
    """The stories of a page, in page order; furniture (page numbers, editors) is in none of them."""
    reader = _Reader()
    kept = [line for line in lines if line.role is not Role.FURNITURE]
    for index, line in enumerate(kept):
        reader.read(line, kept[index + 1] if index + 1 < len(kept) else None)
    return reader.finish()


@dataclass
class _Reader:
    """Reads line by line; `pending` holds headlines whose story is not known yet."""

    stories: list[_Open] = field(default_factory=list)
    current: _Open | None = None
    pending: list[Line] = field(default_factory=list)

    def read(self, line: Line, following: Line | None) -> None:
        if line.role in (Role.HEADLINE, Role.SERVICE) and (self.pending or line.role is Role.HEADLINE):
            self.pending.append(line)
        elif line.role is Role.LEAD:
            self._start([line])
            self._close_after(line)
        elif line.role is Role.CONTINUED:
            self._start([line], ArticleKind.CONTINUED_FRAGMENT)
        elif line.role is Role.BYLINE:
            self._byline(line)
        elif line.role in (Role.PHOTO, Role.CAPTION):
            self._photo(line)
        elif line.role is Role.BODY:
            self._body(line, following)
        else:  # service box, credit or jump: the tail of the story above
            self._append([*self._take_pending(), line])
            if line.role is Role.JUMP and self.current:
                self.current.closed = True

    def finish(self) -> list[Story]:
        if self.pending:
            self._split_notice()
            self._append(self._take_pending())
        return [Story(tuple(story.lines), story.heads, story.kind) for story in self.stories if story.is_readable]

    def _take_pending(self) -> list[Line]:
        taken, self.pending = self.pending, []
        return taken

    def _append(self, lines: list[Line]) -> None:
        if not lines:
            return
        if self.current is None:
            self._open(_Open(lines, sum(line.role is Role.HEADLINE for line in lines[:1])))
        else:
            self.current.lines += lines

    def _open(self, story: _Open) -> None:
        self.stories.append(story)
        self.current = story

    def _start(self, lines: list[Line], kind: ArticleKind = ArticleKind.ARTICLE) -> None:
        """Open a story with the pending headlines above `lines`."""
        self._split_notice()
        heads = self._take_pending()
        if len(heads) > _MAX_HEADS:  # a table or a list stands above; only the lines next to the body are headlines
            self._append(heads[:-3])
            heads = heads[-3:]
        if kind is ArticleKind.ARTICLE and heads and any(_NOTICE_TITLE.search(head.text) for head in heads):
            kind = ArticleKind.NOTICE
        self._open(_Open([*heads, *lines], len(heads), kind))

    def _split_notice(self) -> None:
        """A pending headline with a service box under it is a notice of its own."""
        boxes = [i for i, line in enumerate(self.pending) if line.role is Role.SERVICE]
        if not boxes:
            return
        notice, self.pending = self.pending[: boxes[-1] + 1], self.pending[boxes[-1] + 1 :]
        self._open(_Open(notice, boxes[0], ArticleKind.NOTICE, closed=True))

    def _close_after(self, line: Line) -> None:
        if self.current and (tail_names(line.text) or ends_with_jump(line.text)):
            self.current.closed = True

    def _byline(self, line: Line) -> None:
        """A byline stands above its body, or at its end, where it closes the story."""
        story = self.current
        above = story is None or story.closed or story.is_signed or self.pending or is_marked_byline(line.text)
        if story and not story.has_text and not self.pending and not story.closed:
            story.lines.append(line)  # a second line of writers under the headline
        elif above:
            self._start([line])
        elif story:
            story.lines.append(line)
            story.closed = True

    def _body(self, line: Line, following: Line | None) -> None:
        if self.pending and is_cut(self.pending[-1], line):  # no headline, but a short line that a column break cut
            self._body(replace(self.pending.pop(), role=Role.BODY), line)
        if self.pending and self._begins_story(line):
            self._start([line], self._kind_without_marker(line))
        elif self.pending:
            self._append(self._take_pending())
            self._append([line])
        elif self.current is None or (self.current.closed and not _is_tail(line, following)):
            self._start([line])
        else:
            self._append([line])
        self._close_after(line)

    def _begins_story(self, line: Line) -> bool:
        """Whether the pending headlines are a title, although no lead marker follows them."""
        story = self.current
        if story is None or story.closed or any(head.role is Role.SERVICE for head in self.pending):
            return True
        if not story.has_text:
            return False
        deck = any(head.text.startswith("——") for head in self.pending[1:])
        return deck or self._broken_off() or opens_inside_quotation(line.text)

    def _broken_off(self) -> bool:
        last = self.current.last_text() if self.current else None
        return last is not None and not is_finished(last.text) and width(last.text) > 40

    def _kind_without_marker(self, line: Line) -> ArticleKind:
        story = self.current
        lost = opens_inside_quotation(line.text) or (story is not None and not story.closed and self._broken_off())
        return ArticleKind.CONTINUED_FRAGMENT if lost else ArticleKind.ARTICLE

    def _photo(self, line: Line) -> None:
        """A credit closes a caption: the pending headlines, or the paragraph above with the headlines on top of it."""
        caption = self._take_pending()
        resumed = self.current
        if line.role is Role.PHOTO and not caption:
            caption = self._cut_caption()
            if not caption:
                self._append([line])
                return
        heads = 0
        while heads < len(caption) and caption[heads].role is Role.HEADLINE:
            heads += 1
        if heads == len(caption) and heads > 1 and line.role is Role.PHOTO:
            heads = 1  # the caption itself is as short as a headline
        self._open(_Open([*caption, line], heads, ArticleKind.PHOTO_CAPTION, closed=True))
        if resumed and resumed.lines and not resumed.closed:
            self.current = resumed

    def _cut_caption(self) -> list[Line]:
        """Take the caption that stands at the end of the current story out of it; empty when there is none."""
        story = self.current
        if (
            story is None
            or not story.lines
            or story.lines[-1].role is not Role.BODY
            or len(story.lines[-1].text) > _MAX_CAPTION
        ):
            return []
        first = len(story.lines) - 1
        while first > 0 and story.lines[first - 1].role is Role.HEADLINE:
            first -= 1
        body = story.lines[-1]
        apart = body.breaks >= _PICTURE_GAP or first < len(story.lines) - 1 or _CAPTION_OPENING.match(body.text)
        if not apart or (first == 0 and story.closed):
            return []
        caption = story.lines[first:]
        del story.lines[first:]
        if not story.lines:  # it was the caption and nothing else; `finish` passes it over
            self.current = None
        return caption


def opens_inside_quotation(text: str) -> bool:
    """Whether the first quotation mark of `text` closes, or it starts with punctuation: its beginning is missing."""
    mark = re.search("[“”]", text)
    return text[0] in _MIDDLE or (mark is not None and mark.group() == "”")


def is_cut(line: Line, following: Line) -> bool:
    """Whether the headline-like `line` is a piece of a sentence that goes on in the paragraph `following`."""
    text, below = line.text, following.text
    if line.role is not Role.HEADLINE or line.text[-1] in _COLONS:
        return False
    opened = text.count("“") > text.count("”") and opens_inside_quotation(below)
    number = NUMBER_END.search(text) is not None and UNIT.match(below) is not None
    return (
        opened
        or number
        or below[0] in _MIDDLE
        or (re.search("[,，]", text) is not None and width(text) > _MAX_CROSSHEAD)
    )


def _is_tail(line: Line, following: Line | None) -> bool:
    """Whether a paragraph below a closed story still belongs to it: a service box without a headline."""
    return line.breaks < _PICTURE_GAP and (
        _SERVICE_TAIL.search(line.text) is not None or (following is not None and following.role is Role.SERVICE)
    )
