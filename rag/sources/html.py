"""HTML -> main text by trafilatura, without navigation, scripts, comments and what the page hides."""

from __future__ import annotations

import re
from typing import Any

from rag.errors import SourceError
from rag.sources.extracted import Extracted
from rag.sources.extraction import Extraction
from rag.sources.hidden import drop_hidden
from rag.sources.html_dates import drop_related, published_date
from rag.sources.html_text import tree_text
from rag.sources.wechat_page import extract_wechat_page, is_wechat_page

_DATA_URI = re.compile(r"(?:data:)[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{200,}")
_SAVED_FROM = re.compile(
    r"<!--[^<>]{0,200}?(?:url:|saved from url=\(\d{1,6}\))\s{0,9}(?P<url>https?://[^\s<>]{4,2000})"
)
"""As browsers note where a saved page comes from."""
_COMMENT_HEAD = 5_000
_SHORT_PAGE = 2_000
"""Characters of a page that is short."""
_SOURCE = re.compile(r"(?:^|[\s|])(?:来源|稿源|Source)\s{0,3}[:：]\s{0,3}(?P<name>[^\s|:：]{2,30})", re.I)
_NEAR, _MAX_LINE = 60, 120
"""Elements behind the headline in which the outlet is looked for, and how long the line that names it may be."""
_DECLARED = re.compile(r"^\s*<\?xml[^<>]*\?>")


def looks_like_html(text: str) -> bool:
    """Whether `text` is an HTML document, by its first tags."""
    head = text[:4000].lower().lstrip("\ufeff \t\n")
    head = re.sub(r"^(?:<\?xml[^<>]*\?>|<!--.*?-->|\s)+", "", head, flags=re.S)
    return head.startswith(
        ("<!doctype html", "<html", "<head", "<body", "<meta ", "<title", "<article", "<div", "<p>", "<h1")
    )


def looks_like_xml(text: str) -> bool:
    """Whether `text` is XML of another kind."""
    return re.match(r"\s*(?:<\?xml\b|<!doctype\b|<svg\b|<rss\b|<feed\b)", text[:1000].lower()) is not None


def extract_page(data: bytes) -> Extraction:
    """The article of an HTML page in UTF-8. :raises SourceError: it has no main text."""
    return Extraction(documents=(extract_html(data.decode("utf-8")),))


def extract_html(text: str) -> Extracted:
    """Main text, title, date and address of an HTML page.

    :raises SourceError: the page has no main text.
    """
    import trafilatura
    from lxml import html as lxml_html
    from trafilatura.settings import Document

    text = _DATA_URI.sub("", _DECLARED.sub("", text))
    saved_from = _SAVED_FROM.search(text[:_COMMENT_HEAD])
    tree = lxml_html.document_fromstring(text, parser=lxml_html.HTMLParser(remove_comments=True, encoding=None))
    if is_wechat_page(tree):
        return extract_wechat_page(tree)
    drop_hidden(tree)
    drop_related(tree)
    published = published_date(tree)
    source, plain = _source_line(tree), _plain_text(tree)
    title = " ".join(tree.xpath("string(//h1[1])").split()) or " ".join(tree.xpath("string(//title[1])").split())
    document = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if not isinstance(document, Document) or not (document.text or "").strip():
        raise SourceError("HTML page without main text (perhaps filled in by scripts); save the page as text")
    text = document.text or ""
    # Of a short page trafilatura makes one line, and a table whose cells span others it shifts.
    if plain and ("\n" not in text.strip() or " | " in plain):
        text = plain
    return Extracted(
        text=text,
        title=document.title or title,
        author=document.author or "",
        date=published or document.date or "",
        url=document.url or (saved_from["url"] if saved_from else ""),
        site=document.sitename or source,
    )


def _plain_text(tree: Any) -> str:
    """Text of a short page's main part, block by block; empty for a long page."""
    parts = ("article", "main", "body")
    text = tree_text(next((part for tag in parts if (part := next(tree.iter(tag), None)) is not None), tree))
    return text if len(text) <= _SHORT_PAGE else ""


def _source_line(tree: Any) -> str:
    """The outlet as the line under the headline names it (`来源：…`), empty where none does."""
    headline = next(tree.iter("h1"), None)
    if headline is None:
        return ""
    for element in headline.xpath(f"following::*[position() <= {_NEAR}]"):
        if isinstance(element.tag, str) and element.tag not in ("script", "style"):
            text = " ".join(element.text_content().split()) if len(element) < 20 else ""
            if len(text) <= _MAX_LINE and (match := _SOURCE.search(text)):
                return match["name"]
    return ""
