"""What stands before every handler: routes, origins, paths in events, the upload quota, the browser's key.

Loopback alone is not a border: any website in the same browser can send requests to it. So requests that come
from another origin are refused here, and a content security policy keeps whatever an article contains from
reaching another machine. Of Gradio's many routes only those that the page uses are open.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ui.event_files import BadEventError, ForeignFileError, check_event
from ui.quota import Quota
from ui.upload_names import ReadAlong
from ui.visitors import key_cookie

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)
_CSP = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",  # Gradio's own page has inline scripts
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_UPLOAD = "/gradio_api/upload"
_FILE = r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*"
_READ = re.compile(
    rf"/|/favicon\.ico|/theme\.css|/(assets|static)/({_FILE}/)*{_FILE}"
    r"|/gradio_api/(queue/data|upload_progress|heartbeat/[A-Za-z0-9]{1,64})"
    r"|/jinwen/(story|run|questions|export)"
)
_EVENTS = re.compile(r"/gradio_api/(run/predict|queue/join|cancel|reset)")
"""The routes that the page uses, found by driving it; whatever else Gradio serves (files by path, proxies, API
descriptions, monitoring) is 403. A path is matched whole, decoded, and as it is: never tidied."""
_LARGEST_EVENT = 1_000_000
"""Bytes; the longest question, set entry or list of uploads stays far below."""
_FORWARDED = (b"forwarded", b"x-forwarded-", b"x-real-ip", b"x-direct-url", b"x-gradio-server")
_WRONG_EVENT = "the request is not one of this page; reload it · 请求不是本页发出的；请刷新"
_TOO_LARGE = "the request is too large · 请求过大"
_FULL = (
    "the uploads take up all of the {limit:,.0f} MB allowed: remove articles, or raise ui.max_uploads_mb"
    " · 上传的文件已占满允许的 {limit:,.0f} MB：请移出一些报道，或调大 ui.max_uploads_mb"
)
_UNREADABLE = (
    "the upload cannot be read; expected files with a name and a content, choose them again"
    " · 上传无法读取；每个文件都要有名称和内容，请重新选择"
)
_NOT_STORED = "the upload cannot be stored; free space on the disk · 上传无法保存；请腾出磁盘空间"


@dataclass(frozen=True, slots=True)
class Doors:
    """What the guard lets in."""

    origins: frozenset[str]
    """`scheme://host:port` of the page itself."""
    uploads: Callable[[], Path]
    """The folder that uploads land in."""
    quota: Quota
    trust_forwarded: bool = False
    """Whether a proxy in front may say by `X-Forwarded-*` what the browser asked for."""


class Guard:
    """ASGI middleware: lets in what the page sends and nothing else."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with the reason why not."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not (_is_open(scope["method"], scope["path"]) and self._from_here(scope)):
            await _refuse(send, 403, "forbidden")
            return
        if not self._doors.trust_forwarded:
            kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(_FORWARDED)]
            scope = {**scope, "headers": kept}
        await self._pass(scope, receive, _guarded(scope, send))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif scope["path"] == _UPLOAD:
            await _Upload(self._app, self._doors.quota)(scope, receive, send)
        else:
            await self._event(scope, receive, send)

    async def _event(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event on whose body has been read and found to name no file but uploaded ones."""
        body = await _body(receive)
        if body is None:
            await _refuse(send, 413, _TOO_LARGE)
            return
        try:
            check_event(body, self._doors.uploads())
        except BadEventError:
            await _refuse(send, 400, _WRONG_EVENT)
        except ForeignFileError as error:
            _LOG.warning("refused: %s", error)
            await _refuse(send, 403, _WRONG_EVENT)
        else:
            await self._app(scope, _again(body, receive), send)

    def _from_here(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins(headers):
            return False
        # A top-level navigation may come from anywhere; every other cross-site request is refused.
        cross_site = headers.get(b"sec-fetch-site") == b"cross-site"
        return not cross_site or (scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == b"navigate")

    def _origins(self, headers: dict[bytes, bytes]) -> frozenset[str]:
        if not self._doors.trust_forwarded or b"x-forwarded-host" not in headers:
            return self._doors.origins
        scheme, host = headers.get(b"x-forwarded-proto", b"http"), headers[b"x-forwarded-host"]
        return self._doors.origins | {f"{scheme.decode('latin-1')}://{host.decode('latin-1')}"}


class _Upload:
    """Passes uploads on as long as the quota lasts; what cannot be read or stored is said in one line."""

    def __init__(self, app: ASGIApp, quota: Quota) -> None:
        self._app = app
        self._quota = quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the upload on, or answer why not."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if not length.isdigit():  # a browser always says it, and the server holds a client to it
            await _refuse(send, 411, _UNREADABLE)
            return
        with self._quota.room_for(int(length)) as fits:
            if not fits:
                await _refuse(send, 413, _FULL.format(limit=self._quota.limit / 1e6))
                return
            answer = _Answer(send)
            read = ReadAlong(receive, headers.get(b"content-type", b"").decode("latin-1"))
            failed = await self._run(scope, read, answer)
            if isinstance(failed, OSError) and not read.bad:
                await answer.instead(507, _NOT_STORED)
            elif failed is not None or read.bad:
                await answer.instead(400, _UNREADABLE)

    async def _run(self, scope: Scope, receive: Receive, answer: _Answer) -> Exception | None:
        """Why Gradio's handler failed, which knows only well-formed uploads; None when it did not."""
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            _LOG.warning("an upload failed: %s: %s", type(error).__name__, error)
            return error
        return None


class _Answer:
    """Sends an answer on unless it is a failure: that one is held back, to be told in other words."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held = False
        self._sent = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._held = message["status"] >= 500
            self._sent = not self._held
        if not self._held:
            await self._send(message)

    async def instead(self, status: int, reason: str) -> None:
        """Send an answer in place of the one held back or missing."""
        if not self._sent:
            await _refuse(self._send, status, reason)


def _is_open(method: str, path: str) -> bool:
    if method in ("GET", "HEAD"):
        return _READ.fullmatch(path) is not None
    return method == "POST" and (path == _UPLOAD or _EVENTS.fullmatch(path) is not None)


def _guarded(scope: Scope, send: Send) -> Send:
    """`send` with the security headers, and on the page itself the browser's key."""
    headers = list(_HEADERS)
    if scope["path"] == "/":
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        headers.append((b"set-cookie", key_cookie(cookies.decode("latin-1")).encode()))

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return send_guarded


async def _body(receive: Receive) -> bytes | None:
    """The whole body, None when it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > _LARGEST_EVENT:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives `body` once, then whatever comes (the end of the connection)."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _refuse(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode()})
