"""The web server around the page: loopback only, no other host, no other origin, nothing loaded from outside.

Loopback alone is not a border: any website in the same browser can send requests to it. So requests that
name another host (DNS rebinding) or come from another origin (cross-site upload) are refused here, and a
content security policy keeps whatever an article contains from reaching another machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.middleware.trustedhost import TrustedHostMiddleware

from eval.runs import DEFAULT_RUNS_DIR
from rag.errors import JinwenError
from ui.conversations import open_store
from ui.evaluation_routes import add_routes
from ui.export_route import add_export_route
from ui.markup import story
from ui.strings import as_language, text

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.library import Library

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_HERE = Path(__file__).parent
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
_BLOCKED = ("/gradio_api/file=http", "/file=http", "/gradio_api/proxy=", "/proxy=", "/monitoring")
"""Routes of Gradio that fetch from other hosts or show what others do; the page uses none of them."""


class PortError(JinwenError):
    """The port cannot be listened on."""


class Guard:
    """ASGI middleware: refuses foreign origins and fetching routes, adds security headers."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._allowed(scope):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"forbidden"})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _allowed(self, scope: Scope) -> bool:
        path = scope["path"].lower()
        if any(path.startswith(blocked) for blocked in _BLOCKED):
            return False
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins:
            return False
        # A top-level navigation may come from anywhere; every other cross-site request is refused.
        cross_site = headers.get(b"sec-fetch-site") == b"cross-site"
        return not cross_site or (scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == b"navigate")


def make_server_app(page: gr.Blocks, library: Library, port: int, runs_dir: Path = DEFAULT_RUNS_DIR) -> FastAPI:
    """The guarded web application that serves `page` on `port`."""
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    from ui.look import head, theme

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/jinwen/story", response_class=HTMLResponse)
    def whole_story(article: str, start: int = 0, end: int = 0, language: str = "zh") -> HTMLResponse:
        chosen, found = as_language(language), library.article(article)
        if found is None:
            return HTMLResponse(text(chosen, "gone"), status_code=404)
        return HTMLResponse(story(found, chosen, start, end), headers={"cache-control": "no-store"})

    add_routes(app, library, runs_dir)
    add_export_route(app, library, open_store(library.index_dir))
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name=HOST,
        server_port=port,
        footer_links=[],
        run_history=False,
        show_error=False,
        allowed_paths=[],
        max_file_size=f"{library.settings.ui.max_upload_mb:g}mb",
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        favicon_path=str(_HERE / "favicon.svg"),
        theme=theme(),
        head=head(),
    )
    origins = frozenset(f"http://{name}:{port}" for name in _NAMES)
    app.add_middleware(Guard, origins=origins)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_NAMES))
    return app


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface.

    :raises PortError: the port is taken or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortError(
            f"cannot listen on port {port} of {HOST} ({_reason(error)}): "
            "close the program that uses it, or choose another one with --port"
        ) from error
    return listener


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "expected a number from 1 to 65535"


def run(page: gr.Blocks, library: Library, *, port: int, open_browser: bool) -> None:
    """Serve `page` until Ctrl-C; the address is printed once the port is open.

    :raises PortError: the port cannot be used.
    """
    import uvicorn

    url = f"http://{HOST}:{port}/"
    with listen(port) as listener, contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        app = make_server_app(page, library, port)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        print(f"Jinwen 津问: {url}  (Ctrl-C stops it)", flush=True)  # noqa: T201
        if open_browser:
            webbrowser.open(url)
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def private_uploads() -> Iterator[Path]:
    """A folder for Gradio's uploads that only this user can read; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="jinwen-", ignore_cleanup_errors=True) as folder:
        earlier = os.environ.get("GRADIO_TEMP_DIR")
        os.environ["GRADIO_TEMP_DIR"] = folder
        try:
            yield Path(folder)
        finally:
            if earlier is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = earlier
