"""RSS, Atom and RDF feeds by feedparser: an entry an article, the feed's title its source."""

from __future__ import annotations

import io
import re
from typing import Any

from rag.errors import SourceError
from rag.sources.extraction import Extraction, Loss, Record
from rag.sources.html_text import html_text

_ROOT = re.compile(
    r"\A\s*(?:<\?[^<>]{0,500}\?>\s*|<!--[^<]{0,2000}-->\s*|<!DOCTYPE[^<>\[]{0,300}>\s*){0,9}"
    r"<(?:rss|feed|rdf:RDF|channel)[\s/>]"
)
_DECLARED = re.compile(rb"^\s*<\?xml[^<>]{0,300}\?>")
_MARKUP = re.compile(r"<[A-Za-z/!]|&(?:[a-z]{2,8}|#\d{2,6});")


def looks_like_feed(text: str) -> bool:
    """Whether `text` is an RSS, Atom or RDF feed, by its root."""
    return _ROOT.match(text[:10_000]) is not None


def extract_feed(data: bytes) -> Extraction:
    """Entries of the feed `data` in UTF-8.

    :raises SourceError: it has no entries.
    """
    import feedparser

    # As a stream: a string could be taken for an address to fetch.
    feed = feedparser.parse(
        io.BytesIO(_DECLARED.sub(b"", data)),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.entries:
        cause = f": {feed.bozo_exception}" if feed.get("bozo") else ""
        raise SourceError(f"feed without entries{cause}"[:300])
    losses = (
        (Loss("end of the feed", f"damaged XML, what follows is missing: {feed.bozo_exception}"),)
        if _is_cut(feed)
        else ()
    )
    title = feed.feed.get("title", "")
    return Extraction(
        records=tuple(Record(f"entry {n}", _fields(entry, title)) for n, entry in enumerate(feed.entries, 1)),
        losses=losses,
    )


def _fields(entry: Any, feed_title: str) -> dict[str, Any]:
    texts = [part.get("value", "") for part in entry.get("content", [])] + [entry.get("summary", "")]
    text = max((_plain(text) for text in texts), key=len, default="")
    return {
        "id": entry.get("id") or entry.get("link", ""),
        "title": _plain(entry.get("title", "")),
        "text": text,
        "date": entry.get("published") or entry.get("created") or entry.get("updated") or "",
        "source": _plain(entry.get("source", {}).get("title") or feed_title),
        "author": ", ".join(author["name"] for author in entry.get("authors", []) if author.get("name")),
        "url": entry.get("link", ""),
    }


def _plain(text: str) -> str:
    return html_text(text) if _MARKUP.search(text) else text


def _is_cut(feed: Any) -> bool:
    return bool(feed.get("bozo")) and "SAX" in type(feed.get("bozo_exception")).__name__
