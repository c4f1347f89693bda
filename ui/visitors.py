"""Who asks: the browser's key, and what belongs to whoever holds it.

Every browser gets a random key in a cookie that scripts cannot read and other sites cannot send along. What is
kept is only the key's digest, so whoever reads the database cannot take a conversation over. A login, once there
is one, gives the owner in this place and nowhere else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

COOKIE = "jinwen-key"
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_A_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """One open page of one browser."""

    owner: str
    """Whose conversations it sees."""
    session: str
    """The page itself; another one after a reload."""
    lasting: bool = True
    """Whether the owner will be known again, which a browser without cookies is not."""

    @property
    def place(self) -> str:
        """Names this page among those of everyone."""
        return f"{self.owner}/{self.session}"


def visitor(request: gr.Request) -> Visitor:
    """Who has sent an event."""
    session = str(request.session_hash or "")
    owner = owner_of(dict(request.cookies or {}))
    return Visitor(owner, session) if owner else Visitor(f"passing-{session}", session, lasting=False)


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """Whose browser sends these cookies; None for one without a key."""
    key = cookies.get(COOKIE, "")
    return hashlib.sha256(key.encode()).hexdigest() if _KEY.fullmatch(key) else None


def key_cookie(cookie_header: str) -> str:
    """The `Set-Cookie` value that gives a browser its key, or makes the one it has last another year."""
    try:
        morsel = SimpleCookie(cookie_header).get(COOKIE)
    except CookieError:
        morsel = None
    known = morsel.value if morsel else ""
    key = known if _KEY.fullmatch(known) else secrets.token_urlsafe(32)
    # Lax, not Strict: a link from elsewhere must find the key, or it would get a new one and lose the old.
    return f"{COOKIE}={key}; Path=/; Max-Age={_A_YEAR_S}; HttpOnly; SameSite=Lax"
