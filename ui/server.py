"""The web server around the page: loopback only, no other host, nothing but what guard.py lets in."""

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
from ui.evaluation_sets import FOLDER as QUESTION_SETS
from ui.export_route import add_export_route
from ui.guard import Doors, Guard
from ui.markup import story
from ui.quota import Quota
from ui.strings import as_language, text
from ui.uploads import FOLDER as UPLOADS

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from rag.library import Library

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_HERE = Path(__file__).parent


class PortError(JinwenError):
    """The port cannot be listened on."""


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
    page.has_launched = True  # a mounted page is never launched, and until then Gradio checks no path
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
    app.add_middleware(Guard, doors=_doors(library, port))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_NAMES))
    return app


def _doors(library: Library, port: int) -> Doors:
    from gradio.utils import get_upload_folder

    ui = library.settings.ui

    def incoming() -> Path:
        return Path(get_upload_folder())

    def folders() -> list[Path]:
        return [incoming(), library.index_dir / UPLOADS, library.index_dir / QUESTION_SETS]

    return Doors(
        origins=frozenset(f"http://{name}:{port}" for name in _NAMES),
        uploads=incoming,
        quota=Quota(int(ui.max_uploads_mb * 1_000_000), folders),
        trust_forwarded=ui.trust_forwarded,
    )


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
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
            proxy_headers=library.settings.ui.trust_forwarded,
            server_header=False,
        )
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
