"""Addresses of originals, as far as they are safe to show as a link."""

from __future__ import annotations

from urllib.parse import urlsplit

from rag.sources.cleaning import decode_entities

_MAX = 4_000


def web_address(value: object) -> str | None:
    """`value` as an http or https address with a host, else None (javascript:, data:, file:, relative…)."""
    if not isinstance(value, str):
        return None
    url = decode_entities(value.strip())
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or len(url) > _MAX:
        return None
    return url if url.isprintable() and not set(url) & set(" <>\"'`\\") else None
