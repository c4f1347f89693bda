"""Answers and conversations as files that the browser saves (see rag.export)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from rag.errors import StoreError
from rag.export import Entry, Form, export, export_name
from rag.types import Article
from ui.conversations import ConversationStore, Exchange
from ui.strings import STRINGS, Language, as_language, text
from ui.visitors import owner_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.library import Library

_KEY = re.compile(r"([0-9a-f]{1,32})(?:-([1-9][0-9]{0,5}))?")
"""`conversation` or `conversation-number`, as answers are called on the page."""


def add_export_route(app: FastAPI, library: Library, store: ConversationStore) -> None:
    """Serve `/jinwen/export`: a stored answer or conversation in one of the forms of `rag.export`."""

    @app.get("/jinwen/export")
    def exported(request: Request, key: str, form: Form, language: str = "zh") -> Response:
        chosen = as_language(language)
        if not _asked_by_page(request):
            return PlainTextResponse("forbidden", status_code=403)
        try:
            entries = [_entry(exchange, chosen) for exchange in _exchanges(store, owner_of(request.cookies), key)]
        except StoreError as error:
            return PlainTextResponse(str(error), status_code=503)
        if not entries:
            return PlainTextResponse(text(chosen, "export_failed_hint"), status_code=404)
        today = dt.date.today()
        content = export(entries, form, language=chosen, made=today, articles=_cited(entries, library))
        headers = {
            "cache-control": "no-store",
            "content-disposition": f"attachment; filename*=UTF-8''{quote(export_name(entries, form, today), safe='')}",
            "x-content-type-options": "nosniff",
        }
        return Response(content, media_type=form.media_type, headers=headers)


def _asked_by_page(request: Request) -> bool:
    """Whether the page itself asks, not a link or a frame of another; a client that is no browser does not say."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _exchanges(store: ConversationStore, owner: str | None, key: str) -> list[Exchange]:
    match = _KEY.fullmatch(key)
    if match is None or owner is None:
        return []
    exchanges = store.exchanges(owner, match[1])
    return exchanges if match[2] is None else exchanges[int(match[2]) - 1 : int(match[2])]


def _entry(exchange: Exchange, language: Language) -> Entry:
    problem = exchange.problem
    if problem == "stopped" and exchange.answer is None:
        problem = "stopped_empty"
    known = problem in STRINGS[language]
    remark = text(language, problem) if known else text(language, "failed", error=problem) if problem else ""
    return Entry(exchange.question, exchange.answer, remark)


def _cited(entries: list[Entry], library: Library) -> dict[str, Article]:
    wanted = {citation.article_id for entry in entries if entry.answer for citation in entry.answer.citations}
    try:
        found = {ident: library.article(ident) for ident in wanted}
    except StoreError:  # the index is gone or damaged: the answer itself is kept with the conversation
        found = {}
    return {ident: article for ident, article in found.items() if article is not None}
