"""A WeChat post saved from the browser: title, account, writer and day, some of which stand in its scripts only."""

from __future__ import annotations

import re
from typing import Any

from rag.errors import SourceError
from rag.sources.dating import parse_date
from rag.sources.extracted import Extracted
from rag.sources.html_text import tree_text

_TITLE = re.compile(r"\bmsg_title\s{0,9}=\s{0,9}(['\"])(?P<value>[^\n]{1,300}?)\1")
_ACCOUNT = re.compile(r"\bnickname\s{0,9}=\s{0,9}(?:htmlDecode\()?(['\"])(?P<value>[^'\"\n]{1,60})\1")
_SENT = re.compile(r"\bct\s{0,9}=\s{0,9}['\"]?(?P<value>\d{10})\b")
_CREATED = re.compile(r"\bcreateTime\s{0,9}=\s{0,9}['\"](?P<value>[\d\s:/年月日.-]{8,30})['\"]")
_LINK = re.compile(r"\bmsg_link\s{0,9}=\s{0,9}(?:htmlDecode\()?['\"](?P<value>https?://[^'\"\s]{4,2000})['\"]")
_SIGNS = ("js_content", "activity-name", "js_name", "publish_time", "js_article", "page-content")
_TAGLINE = re.compile(r"原创|在小说阅读器.*|\d{4}年?.*|.*发表于.*|\s*")


def is_wechat_page(tree: Any) -> bool:
    """Whether the lxml `tree` is a post of a public account: its text and one more of its parts are named so."""
    return _by_id(tree, "js_content") is not None and sum(_by_id(tree, name) is not None for name in _SIGNS) >= 2


def extract_wechat_page(tree: Any) -> Extracted:
    """The post in the lxml `tree`.

    :raises SourceError: it has no text.
    """
    body = _by_id(tree, "js_content")
    scripts = "\n".join(script.text or "" for script in tree.iter("script"))
    text = tree_text(body)
    if not any(char.isalnum() for char in text):
        pictures = sum(1 for _ in body.iter("img"))
        raise SourceError(f"WeChat post of {pictures} pictures without text; needs OCR first")
    sent = next((m["value"] for pattern in (_SENT, _CREATED) if (m := pattern.search(scripts))), "")
    day = parse_date(sent) or parse_date(_said(tree, "publish_time"))
    return Extracted(
        text=text,
        title=_said(tree, "activity-name") or _meta(tree, "og:title") or _found(_TITLE, scripts),
        author=_author(tree),
        date=day.isoformat() if day else "",
        url=_meta(tree, "og:url") or _found(_LINK, scripts),
        site=_said(tree, "js_name") or _found(_ACCOUNT, scripts) or _said(tree, "profileBt"),
    )


def _author(tree: Any) -> str:
    """The writer: as named, else the first note under the title that is neither the account nor the day."""
    if said := _said(tree, "js_author_name") or _meta(tree, "author"):
        return said
    account = _said(tree, "js_name")
    for note in tree.xpath("//*[@id='meta_content']//*[contains(@class, 'rich_media_meta_text')]"):
        text = " ".join(note.text_content().split())
        if note.get("id") != "publish_time" and text != account and not _TAGLINE.fullmatch(text):
            return text
    return ""


def _by_id(tree: Any, name: str) -> Any:
    return next(iter(tree.xpath("//*[@id=$name]", name=name)), None)


def _said(tree: Any, name: str) -> str:
    element = _by_id(tree, name)
    return " ".join(element.text_content().split()) if element is not None else ""


def _meta(tree: Any, name: str) -> str:
    return next(
        (meta.get("content") or "" for meta in tree.iter("meta") if name in (meta.get("property"), meta.get("name"))),
        "",
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text[:2_000_000])
    return match["value"] if match else ""
