"""When an HTML page was published: as its metadata say, or the line under its headline; never a related story's day."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from rag.sources.dating import date_line, parse_date

_META = frozenset({
    "article:published_time", "og:published_time", "datepublished", "publishdate", "publish_date", "pubdate",
    "date_published", "dc.date.issued", "dcterms.issued", "dc.date", "parsely-pub-date", "sailthru.date",
})  # fmt: skip
_LINKED_DATA = re.compile(r'"datePublished"\s{0,9}:\s{0,9}"([^"]{8,40})"')
_RELATED = re.compile(
    r"(?:相关|推荐|延伸|热门|更多|往期|最新|精彩|编辑推荐|大家都在看|猜你喜欢|上一篇|下一篇|阅读排行"
    r"|Related|Recommended|More (?:from|on|news)"
    r"|Read (?:more|next)|Most (?:read|popular)|You (?:may|might)|See also|Latest)",
    re.I,
)
_MAX_HEADING = 20
_NEAR = 60
"""Elements behind the headline in which its date line is looked for."""
_BODY = 80
"""A paragraph of so many characters is the story, behind which no date line comes."""


def drop_related(tree: Any) -> None:
    """Take out of the lxml `tree` the lists of other stories: links under a heading that says so."""
    for heading in list(tree.iter("h2", "h3", "h4", "h5", "h6", "div", "p", "span", "strong", "dt", "b")):
        parent = heading.getparent()
        if parent is None or parent.tag in ("body", "html") and heading.tag in ("div", "p", "span"):
            continue
        said = " ".join((heading.text or "").split())
        if 0 < len(said) <= _MAX_HEADING and _RELATED.match(said):
            for block in (parent, heading.getnext()):
                if block is not None and block.tag not in ("body", "html") and _is_links(block, said):
                    block.drop_tree()
                    break


def published_date(tree: Any) -> str:
    """The page's own day as an ISO date, empty when neither metadata nor the line under the headline say."""
    day = next((day for value in _said(tree) if (day := parse_date(value))), None) or _under_headline(tree)
    return day.isoformat() if day else ""


def _is_links(block: Any, heading: str) -> bool:
    """Whether most of the text of `block`, its heading left out, is that of links."""
    size = len("".join(block.text_content().split())) - len(heading)
    linked = sum(len("".join(link.text_content().split())) for link in block.iter("a"))
    return 0 < size < 3 * linked


def _said(tree: Any) -> list[str]:
    """What metadata say of the day, the surest first."""
    metas = [
        meta.get("content") or ""
        for meta in tree.iter("meta")
        if (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower() in _META
    ]
    scripts = (script.text or "" for script in tree.iter("script") if "ld+json" in (script.get("type") or ""))
    return [*metas, *(match[1] for script in scripts if (match := _LINKED_DATA.search(script[:200_000])))]


def _under_headline(tree: Any) -> dt.date | None:
    headline = next(tree.iter("h1"), None)
    if headline is None:
        return None
    for element in headline.xpath(f"following::*[position() <= {_NEAR}]"):
        if not isinstance(element.tag, str) or element.tag in ("script", "style", "a"):
            continue
        text = " ".join(element.text_content().split()) if len(element) < 20 else ""
        if day := date_line(text):
            return day
        if element.tag == "p" and len(text) > _BODY:
            break
    return None
