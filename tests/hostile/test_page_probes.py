"""Probes of the page by a client that is no browser: files of the machine, routes, other people's conversations."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from page_client import PageClient, file_data, served
from starlette.testclient import TestClient
from ui_support import BRIDGE, FakeAssistant, FakeLibrary

from rag.config import Settings, UiSettings
from ui import sessions
from ui.app import build_app
from ui.server import make_server_app, private_uploads

SECRET = "the-secret-of-this-machine"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> FakeLibrary:
    return FakeLibrary(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def uploads() -> Iterator[Path]:
    with private_uploads() as folder:
        yield folder


@pytest.fixture(scope="module")
def site(library: FakeLibrary, uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(library, FakeAssistant(), tmp_path_factory.mktemp("runs")) as url:
        yield url


@pytest.fixture
def client(site: str) -> Iterator[PageClient]:
    client = PageClient(site)
    yield client
    client.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET, "utf-8")
    return path


# --- files


def lies(secret: Path, uploads: Path) -> list[object]:
    """Things that are no uploaded file, named as one."""
    link = uploads / "link.txt"
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    return [
        str(secret),
        f"file://{secret}",
        os.path.relpath(secret),
        f"{uploads}/../{secret.parent.name}/{secret.name}",
        f"{uploads}/x/../../{os.path.relpath(secret, uploads.parent)}",
        str(link),
        str(uploads),
        f"{uploads}/nothing.txt",
        f"{secret}\0.txt",
        "/" + "a" * 5000,
        "http://127.0.0.1:9/a.txt",
        "http://evil.example/a.txt",
        "/dev/stdin",
        "",
        None,
        7,
        ["/etc/passwd"],
    ]


SHAPES: list[Callable[[object], object]] = [
    lambda path: {"path": path, "meta": {"_type": "gradio.FileData"}},
    lambda path: {"path": path, "url": "http://evil.example/", "meta": {"_type": "gradio.FileData"}},
    lambda path: {"path": path, "is_stream": True, "meta": {"_type": "gradio.FileData"}, "orig_name": "a.txt"},
    lambda path: {"path": path},
    lambda path: {"deep": [{"er": {"path": path}}]},
]


def refused(client: PageClient, function: str, value: object, route: str = "queue/join") -> bool:
    """Whether an event that carries `value` is turned away."""
    body = client.body(function, value, "", "zh")
    return client.http.post(f"/gradio_api/{route}", json=body).status_code == 403


def test_no_file_is_read_that_was_not_uploaded(
    client: PageClient, secret: Path, uploads: Path, library: FakeLibrary
) -> None:
    before = len(library.articles())
    for lie in lies(secret, uploads):
        assert refused(client, "_add", [SHAPES[0](lie)]), lie
    for shape in SHAPES:
        assert refused(client, "_add", shape(str(secret)))
    for event in client.config["dependencies"]:
        for route in ("queue/join", "run/predict"):
            assert refused(client, event["api_name"], SHAPES[0](str(secret)), route), (event["api_name"], route)
    assert len(library.articles()) == before
    copies = [file for file in library.index_dir.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    assert copies == []


def test_gradio_s_own_check_stands_behind_ours(library: FakeLibrary, tmp_path: Path) -> None:
    page = build_app(library, FakeAssistant(), tmp_path)  # type: ignore[arg-type]
    make_server_app(page, library, 7860, tmp_path)  # type: ignore[arg-type]
    assert page.has_launched


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"data": NaN', b'"path"'], ids=repr
)
def test_a_body_that_is_no_event_is_400(client: PageClient, body: bytes) -> None:
    for route in ("queue/join", "run/predict", "cancel"):
        headers = {"content-type": "application/json"}
        assert client.http.post(f"/gradio_api/{route}", content=body, headers=headers).status_code == 400


def test_a_body_of_many_megabytes_is_413(client: PageClient) -> None:
    reply = client.http.post("/gradio_api/queue/join", content=b'{"data": "' + b"x" * 3_000_000 + b'"}')
    assert reply.status_code == 413


def test_an_uploaded_file_is_taken_in(client: PageClient, library: FakeLibrary) -> None:
    path = client.upload("银湾.txt", "银湾灯塔重新点亮".encode())
    client.call("_add", [file_data(path)], "", "zh")
    assert any(article.text == "银湾灯塔重新点亮" for article in library.articles())
    questions = '{"id": "a", "question": "全长多少米？", "answers": ["1260米"]}\n'.encode()
    client.call("handle_4", file_data(client.upload("新.jsonl", questions)), "zh")
    assert (library.index_dir / "question_sets" / "新.jsonl").is_file()


# --- uploads


def multipart(head: str, content: bytes = b"x") -> dict[str, object]:
    body = f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
    return {"content": body, "headers": {"content-type": "multipart/form-data; boundary=b"}}


@pytest.mark.parametrize(
    "sent",
    [
        multipart('name="files"'),
        multipart('name="other"'),
        multipart('filename="a.txt"'),
        multipart('name="files"; filename="' + "a" * 9000 + '.txt"'),
        {"content": b"garbage", "headers": {"content-type": "multipart/form-data; boundary=b"}},
        {"content": b"garbage", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"garbage", "headers": {"content-type": "text/plain"}},
        {"content": b""},
        {"content": iter([b"--b\r\n"]), "headers": {"content-type": "multipart/form-data; boundary=b"}},
    ],
    ids=lambda sent: str(sent)[:60],
)
def test_an_upload_that_is_none_is_a_4xx(client: PageClient, sent: dict[str, object]) -> None:
    reply = client.http.post("/gradio_api/upload", **sent)  # type: ignore[arg-type]
    assert 400 <= reply.status_code < 500


@pytest.mark.parametrize("name", ['""', '" "', '"."', '".."', '"/"', '"a/"'])
def test_an_upload_without_a_name_is_a_4xx(client: PageClient, name: str) -> None:
    reply = client.http.post("/gradio_api/upload", **multipart(f'name="files"; filename={name}'))  # type: ignore[arg-type]
    assert reply.status_code == 400 and "名称" in reply.text


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "a\\b.txt", "\x01.txt", "津" * 80 + ".txt", "津" * 3000])
def test_a_strange_upload_name_is_a_4xx_or_made_safe(client: PageClient, uploads: Path, name: str) -> None:
    reply = client.http.post("/gradio_api/upload", files={"files": (name, b"x")})
    if reply.status_code == 200:
        assert all(Path(path).resolve().is_relative_to(uploads.resolve()) for path in reply.json())
    else:
        assert 400 <= reply.status_code < 500


def test_uploads_have_a_quota_in_all(tmp_path: Path) -> None:
    library = FakeLibrary(tmp_path / "index")
    library.settings = dataclasses.replace(Settings(), ui=UiSettings(max_uploads_mb=0.3))
    with private_uploads(), served(library, FakeAssistant(), tmp_path) as url:
        first, second = PageClient(url, "one"), PageClient(url, "two")
        path = first.upload("a.txt", b"a" * 150_000)
        first.call("_add", [file_data(path)], "", "zh")
        second.upload("b.txt", b"b" * 50_000)
        reply = second.http.post("/gradio_api/upload", files={"files": ("c.txt", b"c" * 150_000)})
        assert reply.status_code == 413 and "ui.max_uploads_mb" in reply.text and "移出" in reply.text
        shutil.rmtree(library.index_dir / "uploads")
        assert second.upload("c.txt", b"c" * 150_000)


def test_an_upload_of_no_announced_length_is_411(client: PageClient) -> None:
    chunks = iter([b"x" * 1000] * 10)
    assert client.http.post("/gradio_api/upload", content=chunks).status_code == 411


# --- routes


CLOSED = [
    "/gradio_api/file/http://evil.example/x", "/gradio_api/file/etc/passwd", "/gradio_api/file=/etc/passwd",
    "/gradio_api/file=http://evil.example/x", "/gradio_api/proxy=http://evil.example/", "/file=/etc/passwd",
    "/file/etc/passwd", "/proxy=http://evil.example/", "/gradio_api/openapi.json", "/openapi.json", "/docs", "/redoc",
    "/gradio_api/info", "/gradio_api/info/", "/info", "/config", "/config/", "/monitoring", "/monitoring/summary",
    "/gradio_api/user", "/gradio_api/token", "/gradio_api/app_id", "/gradio_api/login_check", "/login", "/logout",
    "/gradio_api/queue/status", "/gradio_api/runs", "/gradio_api/run-history/records", "/gradio_api/deep_link",
    "/gradio_api/startup-events", "/gradio_api/custom_component/1/a/b/c", "/gradio_api/dev/reload", "/pwa_icon",
    "/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/vibe-code", "/manifest.json", "/robots.txt", "/svelte/x",
    "/gradio_api/mcp", "/gradio_api/mcp/sse", "/gradio_api/call/_add/x", "/gradio_api/heartbeat/../file=/etc/passwd",
    "/assets/../routes.py", "/assets/..%2f..%2froutes.py", "/static/%2e%2e/%2e%2e/routes.py", "/assets//etc/passwd",
    "/assets/%00", "/assets/a%5c..%5cb", "//evil.example/", "/GRADIO_API/FILE=/etc/passwd", "/jinwen/story/../run",
    "/gradio_api%2ffile=/etc/passwd", "/gradio_api/./file=/etc/passwd", "/gradio_api//queue/data", "/jinwen",
]  # fmt: skip


def raw(url: str, request: str) -> int:
    """The status of a request sent as it is, not tidied by a client."""
    host, _, port = url.removeprefix("http://").strip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.format(host=f"{host}:{port}").encode("latin-1"))
        return int(connection.recv(200).split()[1])


@pytest.mark.parametrize("path", CLOSED)
def test_routes_that_the_page_does_not_use_are_403(site: str, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert raw(site, f"{method} {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n") == 403
    cross = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
    assert raw(site, f"GET {path} HTTP/1.1\r\nHost: {{host}}\r\n{cross}Connection: close\r\n\r\n") == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/component_server", "/gradio_api/call/_add", "/gradio_api/call/v2/_add", "/gradio_api/api/_add",
        "/gradio_api/run/_add", "/gradio_api/stream/x", "/gradio_api/process_recording", "/gradio_api/vibe-edit",
        "/gradio_api/profiling/clear", "/login", "/", "/config", "/gradio_api/run-history/connect",
    ],
)  # fmt: skip
def test_posting_anywhere_else_is_403(client: PageClient, path: str) -> None:
    assert client.http.post(path, json={}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_other_methods_are_403(site: str, method: str) -> None:
    assert raw(site, f"{method} / HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n") in (400, 403)


def test_a_proxy_is_believed_only_when_told_so(site: str, tmp_path: Path) -> None:
    claims = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        "x-gradio-server": "http://evil.example",
    }
    plain = httpx.get(site, trust_env=False)
    claimed = httpx.get(site, headers=claims, trust_env=False)
    assert claimed.status_code == 200 and "evil.example" not in claimed.text
    assert len(claimed.text) == len(plain.text)
    origin = {"origin": "https://evil.example"}
    assert httpx.get(site, headers=claims | origin, trust_env=False).status_code == 403

    library = FakeLibrary(tmp_path / "index")
    library.settings = dataclasses.replace(Settings(), ui=UiSettings(trust_forwarded=True))
    with served(library, FakeAssistant(), tmp_path) as url:
        told = {"x-forwarded-host": "news.example", "x-forwarded-proto": "https"}
        own = {"origin": "https://news.example"}
        assert "https://news.example" in httpx.get(url, headers=told | own, trust_env=False).text
        assert httpx.get(url, headers=told | origin, trust_env=False).status_code == 403


# --- conversations


def test_a_conversation_is_seen_by_its_browser_only(site: str) -> None:
    mine, other, nobody = PageClient(site, "a"), PageClient(site, "b"), PageClient(site, "c")
    nobody.http.cookies.clear()
    conversation = mine.ask("青榆大桥什么时候通车？")
    assert conversation
    for thief in (other, nobody):
        assert thief.titles() == {}
        shown = thief.boot(conversation)
        assert shown[thief.component("jw-chat")] == [] and shown[thief.component("jw-current")] == ""
        opened = thief.call("_open_conversation", conversation, "zh")
        assert opened[thief.component("jw-chat")] == []
        thief.call("_delete", conversation, "zh")
        kept = thief.call("_told", f"1:keep:{conversation}-1", "zh")
        assert "青榆大桥" not in str(kept)
    again = PageClient(site, "d")
    again.http.cookies = mine.http.cookies
    assert again.titles() == {"青榆大桥什么时候通车？": conversation}
    assert "1月18日" in str(again.boot(conversation)[again.component("jw-chat")])


def test_the_key_is_random_kept_and_out_of_reach_of_scripts(site: str) -> None:
    keys = set()
    for _ in range(3):
        reply = httpx.get(site, trust_env=False)
        cookie = reply.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="))
        keys.add(reply.cookies["jinwen-key"])
    assert len(keys) == 3
    key = keys.pop()
    assert httpx.get(site, cookies={"jinwen-key": key}, trust_env=False).cookies["jinwen-key"] == key
    for bad in ("x", "", "a" * 500, "../" * 15):
        given = httpx.get(site, headers={"cookie": f"jinwen-key={bad}"}, trust_env=False).cookies["jinwen-key"]
        assert given != bad and len(given) == 43


def test_the_key_itself_is_not_stored(site: str, library: FakeLibrary) -> None:
    client = PageClient(site, "k")
    client.ask("大桥全长多少米？")
    files = [file for file in library.index_dir.glob("conversations.sqlite3*")]
    assert files and not any(client.http.cookies["jinwen-key"].encode() in file.read_bytes() for file in files)


def test_the_page_still_answers_after_all_this(client: PageClient) -> None:
    reply = client.http.get("/jinwen/story", params={"article": BRIDGE.id})
    assert reply.status_code == 200 and "1260米" in reply.text
    assert client.ask("青榆大桥全长多少米？")


# --- memory


def test_only_the_pages_used_last_are_remembered_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CAPACITY", 3)
    library = FakeLibrary(tmp_path / "index")
    page = build_app(library, FakeAssistant(), tmp_path)  # type: ignore[arg-type]
    app = make_server_app(page, library, 7860, tmp_path)  # type: ignore[arg-type]
    boot = next(event["id"] for event in page.config["dependencies"] if event["api_name"] == "_boot")
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        for number in range(8):
            body = {"data": ["zh::1"], "fn_index": boot, "session_hash": f"s{number}"}
            assert client.post("/gradio_api/run/predict", json=body).status_code == 200
    assert list(page.state_holder.session_data) == ["s5", "s6", "s7"]

    with served(library, FakeAssistant(), tmp_path) as url:
        early = PageClient(url, "early")
        conversation = early.ask("青榆大桥全长多少米？")
        for number in range(5):
            PageClient(url, f"later{number}").boot()
        opened = early.call("_open_conversation", conversation, "zh")
        assert "1260米" in str(opened[early.component("jw-chat")])
        early.call("_ask", "几条车道？", conversation, "extractive", 5, "", "", ["河畔日报"], "zh")
        assert "几条车道" in str(early.boot(conversation)[early.component("jw-chat")])
