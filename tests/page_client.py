"""The page on a real socket, and a client that speaks to it as the browser does, or as nobody should."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from eval.runs import DEFAULT_RUNS_DIR
from ui.app import build_app
from ui.server import listen, make_server_app


@contextlib.contextmanager
def served(library: Any, assistant: Any, runs_dir: Path = DEFAULT_RUNS_DIR) -> Iterator[str]:
    """The address of the page, served on loopback while the block lasts."""
    import uvicorn

    listener = listen(0)
    port = listener.getsockname()[1]
    app = make_server_app(build_app(library, assistant, runs_dir), library, port, runs_dir)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class PageClient:
    """One browser with one open page."""

    def __init__(self, url: str, session: str = "session1") -> None:
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self.session = session
        html = self.http.get("/").text
        start = html.index("window.gradio_config = ") + len("window.gradio_config = ")
        self.config, _ = json.JSONDecoder().raw_decode(html, start)
        self._functions = {event["api_name"]: event for event in self.config["dependencies"]}

    def close(self) -> None:
        self.http.close()

    def body(self, function: str, *data: Any) -> dict[str, Any]:
        """The body of an event that calls `function`."""
        return {"data": list(data), "fn_index": self._functions[function]["id"], "session_hash": self.session}

    def call(self, function: str, *data: Any) -> dict[int, Any]:
        """Call a handler and wait; what it last gave to each component, by the component's id."""
        event = self._functions[function]
        body = self.body(function, *data)
        if not event["queue"]:
            reply = self.http.post("/gradio_api/run/predict", json=body)
            reply.raise_for_status()
            return dict(zip(event["outputs"], reply.json()["data"], strict=True))
        self.http.post("/gradio_api/queue/join", json=body).raise_for_status()
        return dict(zip(event["outputs"], self.result(), strict=True))

    def result(self) -> list[Any]:
        """The last full output of the event that was joined; growing answers are put together."""
        outputs: list[Any] = []
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line.removeprefix("data:"))
                if message["msg"] == "process_completed":
                    assert message["success"], message
                    outputs = message["output"]["data"] or outputs
                    break
                if message["msg"] == "process_generating":
                    outputs = message["output"]["data"]
        return outputs

    def component(self, elem_id: str) -> int:
        """The id that the page's configuration gives to an element."""
        return next(c["id"] for c in self.config["components"] if c["props"].get("elem_id") == elem_id)

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; the path that Gradio names it by."""
        reply = self.http.post("/gradio_api/upload", files={"files": (name, content)})
        reply.raise_for_status()
        return str(reply.json()[0])

    def boot(self, conversation: str = "") -> dict[int, Any]:
        """What the page asks for when it starts."""
        return self.call("_boot", f"zh:{conversation}:1")

    def ask(self, question: str, conversation: str = "") -> str:
        """Ask and wait for the answer; the conversation it stands in."""
        self.call("_ask", question, conversation, "extractive", 5, "", "", [], "zh")
        return self.titles().get(question, "")

    def titles(self) -> dict[str, str]:
        """The conversations in the list: title -> id."""
        shown = self.boot()[self.component("jw-conversations")]
        return {title: ident for title, ident in shown["choices"]}


def file_data(path: str, **more: Any) -> dict[str, Any]:
    """A file as events name it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}
