"""Headlines of a story -> its title and its kicker or deck.

Chinese papers print the kicker above the title and the deck, if any, below it with a dash; column labels (新闻发布厅,
一线故事) stand anywhere. A jump (continued story) repeats the title first. Latin papers put the title first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.sources.newspaper_lines import Line, Role, width
from rag.sources.newspaper_markers import BULLETS
from rag.sources.newspaper_stories import Story
from rag.types import ArticleKind

_LABEL = re.compile(
    r"(?:在基层|进行时|发布厅|专栏|专题|视点|连线|追踪|访谈|观察|论坛|纪实|手记|走笔|关注|快讯|要闻|简讯|一线|故事)$"
)
_LABEL_WIDTH = 10.0
_SHORT_LABEL_WIDTH = 5.0
_DASH = ("——", "—", "--")


@dataclass(frozen=True, slots=True)
class Headline:
    """Title (empty when the page lost it) and kicker or deck."""

    title: str
    subtitle: str | None


def choose_title(story: Story, blank_lines: bool) -> Headline:
    """The headline of `story`; `blank_lines` says that blank lines part the lines of the page."""
    heads = list(story.lines[: story.heads])
    if not heads:
        heads = _heads_below_marker(story)
    groups = _groups(heads, blank_lines)
    if not groups:
        return Headline("", None)
    named = [group for group in groups if not _is_label(group)] or groups
    title = _pick(named, story.kind)
    others = [group for group in named if group is not title] or [group for group in groups if group is not title]
    return Headline(title, " ".join(others) or None)


def _heads_below_marker(story: Story) -> list[Line]:
    """Headlines printed under the jump line or byline that opens the story."""
    heads: list[Line] = []
    for line in story.lines[1:] if story.lines[0].role in (Role.CONTINUED,) else ():
        if line.role is not Role.HEADLINE:
            break
        heads.append(line)
    return heads


def _groups(heads: list[Line], blank_lines: bool) -> list[str]:
    """One string per headline; a headline set in two lines (no blank line between them) is one."""
    groups: list[str] = []
    for index, line in enumerate(heads):
        text = " ".join(line.text.lstrip(BULLETS).split()) or line.text
        if index and blank_lines and line.breaks == 1 and not text.startswith(_DASH) and not is_latin(text):
            groups[-1] += f" {text}"
        else:
            groups.append(text)
    return groups


def _pick(groups: list[str], kind: ArticleKind) -> str:
    candidates = [g for g in groups if not g.startswith(_DASH) and not g.endswith((*_DASH, ":", "："))] or groups
    deck = next((i for i, group in enumerate(groups) if i and group.startswith(_DASH)), None)
    if deck is not None and groups[deck - 1] in candidates:
        return groups[deck - 1]
    first = is_latin(candidates[0]) or kind in (
        ArticleKind.CONTINUED_FRAGMENT,
        ArticleKind.PHOTO_CAPTION,
        ArticleKind.NOTICE,
    )
    return candidates[0] if first else candidates[-1]


def is_latin(text: str) -> bool:
    """Whether `text` is written in Latin letters, but for a quoted word or two."""
    return sum(ord(char) < 0x2000 for char in text) > 0.8 * len(text)


def _is_label(text: str) -> bool:
    if re.search(r"[,，!！?？]", text):
        return False
    return width(text) <= _SHORT_LABEL_WIDTH or (width(text) <= _LABEL_WIDTH and _LABEL.search(text) is not None)
