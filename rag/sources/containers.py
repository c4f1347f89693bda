"""Files that hold articles in a wrapping: what is not unpacked is refused by name, never read as plain text.

Read as text they would give base64, header fields and cell debris as sentences, with citations.
"""

from __future__ import annotations

import re

_HEAD = 20_000
COLUMNS = frozenset({
    "title", "headline", "subject", "text", "content", "body", "fulltext", "full_text", "summary", "date",
    "time", "published", "publish_time", "pubdate", "created_at", "source", "account", "publisher", "author",
    "byline", "url", "link", "id", "标题", "题目", "文章标题", "正文", "内容", "文章内容", "摘要", "日期",
    "时间", "发布时间", "发布日期", "来源", "公众号", "公众号名称", "作者", "记者", "链接", "文章链接",
    "原文链接", "网址", "编号", "序号",
})  # fmt: skip
"""How the columns of articles are called."""
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{1,40}):[ \t]?[^\n]{0,2000}$", re.M)
_MAIL_FIELDS = frozenset({
    "from", "to", "cc", "subject", "date", "message-id", "mime-version", "received", "return-path",
    "delivered-to", "reply-to", "sender", "in-reply-to", "dkim-signature", "content-type",
    "content-transfer-encoding", "snapshot-content-location", "list-unsubscribe", "x-mailer",
})  # fmt: skip
_MIME_FIELDS = frozenset({
    "mime-version", "content-type", "content-transfer-encoding", "message-id", "received", "return-path",
})  # fmt: skip
_ENCODED_LINE = re.compile(r"^(?:[A-Za-z0-9+/]{56,}={0,2}|[!-`]{58,62})$", re.M)
_ROOT = re.compile(r"\s*<(?P<name>[A-Za-z_][\w:.-]{0,60})(?:\s[^<>]{0,2000})?>")
_STARTS = (
    (re.compile(r"\s*WARC/\d"), "a WARC web archive; save its pages as HTML"),
    (re.compile(r"\s*BEGIN:V(?:CALENDAR|CARD)\b"), "a calendar or contacts file"),
    (re.compile(r"\s*-----BEGIN [A-Z ]{2,40}-----"), "an encoded or encrypted block (PEM, PGP); decode it first"),
    (re.compile(r"\s*begin [0-7]{3,4} \S"), "a uuencoded file; decode it first"),
    (re.compile(r"\s*%!PS"), "PostScript; save it as PDF"),
)


def container(text: str) -> str | None:
    """What kind of container `text` is and what to do, None for text that may be read as such."""
    for start, name in _STARTS:
        if start.match(text):
            return name
    return _mail(text) or _table(text) or _encoded(text) or _xml(text)


def _mail(text: str) -> str | None:
    """MIME: header fields up to the first blank line, of which two are a mail's and one is MIME's."""
    head = re.sub(r"\AFrom [^\n]{1,200}\n", "", text[:_HEAD].lstrip())
    lines = head.split("\n\n", 1)[0]
    first = lines.split("\n", 1)[0]
    names = {match[1].lower() for match in _FIELD.finditer(lines)}
    if not _FIELD.fullmatch(first) or len(names & _MAIL_FIELDS) < 3 or not names & _MIME_FIELDS:
        return None
    if "snapshot-content-location" in names or "multipart/related" in lines.lower():
        return "a web archive (MHTML); save the page as HTML"
    return "a mail (EML, MBOX); save its text as .txt or .html"


def _table(text: str) -> str | None:
    """CSV or TSV: the first line names columns, among them two that articles have, and the next has as many cells."""
    head, _, rest = text[:_HEAD].lstrip().partition("\n")
    for mark in "\t,;|":
        cells = [cell.strip(' "').lower() for cell in head.split(mark)]
        if len(cells) < 3 or not rest.strip() or any(len(cell) > 30 for cell in cells):
            continue
        if sum(cell in COLUMNS for cell in cells) >= 2 and rest.count(mark) >= len(cells) - 1:
            return "a table (CSV, TSV); export it as JSON Lines with title, text and date of each article"
    return None


def _encoded(text: str) -> str | None:
    """Base64 or the like: most of the text is in long lines without a space."""
    encoded = sum(match.end() - match.start() for match in _ENCODED_LINE.finditer(text))
    return "encoded data (base64); decode it first" if encoded > 300 and encoded * 2 > len(text) else None


def _xml(text: str) -> str | None:
    root = _ROOT.match(text[:_HEAD])
    if root is None or not text[-200:].rstrip().endswith(f"</{root['name']}>"):
        return None
    return f"XML ({root['name']}) that is not HTML; save its articles as text, HTML or JSON"
