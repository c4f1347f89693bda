"""What foreign text may bring along and nobody sees, taken out; which web addresses are what they look like."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import urlsplit

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_MAX_URL = 2_000


def visible(value: str) -> str:
    """`value` without control and bidi characters, zero-width spaces, lone surrogates; tabs and line breaks stay."""
    return _UNSEEN.sub("", value)


def flat(value: str) -> str:
    """`value` as one visible line, its white space single spaces."""
    return " ".join(visible(value).split())


def safe_url(url: str | None) -> str | None:
    """`url` when it is an ordinary web address, else None (`javascript:`, `data:`, credentials, control characters)."""
    if (
        not url
        or len(url) > _MAX_URL
        or visible(url) != url
        or any(ord(char) <= 32 or char in "<>\"'\\" for char in url)
    ):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None


def file_name(path: str) -> str:
    """The last part of a path, for showing."""
    return PurePath(path.replace("\\", "/")).name
