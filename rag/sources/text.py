"""Plain text and Markdown -> one article, whose text is what is left of the file when markup is taken out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

from rag.errors import SourceError
from rag.sources.cleaning import Span, clean_line, decode_entities, kept_spans
from rag.sources.dating import date_line, parse_date
from rag.sources.extracted import MAX_ARTICLE, too_long
from rag.sources.sidecar import Defaults
from rag.sources.web import web_address
from rag.types import Article

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S[^\n]{0,300})$", re.M)
_SETEXT = re.compile(r"\s{0,200}(\S[^\n]{0,200})\n(?:={3,}|-{3,})[ \t]*\n")
_FRONT_MATTER = re.compile(
    r"\A\s*(?:---\n(?P<yaml>(?:[^\n]*\n){1,60}?)(?:---|\.\.\.)|\+\+\+\n(?P<toml>(?:[^\n]*\n){1,60}?)\+\+\+)[ \t]*\n"
)
_FIELD = re.compile(r"^(?P<key>[A-Za-z_一-鿿]{2,20})[ \t]{0,9}[:=：][ \t]{0,9}(?P<value>[^\n]{0,500})$")
_ITEM = re.compile(r"^[ \t]{0,9}-[ \t]{1,9}(?P<value>[^\n]{1,500})$")
_QUOTING = " \t\"'[]“”"
# What front matter calls things, the surest first: the day of saving is no day of printing, so it is not asked for.
_FRONT_KEYS = {
    "title": ("title", "标题", "题目", "headline"),
    "date": ("date", "published", "publishdate", "publish_date", "pubdate", "published_at", "datepublished", "日期",
             "发布日期", "发布时间", "刊发日期", "时间"),
    "source": ("source", "publisher", "site", "来源", "出处", "公众号", "媒体", "稿源"),
    "byline": ("author", "authors", "byline", "作者", "记者", "撰文"),
    "url": ("url", "link", "source_url", "canonical", "链接", "原文链接", "原文", "网址"),
}  # fmt: skip
_SHARED = re.compile(r"^(?:原创|转载)\s+(?:(?P<byline>[^\s\[\]]{2,10})\s+)?(?P<source>[^\s\[\]]{2,20})$")
"""How a saved post of a public account signs: 原创, the writer, the account."""
_SOURCE_LINE = re.compile(r"(?:^|[\s|])(?:来源|稿源|Source)\s*[:：]\s*(?P<name>[^\s|:：]{2,30})", re.I)
_BYLINE_LINE = re.compile(
    r"^(?:[^\s:：]{2,10}\s+)?(?:本报)?(?:记者|作者|撰文|通讯员)[\s:：]+(?P<name>[一-鿿·]{2,6}(?:[\s、]+[一-鿿·]{2,6}){0,4})$"
    r"|^(?:By\s+|Author:\s*)(?P<latin>[A-Z][\w.'’-]*(?:,? (?:and )?[A-Z][\w.'’-]*){1,6})$"
)
_URL_LINE = re.compile(r"^(?:(?:链接|原文|网址|原文链接|URL|Link)\s*[:：]\s*)?<?(?P<url>https?://\S{4,2000}?)>?$", re.I)
_SENTENCE_END = re.compile(r"[。！？；.;,，、:：][”’」』）)》\"']*$")
_MAX_TITLE_WIDTH = 50
_MASK = "\u200b"
"""An invisible character, which cleaning leaves out."""
_MAX_SPANS = 50_000
"""A text in more pieces is no story whose place in its file anyone needs."""
_HEAD = 50_000
"""Characters in which a heading is looked for."""
_TARGET = r"\((?:[^()\n]{0,2000}|javascript:[^\s\]]{0,100})\)"
# Markdown that is taken out, in the order in which it is looked for: fences, heading marks, images, link targets,
# emphasis, quotation marks of blocks, HTML comments.
_MARKUP = (
    re.compile(r"^[ \t]{0,3}(?:```|~~~)[^\n]*$", re.M),
    re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+|[ \t]{1,9}#{1,9}[ \t]{0,9}$", re.M),
    re.compile(r"^[ \t]{0,3}>[ \t]?", re.M),
    re.compile(r"!\[[^\]\n]{0,300}\]\([^()\n]{0,2000}\)"),
    re.compile(r"\[(?=[^\[\]\n]{1,500}\]" + _TARGET + ")"),
    re.compile(r"\]" + _TARGET),
    re.compile(r"(?<![\w*\\])\*{1,3}(?=[^\s*])|(?<=[^\s*\\])\*{1,3}(?![\w*])|\*\*"),
    re.compile(r"(?<!\w)__(?=\S)|(?<=\S)__(?!\w)|`"),
    re.compile(r"<!--[^\n<]{0,2000}-->"),
)


@dataclass(frozen=True, slots=True)
class Front:
    """What the head of a text, or a file's metadata, say about it."""

    title: str = ""
    date: dt.date | None = None
    """As the text itself says."""
    stamp: dt.date | None = None
    """As metadata say; what the user says of the file goes before."""
    source: str = ""
    byline: str = ""
    url: str | None = None


def looks_like_markdown(text: str) -> bool:
    """Whether `text` has front matter or a Markdown heading."""
    head = text[:_HEAD]
    return _FRONT_MATTER.match(head) is not None or _HEADING.search(head) is not None


def read_text(text: str, file: str, defaults: Defaults, *, markdown: bool) -> Article:
    """The article that the file `text` (unified, see `encoding.Decoded`) holds.

    :raises SourceError: there is no text in it.
    """
    decoded = decode_entities(text)
    literal = decoded == text
    body_from, front = _front_matter(decoded) if markdown else (0, Front())
    spans = _without_markup(decoded, body_from) if markdown else kept_spans(decoded)
    result = "".join(decoded[start:end] for start, end in spans)
    heading = (
        _HEADING.search(decoded, body_from, body_from + _HEAD) or _SETEXT.match(decoded, body_from)
        if markdown
        else None
    )
    title = front.title or (clean_line(_plain(heading[heading.lastindex or 1])) if heading else "")
    return make_article(
        result, file, defaults, front, title=title, spans=spans if literal and len(spans) <= _MAX_SPANS else ()
    )


def make_article(
    text: str, file: str, defaults: Defaults, front: Front, *, title: str = "", spans: tuple[Span, ...] = ()
) -> Article:
    """The one article of a file from its clean `text`, what its metadata say, and what its own first lines say.

    :raises SourceError: `text` has no letter or digit.
    """
    if not any(char.isalnum() for char in text):
        raise SourceError("no text in it")
    if len(text) > MAX_ARTICLE:
        raise SourceError(too_long(text))
    edge = edge_lines(text)
    if not title and _is_title(edge[0]) and "\n" in text:
        title = edge[0]
    heads_text = bool(title) and edge[0] == title
    shared = next((m for line in edge if (m := _SHARED.match(line))), {"source": "", "byline": ""})
    return Article(
        id=f"{PurePath(file).name}#1",
        title=(title or PurePath(file).stem)[:300],
        text=text,
        file=file,
        source=front.source or defaults.source or _found(_SOURCE_LINE, edge) or shared["source"],
        date=_date(edge, front, defaults),
        url=front.url or next((web_address(m["url"]) for line in edge if (m := _URL_LINE.match(line))), None),
        byline=front.byline or _found(_BYLINE_LINE, edge) or shared["byline"] or None,
        spans=spans,
        body_start=len(text) - len(text[text.index("\n") :].lstrip()) if heads_text and "\n" in text else 0,
    )


def edge_lines(text: str) -> list[str]:
    """The first eight and the last three lines, where a text says what it is; each cut to 200 characters."""
    first, last = text.split("\n", 8), text.rsplit("\n", 3)
    return [line[:200].strip() for line in [*first[:8], *last[-3:]]]


def _front_matter(text: str) -> tuple[int, Front]:
    """Where the text begins below its front matter, and what that says."""
    match = _FRONT_MATTER.match(text)
    if not match:
        return 0, Front()
    written = _fields(match["yaml"] or match["toml"] or "")
    fields = {name: next((written[key] for key in keys if written.get(key)), []) for name, keys in _FRONT_KEYS.items()}
    title, date, source, byline, url = (" ".join(fields[name]) for name in ("title", "date", "source", "byline", "url"))
    from_source = web_address(source)  # as web clippers write it
    host = (urlsplit(from_source).hostname or "").removeprefix("www.") if from_source else ""
    front = Front(
        title=clean_line(title),
        date=parse_date(date),
        source=host or clean_line(source),
        byline=clean_line(byline),
        url=web_address(url) or from_source,
    )
    return match.end(), front


def _fields(block: str) -> dict[str, list[str]]:
    """Values by key in small letters, without quotation marks and brackets; a list has several."""
    fields: dict[str, list[str]] = {}
    values: list[str] = []
    for line in block.split("\n"):
        if field := _FIELD.match(line):
            inline = field["value"].strip()
            items = inline.strip("[]").split(",") if inline.startswith("[") and inline.endswith("]") else [inline]
            values = [value for item in items if (value := item.strip(_QUOTING))]
            fields.setdefault(field["key"].lower(), values)
        elif item := _ITEM.match(line):
            values.append(item["value"].strip(_QUOTING))
    return fields


def _date(edge: list[str], front: Front, defaults: Defaults) -> dt.date | None:
    """What the user says of this very file, what is printed, what the user says of many, what metadata say."""
    if defaults.date and defaults.exact:
        return defaults.date
    printed = next((date for date in map(date_line, edge) if date), None)
    return printed or front.date or defaults.date or front.stamp


def _without_markup(text: str, start: int) -> tuple[Span, ...]:
    """Spans of `text[start:]` without Markdown's marks and without what cleaning leaves out."""
    masked = list(text)
    for pattern in _MARKUP:
        for match in pattern.finditer(text, start):
            masked[match.start() : match.end()] = _MASK * (match.end() - match.start())
    return kept_spans("".join(masked), start)


def _plain(markdown: str) -> str:
    for pattern in _MARKUP:
        markdown = pattern.sub("", markdown)
    return markdown


def _is_title(line: str) -> bool:
    width = sum(0.45 if ord(c) < 0x2000 else 1.0 for c in line)
    return 0 < width <= _MAX_TITLE_WIDTH and not _SENTENCE_END.search(line) and date_line(line) is None


def _found(pattern: re.Pattern[str], lines: list[str]) -> str:
    match = next((m for line in lines if (m := pattern.search(line))), None)
    if match is None:
        return ""
    return next(value for value in match.groups() if value).strip()
