"""HTML -> main text by trafilatura, without navigation, scripts, comments and what the page hides."""

from __future__ import annotations

import re

from rag.errors import SourceError
from rag.sources.extracted import Extracted
from rag.sources.hidden import drop_hidden
from rag.sources.html_dates import drop_related, published_date

_DATA_URI = re.compile(r"(?:data:)[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{200,}")
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


def extract_html(text: str) -> Extracted:
    """Main text, title, date and address of an HTML page.

    :raises SourceError: the page has no main text.
    """
    import trafilatura
    from lxml import html as lxml_html
    from trafilatura.settings import Document

    text = _DATA_URI.sub("", _DECLARED.sub("", text))
    tree = lxml_html.document_fromstring(text, parser=lxml_html.HTMLParser(remove_comments=True, encoding=None))
    drop_hidden(tree)
    drop_related(tree)
    published = published_date(tree)
    title = " ".join(tree.xpath("string(//h1[1])").split()) or " ".join(tree.xpath("string(//title[1])").split())
    document = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if not isinstance(document, Document) or not (document.text or "").strip():
        raise SourceError("HTML page without main text (perhaps filled in by scripts); save the page as text")
    return Extracted(
        text=document.text or "",
        title=document.title or title,
        author=document.author or "",
        date=published or document.date or "",
        url=document.url or "",
        site=document.sitename or "",
    )
