"""The guarded server: hosts, origins, headers, routes, limits, the port, the environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from ui_support import BRIDGE, HOSTILE, FakeAssistant, FakeLibrary

from ui import server
from ui.app import build_app

PORT = 7860
BASE = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    library = FakeLibrary(tmp_path_factory.mktemp("index"))
    app = server.make_server_app(build_app(library, FakeAssistant()), library, PORT)  # type: ignore[arg-type]
    with TestClient(app, base_url=BASE) as client:
        yield client


def test_the_page_is_served_with_its_policy(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.status_code == 200
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe-eval" not in policy and "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"])
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:7860"])
def test_another_origin_can_neither_upload_nor_read(client: TestClient, origin: str) -> None:
    upload = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}, headers={"origin": origin})
    assert upload.status_code == 403
    assert client.get("/", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("origin", [f"http://127.0.0.1:{PORT}", f"http://localhost:{PORT}"])
def test_our_own_origin_may_upload(client: TestClient, origin: str) -> None:
    reply = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}, headers={"origin": origin})
    assert reply.status_code == 200


def test_cross_site_requests_without_an_origin_are_refused_but_a_link_may_lead_here(client: TestClient) -> None:
    image = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/jinwen/story", params={"article": BRIDGE.id}, headers=image).status_code == 403
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    assert client.post("/gradio_api/upload", headers=link).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://evil.example/a",
        "/gradio_api/file=https://evil.example/a",
        "/GRADIO_API/FILE=HTTPS://evil.example/a",
        "/gradio_api/file%3Dhttps://evil.example/a",
        "/file=http://evil.example",
        "/gradio_api/proxy=https://evil.example/",
        "/monitoring",
    ],
)
def test_routes_that_fetch_or_watch_are_closed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/etc/passwd", __file__, str(Path(server.__file__).parent / "style.css")])
def test_files_of_the_machine_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_an_upload_over_the_limit_is_refused(client: TestClient) -> None:
    big = b"x" * (51 * 1024 * 1024)
    assert client.post("/gradio_api/upload", files={"files": ("a.txt", big)}).status_code == 413


def test_no_event_is_offered_as_an_interface(client: TestClient, tmp_path: Path) -> None:
    page = build_app(FakeLibrary(tmp_path), FakeAssistant())  # type: ignore[arg-type]
    assert page.get_api_info() == {"named_endpoints": {}, "unnamed_endpoints": {}}
    config = page.config
    assert config["analytics_enabled"] is False
    assert {event["api_visibility"] for event in config["dependencies"]} == {"private"}
    assert not [event for event in config["dependencies"] if event["js"] not in (None, False)]


def test_a_whole_story_is_served_escaped_with_its_mark(client: TestClient) -> None:
    start = BRIDGE.text.index("大桥全长")
    reply = client.get("/jinwen/story", params={"article": BRIDGE.id, "start": start, "end": start + 9})
    assert reply.status_code == 200 and "<mark>大桥全长1260米</mark>" in reply.text
    hostile = client.get("/jinwen/story", params={"article": HOSTILE.id, "language": "en"}).text
    assert "<script" not in hostile and "<img" not in hostile and "&lt;script&gt;" in hostile


@pytest.mark.parametrize(
    ("params", "status"),
    [({"article": "nothing"}, 404), ({}, 422), ({"article": BRIDGE.id, "start": "x"}, 422)],
)
def test_wrong_story_requests(client: TestClient, params: dict[str, str], status: int) -> None:
    assert client.get("/jinwen/story", params=params).status_code == status


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(server.PortError, match=rf"port {port} .*--port") as error:
            server.listen(port)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_an_impossible_port_is_one_clear_line(port: int) -> None:
    with pytest.raises(server.PortError, match="from 1 to 65535"):
        server.listen(port)


def test_only_loopback_is_listened_on() -> None:
    with server.listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_uploads_go_to_a_private_folder_that_is_removed() -> None:
    with server.private_uploads() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists() and "GRADIO_TEMP_DIR" not in os.environ


def test_settings_of_gradio_in_the_environment_do_not_weaken_the_page() -> None:
    weakening = {"GRADIO_SHARE": "True", "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_ALLOWED_PATHS": "/"}
    code = "import ui, os; print(sorted((k, v) for k, v in os.environ.items() if k.startswith('GRADIO_')))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | weakening, capture_output=True, text=True)
    assert done.stdout.strip() == "[('GRADIO_ANALYTICS_ENABLED', 'False')]"
