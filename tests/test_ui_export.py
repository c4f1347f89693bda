"""Exports from the page: the buttons, the route that only the page itself is given, what it says when it cannot."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from export_support import DAM_ANSWER, REFUSED, read_word
from fastapi import FastAPI
from starlette.testclient import TestClient
from ui_support import FakeLibrary

from ui import render
from ui.conversations import ConversationStore, Exchange, open_store
from ui.export_route import add_export_route
from ui.visitors import COOKIE, owner_of

KEY = "k" * 43
OWNER = owner_of({COOKIE: KEY}) or ""


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path)


@pytest.fixture
def client(tmp_path: Path, store: ConversationStore) -> Iterator[TestClient]:
    app = FastAPI()
    add_export_route(app, FakeLibrary(tmp_path), store)  # type: ignore[arg-type]
    with TestClient(app, cookies={COOKIE: KEY}) as client:
        yield client


def kept(store: ConversationStore, *exchanges: Exchange) -> str:
    conversation = store.start(OWNER, exchanges[0].question)
    for exchange in exchanges:
        store.append(OWNER, conversation, exchange)
    return conversation


TALK = (
    Exchange(DAM_ANSWER.question, DAM_ANSWER),
    Exchange(REFUSED.question, REFUSED),
    Exchange("慢？", None, "stopped"),
    Exchange("错？", None, "the model broke"),
)


def test_one_answer_and_the_whole_conversation_come_as_files(client: TestClient, store: ConversationStore) -> None:
    conversation = kept(store, *TALK)
    one = client.get("/jinwen/export", params={"key": f"{conversation}-1", "form": "md", "language": "zh"})
    assert one.status_code == 200 and one.headers["content-type"] == "text/markdown; charset=utf-8"
    assert one.headers["cache-control"] == "no-store" and one.headers["x-content-type-options"] == "nosniff"
    name = unquote(one.headers["content-disposition"].removeprefix("attachment; filename*=UTF-8''"))
    assert name == f"jinwen-{dt.date.today()}-南坡水库扩建花了多少钱.md"
    assert one.text.startswith("# 南坡水库扩建花了多少钱？\n") and "明天下雨" not in one.text
    whole = client.get("/jinwen/export", params={"key": conversation, "form": "docx", "language": "en"})
    shown = read_word(whole.content)
    assert shown.paragraphs[0] == "Conversation: 南坡水库扩建花了多少钱？" and len(shown.footnotes) == 3
    assert "Stopped before there was an answer." in shown.paragraphs
    assert "No answer: the model broke" in shown.paragraphs


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, {"sec-fetch-site": "same-site"},
     {"sec-fetch-site": "none"}],
)  # fmt: skip
def test_nobody_but_the_page_is_given_a_file(
    client: TestClient, store: ConversationStore, headers: dict[str, str]
) -> None:
    params = {"key": kept(store, *TALK), "form": "md"}
    assert client.get("/jinwen/export", params=params, headers=headers).status_code == 403
    assert client.get("/jinwen/export", params=params, headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("cookies", [{}, {COOKIE: "x" * 43}, {COOKIE: OWNER}, {COOKIE: ""}])
def test_another_browser_is_given_nothing(
    client: TestClient, store: ConversationStore, cookies: dict[str, str]
) -> None:
    params = {"key": kept(store, *TALK), "form": "md"}
    client.cookies.clear()
    assert client.get("/jinwen/export", params=params, headers=_cookie_header(cookies)).status_code == 404


def _cookie_header(cookies: dict[str, str]) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


@pytest.mark.parametrize("key", ["", "abc", "{}-9", "{}-0", "{}-1-1", "../{}", "{}' OR '1'='1", "-1", "{}\n"])
def test_what_is_not_there_is_said_in_words(client: TestClient, store: ConversationStore, key: str) -> None:
    reply = client.get("/jinwen/export", params={"key": key.format(kept(store, *TALK)), "form": "md"})
    assert reply.status_code == 404 and reply.text.startswith("未能导出：")


@pytest.mark.parametrize("form", ["pdf", "../docx", ""])
def test_a_form_that_is_none_is_refused(client: TestClient, store: ConversationStore, form: str) -> None:
    assert client.get("/jinwen/export", params={"key": kept(store, *TALK), "form": form}).status_code == 422


def test_a_hostile_question_breaks_no_header(client: TestClient, store: ConversationStore) -> None:
    hostile = Exchange('a"; x\r\nset-cookie: y=1\x00问', DAM_ANSWER)
    reply = client.get("/jinwen/export", params={"key": kept(store, hostile), "form": "bib"})
    assert reply.status_code == 200 and "set-cookie" not in reply.headers
    disposition = reply.headers["content-disposition"]
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w.%-]+", disposition, re.ASCII)


def test_the_page_and_its_exports_share_one_store(tmp_path: Path) -> None:
    page = open_store(tmp_path)
    assert open_store(tmp_path / "." / "x" / "..") is page, "one that fell back to memory has its conversations alone"
    assert open_store(tmp_path / "other") is not page


# --- the buttons


def buttons(markup: str) -> list[tuple[str, str]]:
    found = re.findall(
        r'jw-export" value="([^"]*)".*?<span class="jw-state-0">(.*?)</span>(?=<span class="jw-state-2")', markup
    )
    return [(value, re.sub("<[^>]*>", "", name)) for value, name in found]


def test_every_answer_has_named_buttons_in_both_languages() -> None:
    assert buttons(render.answer(DAM_ANSWER, {}, "zh", "c-1")) == [
        ("docx:c-1", "导出这一回答：Word"),
        ("md:c-1", "导出这一回答：Markdown"),
        ("txt:c-1", "导出这一回答：GB/T 7714"),
        ("bib:c-1", "导出这一回答：BibTeX"),
    ]
    assert buttons(render.answer(REFUSED, {}, "en", "c-2")) == [
        ("docx:c-2", "Export this answer: Word"),
        ("md:c-2", "Export this answer: Markdown"),
    ]


def test_the_conversation_has_buttons_of_its_own() -> None:
    named = buttons(render.exports("en"))
    assert named[0] == ("docx:", "Export the whole conversation: Word") and len(named) == 4
