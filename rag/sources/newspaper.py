"""A newspaper page as OCR text -> its stories as articles, with the spans of the page that each consists of.

`article.text` is the story as printed, headlines included; line breaks that a column break put inside a sentence, a
word or a number are left out, so `text` is the concatenation of `page[start:end]` over `spans`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

from rag.sources.cleaning import Span, is_blank, merge, visible_spans
from rag.sources.dating import date_line
from rag.sources.newspaper_heads import choose_title, is_latin
from rag.sources.newspaper_lines import (
    Line,
    Role,
    is_finished,
    split_lines,
    width,
)
from rag.sources.newspaper_markers import lead_names, names_of, tail_names
from rag.sources.newspaper_order import restore_order
from rag.sources.newspaper_stories import NUMBER_END, UNIT, Story, split_stories
from rag.sources.sidecar import Defaults
from rag.types import Article, ArticleKind

_STRONG = (Role.LEAD, Role.CONTINUED)
_WEAK = (Role.BYLINE, Role.PHOTO, Role.CAPTION, Role.JUMP)
_PARAGRAPH = 40.0
"""A wider paragraph without a sentence end was cut by a column break."""


def looks_like_newspaper(text: str) -> bool:
    """Whether `text` is a page of several stories, or one story with a newspaper's lead above its body."""
    lines = split_lines(text[:200_000])
    strong = [i for i, line in enumerate(lines) if line.role in _STRONG]
    weak = [i for i, line in enumerate(lines) if line.role in _WEAK]
    if len(strong) + len(weak) >= 2:
        return True
    first = (strong or weak or [len(lines)])[0]
    return first < min(len(lines), 5) and all(line.role is Role.HEADLINE for line in lines[:first])


def read_newspaper(text: str, file: str, defaults: Defaults) -> list[Article]:
    """The stories of the page `text` (unified, see `encoding.Decoded`), in page order; their ids count from 1."""
    lines = split_lines(text)
    stories = restore_order(split_stories(lines))
    blank_lines = sum(line.breaks >= 2 for line in lines) * 2 > len(lines)
    name = PurePath(file).name
    if defaults.date is None:
        printed = (date_line(line.text) for line in lines if line.role is Role.FURNITURE)
        defaults = replace(defaults, date=next((date for date in printed if date), None))
    return [_article(text, story, f"{name}#{n}", file, defaults, blank_lines) for n, story in enumerate(stories, 1)]


def _article(page: str, story: Story, article_id: str, file: str, defaults: Defaults, blank_lines: bool) -> Article:
    text, spans = _text(page, story)
    headline = choose_title(story, blank_lines)
    return Article(
        id=article_id,
        title=headline.title,
        text=text,
        file=file,
        source=defaults.source,
        date=defaults.date,
        byline=_byline(story),
        subtitle=headline.subtitle,
        kind=story.kind,
        spans=spans,
        body_start=_body_start(page, story, text),
    )


def _text(page: str, story: Story) -> tuple[str, tuple[Span, ...]]:
    """The story's text and its spans: its lines, with at most two of the line breaks between them.

    Where a cut sentence is joined between Latin words, a space must come in that the page does not have; the text is
    no concatenation of spans then, and there are none.
    """
    spans: list[Span] = []
    text = ""
    for index, line in enumerate(story.lines):
        visible = visible_spans(page, line.start, line.end)
        above = story.lines[index - 1]
        between: list[Span] = []
        space = ""
        if index and not _runs_on(above, line, adjacent=not page[above.end : line.start].strip()):
            between = _line_breaks(page, above.end, line)
        elif index and is_latin(above.text):
            space = " "
        text += space + "".join(page[start:end] for start, end in (*between, *visible))
        spans += [*between, *visible]
    merged = merge(spans)
    return text, merged if len(text) == sum(end - start for start, end in merged) else ()


def _runs_on(line: Line, following: Line, adjacent: bool) -> bool:
    """Whether a column break cut the sentence between `line` and `following`."""
    if line.role not in (Role.BODY, Role.LEAD) or following.role not in (Role.BODY, Role.CAPTION, Role.SERVICE):
        return False
    if is_finished(line.text):
        return False
    number = NUMBER_END.search(line.text) is not None and UNIT.match(following.text) is not None
    if number or following.role is Role.SERVICE:
        return number
    # A short one may also be the last line of a paragraph whose rest is lost; it runs on only into what stands next.
    return width(line.text) > _PARAGRAPH or (adjacent and "," in line.text.replace("，", ","))


def _line_breaks(page: str, end: int, following: Line) -> list[Span]:
    """The first one or two line breaks after `end`."""
    breaks: list[Span] = []
    while end < len(page) and is_blank(page[end]):
        if page[end] == "\n":
            breaks.append((end, end + 1))
        end += 1
    return breaks[: 1 if following.breaks == 1 else 2]


def _body_start(page: str, story: Story, text: str) -> int:
    """Offset in `text` of the first line below the headlines; 0 when there is none."""
    if not 0 < story.heads < len(story.lines):
        return 0
    heads, _ = _text(page, Story(story.lines[: story.heads], story.heads))
    return len(text) - len(text[len(heads) :].lstrip())


def _byline(story: Story) -> str | None:
    """Writers from the byline lines, the lead marker, or the brackets at the end; the photographer of a caption."""
    if story.kind is ArticleKind.PHOTO_CAPTION:
        credit = story.lines[-1].text
        match = re.search(r"([^。！”()（）]{0,40}?)\s*/?摄(?:影)?[)）]*$", credit)
        names = names_of(match[1]) if match else names_of(credit)
        return f"{names} 摄" if names else None
    bylines = [names_of(line.text) for line in story.lines if line.role is Role.BYLINE]
    leads = [lead_names(line.text) for line in story.lines if line.role is Role.LEAD]
    tails = [tail_names(line.text) for line in story.lines if line.role in (Role.BODY, Role.LEAD)]
    return next((names for names in (*bylines, *leads, *tails) if names), None)
