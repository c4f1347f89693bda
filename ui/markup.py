"""Text -> safe markup: the only place where the page escapes.

Gradio shows our markup through a Markdown renderer. Markup must therefore stay in one HTML block: a
blank line inside it would hand the rest of an article to the Markdown parser, which loads images.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from pathlib import PurePath
from urllib.parse import urlencode, urlsplit

from rag.types import Article
from ui.strings import Language, text

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_RUN = re.compile(r"\s{3,}")
"""White space that says nothing; two full-width spaces open a Chinese paragraph."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_URL = 2_000


def visible(value: str) -> str:
    """`value` without control and bidi characters, zero-width spaces and lone surrogates; line breaks stay."""
    return _UNSEEN.sub("", value)


def escape(value: str) -> str:
    """`value` as one line of HTML text or a quoted attribute; what `visible` drops is dropped."""
    return html.escape(visible(value).replace("\t", " ").replace("\n", " "), quote=True)


def escape_lines(value: str) -> str:
    """`value` as HTML text with its line breaks kept as `<br>`."""
    return lines(value.replace("\r\n", "\n").strip("\n"))


def escape_verbatim(value: str) -> str:
    """`value` for a `<pre>`: line breaks become character references, so that no blank line appears."""
    return "&#10;".join(escape(line) for line in value.split("\n"))


def marked(value: str, start: int, end: int) -> str:
    """`value` as HTML text with `value[start:end]` in `<mark>`."""
    if not 0 <= start < end <= len(value):
        return escape_lines(value)
    before, inside, after = value[:start], value[start:end], value[end:]
    return f"{lines(before)}<mark>{lines(inside)}</mark>{lines(after)}"


def lines(value: str) -> str:
    """Like `escape_lines`, but keeps line breaks at both ends, which may join two pieces of one text.

    Blank lines and white space around a line break are left out, long runs of white space folded.
    """
    first, *others = value.split("\n")
    if not others:
        return _shown(first)
    between = [stripped for line in others[:-1] if (stripped := line.strip())]
    return "<br>".join(map(_shown, [first.rstrip(), *between, others[-1].lstrip()]))


def _shown(line: str) -> str:
    return escape(_RUN.sub(" ", line))


def safe_url(url: str | None) -> str | None:
    """`url` when it is an ordinary web address, else None (`javascript:`, `data:`, credentials, control characters)."""
    if not url or len(url) > _MAX_URL or any(ord(char) <= 32 or char in "<>\"'\\" for char in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None


def link(url: str | None, label: str) -> str:
    """A link that opens beside the page and names its host; empty when `url` is not a web address."""
    safe = safe_url(url)
    if safe is None:
        return ""
    host = urlsplit(safe).hostname or ""
    return (
        f'<a class="jw-link" href="{escape(safe)}" target="_blank" rel="noopener noreferrer nofollow">'
        f'{escape(label)} <span class="jw-host">{escape(host)}</span></a>'
    )


def day(date: dt.date | None, language: Language) -> str:
    """A date as people write it: 2026年1月11日, 11 Jan 2026; says so when it is not known."""
    if date is None:
        return text(language, "no_date")
    if language == "zh":
        return f"{date.year}年{date.month}月{date.day}日"
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def time_tag(date: dt.date | None, language: Language) -> str:
    """The date as a `<time>` element."""
    if date is None:
        return f"<span>{escape(day(date, language))}</span>"
    return f'<time datetime="{date.isoformat()}">{escape(day(date, language))}</time>'


def file_name(path: str) -> str:
    """The last part of a path, for showing."""
    return PurePath(path.replace("\\", "/")).name


def story_query(article_id: str, start: int, end: int) -> str:
    """What page.js sends to fetch a story with a marked span."""
    return urlencode({"article": article_id, "start": start, "end": end})


def story(article: Article, language: Language, start: int = 0, end: int = 0) -> str:
    """The whole text in paragraphs, `text[start:end]` in `<mark>` (in pieces, where it crosses paragraphs).

    A first line that only repeats the title is left out: the title stands above every story.
    """
    paragraphs: list[str] = []
    for match in re.finditer(r"[^\r\n]+", article.text):
        line, offset = match.group(), match.start()
        first, last = max(start - offset, 0), min(end - offset, len(line))
        if not line.strip() or (not paragraphs and first >= last and line.split() == article.title.split()):
            continue
        kind = ' class="jw-head"' if match.end() <= article.body_start else ""
        body = marked(line, first, last) if first < last else _shown(line)
        paragraphs.append(f"<p{kind}>{body}</p>")
    size = text(language, "characters", count=f"{len(article.text):,}")
    return f'<div class="jw-story-text">{"".join(paragraphs)}</div><p class="jw-story-end">{escape(size)}</p>'
