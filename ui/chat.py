"""What happens in a conversation: ask, stream, stop, keep, show again. Knows nothing of Gradio."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from rag.assistant import MAX_QUESTION_CHARS
from rag.errors import JinwenError, StoreError
from rag.types import Answer, Article, Filters
from ui import render
from ui.conversations import ConversationStore, Exchange, turns
from ui.markup import visible
from ui.running import Runs, drain
from ui.strings import STRINGS, Language, text
from ui.typed_dates import read_day
from ui.visitors import Visitor

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.config import AnswerMode
    from rag.library import Library

_LOG = logging.getLogger(__name__)
_SHORTEST_STEP_S = 0.1
_LONGEST_STEP_S = 0.6
_SLOWING = 0.1
"""Seconds between two snapshots sent to the browser: more of them, the longer the answer grows.

A browser that is busy draws more slowly than snapshots come; what waits there keeps even the stop button from
being drawn.
"""


class Message(TypedDict):
    """One entry of the chat log, as Gradio's Chatbot takes it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Options:
    """What the person has set beside the question."""

    mode: AnswerMode
    max_sources: int
    date_from: str = ""
    date_to: str = ""
    """ISO dates as typed; empty means open."""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows at one moment."""

    messages: list[Message]
    conversation: str
    running: bool


class FilterError(JinwenError):
    """A date of the filter cannot be read, or the dates are in the wrong order."""


class Chat:
    """Conversations of one library."""

    def __init__(self, library: Library, assistant: Assistant, store: ConversationStore) -> None:
        self._library = library
        self._assistant = assistant
        self._runs = Runs()
        self.store = store

    def show(self, owner: str, conversation: str, language: Language) -> list[Message]:
        """The messages of a stored conversation of `owner`; empty for an unknown one."""
        messages: list[Message] = []
        for number, exchange in enumerate(self.store.exchanges(owner, conversation), 1):
            messages += self._messages(exchange, language, f"{conversation}-{number}")
        return messages

    def ask(
        self, question: str, conversation: str, options: Options, language: Language, visitor: Visitor
    ) -> Iterator[View]:
        """Views of the growing answer; the last one is stored and not `running`.

        An unknown or empty `conversation` starts a new one. Closing this iterator stops the answer and
        stores what there is of it.
        """
        owner, place = visitor.owner, visitor.place
        asked = visible(question).strip()[: MAX_QUESTION_CHARS + 1]
        if not asked:
            yield View(self.show(owner, conversation, language), conversation, running=False)
            return
        try:
            earlier = self.store.exchanges(owner, conversation)
            conversation = conversation if earlier else self.store.start(owner, asked)
        except StoreError as error:
            said = [_said("user", render.question(asked, language)), _said("assistant", _failed(str(error), language))]
            yield View(said, conversation, running=False)
            return
        shown = self.show(owner, conversation, language) if earlier else []
        key = f"{conversation}-{len(earlier) + 1}"
        log = [*shown, _said("user", render.question(asked, language))]
        yield View([*log, _said("assistant", render.waiting(language))], conversation, running=True)

        run = self._runs.start(place)
        exchange, kept = Exchange(asked, None, "stopped"), False
        try:
            for exchange in self._answer(asked, earlier, options, language, run.stop):
                if exchange.problem == "stopped" and not run.stop.is_set():
                    growing = _said("assistant", self._answer_markup(exchange.answer, language, key))
                    yield View([*log, growing], conversation, running=True)
            problem, kept = self._keep(owner, conversation, exchange), True
            if not run.left.is_set():
                messages = [*shown, *self._messages(exchange, language, key)]
                if problem:
                    messages.append(_said("assistant", _failed(problem, language)))
                yield View(messages, conversation, running=False)
        finally:
            if not kept:
                self._keep(owner, conversation, exchange)
            self._runs.finish(place, run)

    def _keep(self, owner: str, conversation: str, exchange: Exchange) -> str:
        """Store an exchange; why it could not be, or empty."""
        try:
            self.store.append(owner, conversation, exchange)
        except StoreError as error:
            _LOG.warning("%s", error)
            return str(error)
        return ""

    def stop(self, visitor: Visitor) -> None:
        """Stop the answer that `visitor` is waiting for."""
        self._runs.stop(visitor.place)

    def running(self, visitor: Visitor) -> bool:
        """Whether `visitor` is waiting for an answer."""
        return self._runs.running(visitor.place)

    def leave(self, visitor: Visitor) -> None:
        """Stop the answer that `visitor` is waiting for, because the page is about to show something else."""
        self._runs.leave(visitor.place)

    def _answer(
        self,
        asked: str,
        earlier: Sequence[Exchange],
        options: Options,
        language: Language,
        stop: threading.Event,
    ) -> Iterator[Exchange]:
        """The exchange as far as it has come: `problem` is `stopped` until it is complete or has failed."""
        latest: Answer | None = None
        began, last_sent = time.monotonic(), 0.0
        try:
            filters = read_filters(options, language)
            history = turns(list(earlier))
            snapshots = drain(
                lambda: self._assistant.stream(
                    asked, history=history, filters=filters, mode=options.mode, max_sources=options.max_sources
                ),
                stop,
            )
            for latest in snapshots:
                now = time.monotonic()
                step = min(_LONGEST_STEP_S, _SHORTEST_STEP_S + _SLOWING * (now - began))
                if not latest.final and now - last_sent > step:
                    last_sent = now
                    yield Exchange(asked, latest, "stopped")
        except JinwenError as error:
            yield Exchange(asked, None, str(error))
        except Exception:
            _LOG.exception("answering failed")
            yield Exchange(asked, None, "failed_unknown")
        else:
            done = latest is not None and latest.final
            yield Exchange(asked, latest, "" if done else "stopped")

    def _messages(self, exchange: Exchange, language: Language, key: str) -> list[Message]:
        parts = []
        if exchange.answer is not None:
            parts.append(self._answer_markup(dataclasses.replace(exchange.answer, final=True), language, key))
        if exchange.problem == "stopped":
            parts.append(render.aside(text(language, "stopped" if exchange.answer else "stopped_empty")))
        elif exchange.problem:
            parts.append(_failed(exchange.problem, language))
        return [
            _said("user", render.question(exchange.question, language)),
            _said("assistant", f"<div>{''.join(parts)}</div>"),
        ]

    def _answer_markup(self, answer: Answer | None, language: Language, key: str) -> str:
        if answer is None:
            return render.waiting(language)
        wanted = {citation.article_id for citation in answer.citations} | {near.article_id for near in answer.nearest}
        try:
            found = {ident: self._library.article(ident) for ident in wanted}
        except StoreError:  # the index is gone or damaged: the answer itself is kept with the conversation
            found = {}
        articles: dict[str, Article] = {ident: article for ident, article in found.items() if article is not None}
        return render.answer(answer, articles, language, key)


def read_filters(options: Options, language: Language) -> Filters:
    """The filters as typed.

    :raises FilterError: a date cannot be read, or the first is after the last.
    """
    first, last = _read_date(options.date_from, language), _read_date(options.date_to, language)
    if first and last and first > last:
        raise FilterError(text(language, "date_order", first=first, last=last))
    return Filters(date_from=first, date_to=last, sources=options.sources)


def _read_date(typed: str, language: Language) -> dt.date | None:
    try:
        return read_day(typed)
    except ValueError:
        raise FilterError(text(language, "bad_date", date=typed.strip())) from None


def _failed(problem: str, language: Language) -> str:
    """A problem (see `Exchange.problem`) as markup."""
    known = problem in STRINGS[language]
    return render.trouble(text(language, problem) if known else text(language, "failed", error=problem))


def _said(role: str, content: str) -> Message:
    return {"role": role, "content": content}
