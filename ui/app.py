"""The Gradio page: which control calls what, and what it shows then.

Nothing lives in Gradio's session state, which a restart loses: the open conversation, the language and the
chosen article are in text boxes of the page itself, and everything else is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from eval.runs import DEFAULT_RUNS_DIR
from ui import layout, render
from ui.chat import Chat, Options
from ui.contents import Contents
from ui.conversations import open_store
from ui.evaluation_tab import EvaluationTab
from ui.layout import Controls
from ui.library_tab import LibraryTab
from ui.markup import escape
from ui.server import private_uploads, run
from ui.strings import Language, as_language, text
from ui.visitors import Visitor, visitor

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.library import Library

Changes = dict[Any, Any]
"""Component -> its new value, or a `gr.update` of it."""
_HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_AT_ONCE: dict[str, Any] = {**_HIDDEN, "queue": False}
"""For events that must not wait behind a long answer."""


def build_app(library: Library, assistant: Assistant, runs_dir: Path = DEFAULT_RUNS_DIR) -> gr.Blocks:
    """The page over `library`; conversations are kept beside its index, runs of the evaluation in `runs_dir`."""
    chat = Chat(library, assistant, open_store(library.index_dir))
    contents = Contents(library)
    page, controls = layout.build(library.settings)
    wiring = _Wiring(chat, LibraryTab(library, contents), contents, controls)
    evaluation = EvaluationTab(library, contents, chat.store, controls.evaluation, runs_dir)
    with page:
        wiring.start(evaluation)
        wiring.asking()
        wiring.conversations()
        wiring.filters()
        wiring.library_tab()
    page.queue(max_size=32, default_concurrency_limit=4)
    return page


def serve(library: Library, assistant: Assistant, *, port: int, open_browser: bool = False) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C.

    :raises PortError: the port is taken.
    """
    with private_uploads():
        run(build_app(library, assistant), library, port=port, open_browser=open_browser)


class _Wiring:
    """Connects the controls of the page with what they do."""

    def __init__(self, chat: Chat, tab: LibraryTab, contents: Contents, controls: Controls) -> None:
        self._chat = chat
        self._tab = tab
        self._contents_now = contents.now
        self._c = controls
        self._labelled = [labelled.component for labelled in controls.labelled]
        ask, drawer, shelf, state = controls.ask, controls.drawer, controls.shelf, controls.state
        self._conversation = [ask.chat, ask.box, ask.hero, state.current, drawer.conversations, drawer.delete]
        self._contents = [ask.count, drawer.sources, shelf.listing]
        self._reading = [shelf.reader, shelf.question, shelf.remove, shelf.confirm_row]

    # ---- what happens when

    def start(self, evaluation: EvaluationTab) -> None:
        """On load and on a change of language: every text, the open conversation, the library."""
        ask, state, status = self._c.ask, self._c.state, self._c.shelf.status
        others = [*ask.examples, state.granted, state.language, state.pick, status]
        outputs = [*self._labelled, *self._conversation, *self._contents, *self._reading, *others]
        outputs = list(dict.fromkeys(outputs))
        granted = state.wish.change(self._boot, state.wish, outputs, trigger_mode="always_last", **_AT_ONCE)
        # Not a second listener on the wish: two that are both deferred wake each other without end.
        evaluation.connect(granted.then, state.wish, state.language)

    def asking(self) -> None:
        """The question box, the examples and the stop button."""
        ask, drawer, state = self._c.ask, self._c.drawer, self._c.state
        settings = [drawer.mode, drawer.max_sources, drawer.date_from, drawer.date_to, drawer.sources]
        for trigger, source in [(ask.box.submit, ask.box), *((button.click, button) for button in ask.examples)]:
            trigger(
                self._ask,
                [source, state.current, *settings, state.language],
                self._conversation,
                trigger_mode="once",
                concurrency_limit=4,
                concurrency_id="answer",
                **_HIDDEN,
            )
        ask.box.stop(self._stop, None, None, **_AT_ONCE)

    def conversations(self) -> None:
        """List, open, start and delete conversations.

        Each of these leaves a running answer. They go through the queue, so that what they show comes after
        the last that the answer has sent.
        """
        drawer, state = self._c.drawer, self._c.state
        outputs = [*self._conversation, drawer.confirm_row]
        queued: dict[str, Any] = {"concurrency_limit": 8, "concurrency_id": "open", **_HIDDEN}
        drawer.conversations.input(self._open_conversation, [drawer.conversations, state.language], outputs, **queued)
        drawer.new.click(self._new, state.language, outputs, **queued)
        drawer.confirm.click(self._delete, [state.current, state.language], outputs, **queued)
        _confirms(drawer.delete, drawer.cancel, drawer.confirm_row)

    def filters(self) -> None:
        """Filters in force are named above the question box, since the drawer may hide them."""
        ask, drawer, state = self._c.ask, self._c.drawer, self._c.state
        fields: list[Any] = [drawer.date_from, drawer.date_to, drawer.sources]
        outputs = [ask.active_filters, ask.filter_row]
        gr.on(
            [field.change for field in fields], self._filters_in_force, [*fields, state.language], outputs, **_AT_ONCE
        )
        ask.clear_filters.click(lambda: ("", "", []), None, fields, **_AT_ONCE)

    def library_tab(self) -> None:
        """Filter, search, read, add and remove."""
        shelf, state = self._c.shelf, self._c.state
        looking = [shelf.find, state.language]
        shelf.find.change(self._narrow, looking, shelf.listing, trigger_mode="always_last", **_AT_ONCE)
        gr.on([shelf.find.submit, shelf.search.click], self._search, looking, shelf.listing, **_HIDDEN)

        state.pick.change(self._read, [state.pick, state.language], self._reading, **_AT_ONCE)
        _confirms(shelf.remove, shelf.cancel, shelf.confirm_row)
        removed = [*self._contents, *self._reading, shelf.status, state.pick]
        shelf.confirm.click(self._remove, [state.pick, *looking], removed, **_HIDDEN)

        added = [*self._contents, shelf.status, shelf.stop]
        shelf.upload.upload(self._add, [shelf.upload, *looking], added, concurrency_limit=1, **_HIDDEN)
        shelf.stop.click(self._stop_adding, None, None, **_AT_ONCE)

    # ---- what is shown then

    def _boot(self, wish: str, request: gr.Request) -> Changes:
        wanted, conversation, *_ = [*(wish or "").split(":"), "", ""]
        language, who = as_language(wanted), visitor(request)
        if who.lasting:
            self._chat.store.adopt(who.owner)
        questions = [*self._contents_now().examples[language], *[""] * layout.EXAMPLES]
        examples = {
            button: gr.update(value=question, visible=bool(question))
            for button, question in zip(self._c.ask.examples, questions, strict=False)
        }
        return _merged(
            {labelled.component: labelled.update(language) for labelled in self._c.labelled},
            examples,
            self._show_started(who, conversation, language),
            self._show_contents("", language),
            self._read("", language),
            {
                self._c.state.granted: wish,
                self._c.state.language: language,
                self._c.state.pick: "",
                self._c.shelf.status: "",
            },
        )

    def _show_started(self, who: Visitor, conversation: str, language: Language) -> Changes:
        """The conversation of a page that starts or changes its language; one that an answer grows in is left alone."""
        if self._chat.running(who):
            return {
                self._c.ask.box: _box(language, running=True),
                self._c.drawer.conversations: self._list(who.owner, conversation),
            }
        return self._show(who.owner, conversation, language)

    def _show(self, owner: str, conversation: str, language: Language) -> Changes:
        """A stored conversation, or the start page when `owner` has none of this id."""
        messages = self._chat.show(owner, conversation, language)
        known = conversation if messages else ""
        return self._conversation_changes(owner, messages, known) | {self._c.ask.box: _box(language, running=False)}

    def _conversation_changes(self, owner: str, messages: list[Any], conversation: str) -> Changes:
        ask, drawer, state = self._c.ask, self._c.drawer, self._c.state
        return {
            ask.chat: messages,
            ask.hero: gr.update(visible=not messages),
            state.current: conversation,
            drawer.conversations: self._list(owner, conversation),
            drawer.delete: gr.update(visible=bool(conversation)),
        }

    def _list(self, owner: str, chosen: str) -> Any:
        summaries = self._chat.store.summaries(owner)
        choices = [(summary.title, summary.id) for summary in summaries]
        return gr.update(choices=choices, value=chosen or None, visible=bool(choices))

    def _ask(
        self,
        question: str,
        conversation: str,
        mode: Any,
        max_sources: int,
        date_from: str,
        date_to: str,
        sources: list[str],
        wanted: str,
        request: gr.Request,
    ) -> Iterator[Changes]:
        language, who = as_language(wanted), visitor(request)
        options = Options(mode, int(max_sources), date_from or "", date_to or "", tuple(sources or ()))
        views = self._chat.ask(question or "", conversation or "", options, language, who)
        for number, view in enumerate(views):
            if not view.running:
                changes = self._conversation_changes(who.owner, view.messages, view.conversation)
                yield changes | {self._c.ask.box: _box(language, running=False)}
            elif number == 0:
                changes = self._conversation_changes(who.owner, view.messages, view.conversation)
                yield changes | {self._c.ask.box: _box(language, running=True) | {"value": ""}}
            else:
                yield {self._c.ask.chat: view.messages}

    def _stop(self, request: gr.Request) -> None:
        self._chat.stop(visitor(request))

    def _open_conversation(self, conversation: str | None, wanted: str, request: gr.Request) -> Changes:
        who = visitor(request)
        self._chat.leave(who)
        shown = self._show(who.owner, conversation or "", as_language(wanted))
        return shown | {self._c.drawer.confirm_row: gr.update(visible=False)}

    def _new(self, wanted: str, request: gr.Request) -> Changes:
        return self._open_conversation("", wanted, request)

    def _delete(self, conversation: str, wanted: str, request: gr.Request) -> Changes:
        who = visitor(request)
        self._chat.leave(who)
        self._chat.store.delete(who.owner, conversation)
        return self._open_conversation("", wanted, request)

    def _filters_in_force(self, date_from: str, date_to: str, sources: list[str], wanted: str) -> Changes:
        language = as_language(wanted)
        parts = [render.day_range(date_from or "", date_to or "", language), *(sources or [])]
        named = " · ".join(part for part in parts if part)
        line = f"<p>{escape(text(language, 'active_filters', filters=named))}</p>" if named else ""
        return {self._c.ask.active_filters: line, self._c.ask.filter_row: gr.update(visible=bool(named))}

    def _show_contents(self, needle: str, language: Language) -> Changes:
        """The list of articles, how many there are, and the choices of the source filter."""
        now = self._contents_now()
        key = "hero_count" if now.articles else "hero_empty"
        count = text(language, key, articles=f"{len(now.articles):,}", sources=len(now.sources))
        shown = "" if now.problem else f'<p class="jw-hero-count">{escape(count)}</p>'
        return {
            self._c.ask.count: shown + "".join(map(render.trouble, self._troubles(now.problem, language))),
            self._c.drawer.sources: gr.update(choices=list(now.sources)),
            self._c.shelf.listing: self._tab.listing(needle, language),
        }

    def _troubles(self, problem: str, language: Language) -> list[str]:
        """What is wrong with the index or the conversations, a line each."""
        file = self._chat.store.file
        aside = str(file.put_aside) if file.put_aside else ""
        lines = [("index_failed", problem), ("conversations_aside", aside), ("conversations_passing", file.outage)]
        return [text(language, key, detail=detail) for key, detail in lines if detail]

    def _narrow(self, needle: str, wanted: str) -> str:
        return self._tab.listing(needle or "", as_language(wanted))

    def _search(self, query: str, wanted: str) -> str:
        return self._tab.search(query or "", as_language(wanted))

    def _read(self, pick: str, wanted: str) -> Changes:
        language, shelf = as_language(wanted), self._c.shelf
        markup, title = self._tab.read(pick or "", language)
        question = f"<p>{escape(text(language, 'remove_question', title=title))}</p>" if title else ""
        return {
            shelf.reader: markup,
            shelf.question: question,
            shelf.remove: gr.update(visible=bool(title)),
            shelf.confirm_row: gr.update(visible=False),
        }

    def _remove(self, pick: str, needle: str, wanted: str) -> Changes:
        language = as_language(wanted)
        news = self._tab.remove(pick or "", language)
        return {
            **self._show_contents(needle or "", language),
            **self._read("", language),
            self._c.shelf.status: news,
            self._c.state.pick: "",
        }

    def _add(self, files: list[str] | None, needle: str, wanted: str, request: gr.Request) -> Iterator[Changes]:
        language, shelf = as_language(wanted), self._c.shelf
        for status in self._tab.add([Path(file) for file in files or []], language, visitor(request).place):
            yield {shelf.status: status, shelf.stop: gr.update(visible=True)}
        yield self._show_contents(needle or "", language) | {shelf.stop: gr.update(visible=False)}

    def _stop_adding(self, request: gr.Request) -> None:
        self._tab.stop(visitor(request).place)


def _box(language: Language, running: bool) -> dict[str, Any]:
    """The question box with the button that fits: ask, or stop."""
    changes: dict[str, Any] = gr.update(
        label=text(language, "question"),
        placeholder=text(language, "placeholder"),
        submit_btn=False if running else text(language, "send"),
        stop_btn=text(language, "stop") if running else False,
    )
    return changes


def _merged(*parts: Changes) -> Changes:
    """All changes in one; where two parts update the same component, both updates hold."""
    merged: Changes = {}
    for part in parts:
        for component, change in part.items():
            earlier = merged.get(component)
            both = isinstance(earlier, dict) and isinstance(change, dict)
            merged[component] = {**earlier, **change} if both and earlier is not None else change
    return merged


def _confirms(button: gr.Button, cancel: gr.Button, row: gr.Column) -> None:
    """`button` asks first: it opens `row`, `cancel` closes it."""
    button.click(lambda: gr.update(visible=True), None, row, **_AT_ONCE)
    cancel.click(lambda: gr.update(visible=False), None, row, **_AT_ONCE)
