"""The evaluation tab: which control calls what, and what it shows then.

What takes long goes through queues of its own, so that the chat never waits for it; a run works on a thread
of its own and is watched by a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from eval.compare import compare
from eval.explain import explain
from rag.errors import JinwenError
from rag.types import Turn
from ui import render_comparison
from ui import render_evaluation as render
from ui.contents import Contents
from ui.conversations import ConversationStore
from ui.evaluation_controls import EvaluationControls
from ui.evaluation_editor import Changes, Editor, set_title
from ui.evaluation_errors import told
from ui.evaluation_run_view import RunView, asks
from ui.evaluation_runs import RunDesk
from ui.evaluation_sets import Draft, QuestionSets
from ui.render_library import remark
from ui.strings import Language, as_language
from ui.visitors import visitor

if TYPE_CHECKING:
    from rag.library import Library

_HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_AT_ONCE: dict[str, Any] = {**_HIDDEN, "queue": False}
_READING: dict[str, Any] = {**_HIDDEN, "concurrency_limit": 4, "concurrency_id": "evaluation-read"}
_WORKING: dict[str, Any] = {
    "api_visibility": "private", "show_progress": "minimal", "concurrency_limit": 1, "concurrency_id": "evaluation",
}  # fmt: skip


class EvaluationTab:
    """The evaluation of one library."""

    def __init__(
        self,
        library: Library,
        contents: Contents,
        store: ConversationStore,
        controls: EvaluationControls,
        runs_dir: Path,
    ) -> None:
        self._library = library
        self._c = controls
        self._sets = QuestionSets(library, contents)
        self._desk = RunDesk(library, runs_dir)
        self._view = RunView(self._desk, self._sets, controls)
        self._editor = Editor(self._sets, store, controls)
        c = controls
        self._everything = [
            c.page_tabs, c.tabs, *_parts(c.memory)[1:],
            *_parts(c.runs), *_parts(c.compare), *_parts(c.why), *_parts(c.sets),
        ]  # fmt: skip

    # ---- what happens when

    def connect(self, granted: Callable[..., Any], wish: gr.Textbox, language: gr.Textbox) -> None:
        """Connect everything; `wish` asks for the page in a language, and `granted` happens once the rest shows it.

        `language` is the one shown.
        """
        m, runs, sets = self._c.memory, self._c.runs, self._c.sets
        state: list[Any] = [m.opened, m.compared, m.explained, m.edited, runs.cause, runs.sets, sets.sets]
        state += [self._c.why.question, self._c.why.expect]
        granted(self._boot, [wish, *state], self._everything, trigger_mode="always_last", **_AT_ONCE)
        m.tell.change(self._told, [m.tell, language], self._everything, trigger_mode="multiple", **_READING)
        chosen: list[Any] = [m.opened, runs.sets, sets.sets, self._c.compare.first, self._c.compare.second, language]
        self._c.page_tabs.select(self._refresh, chosen, self._everything, **_AT_ONCE)
        self._connect_runs(language)
        self._connect_comparisons(language)
        self._connect_sets(language)

    def _connect_runs(self, language: gr.Textbox) -> None:
        m, runs = self._c.memory, self._c.runs
        everything = self._everything
        chosen: list[Any] = [runs.sets, runs.mode, runs.strictness, runs.top_k, runs.name, runs.judge, language]
        runs.start.click(self._view.start, chosen, everything, **_READING)
        runs.resume.click(self._view.resume, [language], everything, **_READING)
        runs.stop.click(self._desk.stop, None, None, **_AT_ONCE)
        m.clock.tick(self._view.tick, [m.opened, language], everything, **_AT_ONCE)
        runs.cause.input(self._view.filter, [m.opened, runs.cause, language], runs.failed, **_READING)
        renamed = [m.opened, runs.new_name, runs.cause, language]
        gr.on([runs.rename.click, runs.new_name.submit], self._view.rename, renamed, everything, **_READING)
        runs.delete.click(self._view.ask_to_delete, [m.opened, language], [runs.question, runs.confirm_row], **_AT_ONCE)
        runs.cancel.click(_closed, None, runs.confirm_row, **_AT_ONCE)
        runs.confirm.click(self._view.delete, [m.opened, language], everything, **_READING)

    def _connect_comparisons(self, language: gr.Textbox) -> None:
        m, pair, why = self._c.memory, self._c.compare, self._c.why
        pair.start.click(self._compare, [pair.first, pair.second, language], [pair.result, m.compared], **_WORKING)
        gr.on(
            [why.start.click, why.expect.submit], self._explain, [why.question, why.expect, language],
            [why.result, m.explained], **_WORKING,
        )  # fmt: skip

    def _connect_sets(self, language: gr.Textbox) -> None:
        m, sets, editor, everything = self._c.memory, self._c.sets, self._editor, self._everything

        def on(trigger: Any, act: Callable[..., Changes], *inputs: Any, **how: Any) -> None:
            def handle(*values: Any) -> Changes:
                return act(*values[:-1], as_language(values[-1]))

            trigger(handle, [*inputs, language], everything, **(how or _READING))

        on(sets.sets.input, editor.choose, sets.sets)
        on(sets.add.click, editor.add, sets.sets)
        on(sets.validate.click, editor.validate, sets.sets, **_WORKING)
        on(sets.draft.click, editor.draft, **_WORKING)
        for upload in (sets.upload, self._c.runs.upload):
            on(upload.upload, lambda file, lang: editor.take_in(Path(file), lang), upload, **_WORKING)
        fields = [sets.question, sets.type, sets.answers, sets.match, sets.evidence, sets.as_of]
        on(sets.save.click, self._save, sets.sets, m.edited, *fields, **_WORKING)
        on(sets.remove_confirm.click, editor.remove, sets.sets, m.edited)
        on(sets.confirm.click, editor.delete, sets.sets)
        sets.remove.click(_open, None, sets.remove_row, **_AT_ONCE)
        sets.remove_cancel.click(_closed, None, sets.remove_row, **_AT_ONCE)
        sets.delete.click(self._ask_to_delete_set, [sets.sets, language], [sets.sure, sets.confirm_row], **_AT_ONCE)
        sets.cancel.click(_closed, None, sets.confirm_row, **_AT_ONCE)

    # ---- what is shown then

    def _boot(
        self, wish: str, opened: str, compared: str, explained: str, edited: str, cause: str | None,
        running: str | None, editing: str | None, question: str, expect: str,
    ) -> Changes:  # fmt: skip
        """Everything in the language wished for."""
        language = as_language((wish or "").partition(":")[0])
        shown = self._view.lists(opened, language) | self._editor.dropdowns(running, editing, language)
        name = shown[self._c.sets.sets]["value"]
        shown |= self._editor.listing(name, edited, language)
        shown |= self._editor.about(name, edited, language)
        shown |= self._view.open(opened, cause or "", language) if opened else self._view.nothing_open(language)
        shown[self._c.compare.result] = self._comparison(*_pair(compared), language)
        shown[self._c.why.result] = self._explanation(question, expect, language) if explained else (
            render.hint("ev_why_hint", language)
        )  # fmt: skip
        return shown | self._view.clock(language)

    def _refresh(
        self, opened: str, running: str | None, editing: str | None, first: str | None, second: str | None, wanted: str
    ) -> Changes:
        """The lists, which the library and the command line may have changed; what is chosen stays."""
        language, pair = as_language(wanted), self._c.compare
        shown = self._view.lists(opened, language) | self._editor.dropdowns(running, editing, language)
        for dropdown, value in ((pair.first, first), (pair.second, second)):
            if value in [folder for _, folder in shown[dropdown]["choices"]]:
                shown[dropdown]["value"] = value
        return shown | self._view.clock(language)

    def _told(self, pressed: str, wanted: str, request: gr.Request) -> Changes:
        """A button of our own was pressed."""
        language = as_language(wanted)
        _, _, rest = (pressed or "").partition(":")
        verb, _, argument = rest.partition(":")
        try:
            if verb == "open":
                return self._view.open(argument, "", language) | self._view.lists(argument, language)
            if verb == "why":
                return self._why(*argument.partition(":")[::2], language)
            if verb == "edit":
                return self._editor.edit(*argument.partition(":")[::2], language)
            if verb in ("keep", "dislike"):
                return self._editor.keep(visitor(request).owner, argument, verb == "keep", language)
        except JinwenError as error:
            line = remark(told(error, language))
            return {self._c.sets.status: line, self._c.runs.status: line}
        return {}

    # ---- comparing and explaining

    def _compare(self, first: str | None, second: str | None, wanted: str) -> Changes:
        shown = self._comparison(first or "", second or "", as_language(wanted), chosen=True)
        return {self._c.compare.result: shown, self._c.memory.compared: f"{first or ''}|{second or ''}"}

    def _comparison(self, first: str, second: str, language: Language, chosen: bool = False) -> str:
        if not (first and second):
            return render.hint("ev_compare_need" if chosen else "ev_compare_hint", language)
        if first == second:
            return render.hint("ev_compare_same", language)
        try:
            return render_comparison.comparison(compare(self._desk.find(first), self._desk.find(second)), language)
        except JinwenError as error:
            return remark(told(error, language))

    def _explain(self, question: str, expect: str, wanted: str) -> Changes:
        shown = self._explanation(question or "", expect or "", as_language(wanted))
        return {self._c.why.result: shown, self._c.memory.explained: "1"}

    def _explanation(self, question: str, expect: str, language: Language, history: tuple[Turn, ...] = ()) -> str:
        try:
            found = explain(self._library, question, expect, history=history)
        except JinwenError as error:
            return remark(told(error, language))
        return render_comparison.explanation(found, self._library.settings.retrieval.per_article, language)

    def _why(self, folder: str, question_id: str, language: Language) -> Changes:
        """Explain a failed question of a run: its first evidence is what should have been found."""
        run = self._desk.find(folder)
        asked = next((q for q in run.questions().questions if q.id == question_id), None)
        if asked is None or not asked.evidence:
            return {}
        expect = " ".join(asked.evidence[0].split())
        return {
            self._c.tabs: gr.update(selected="why"),
            self._c.why.question: asked.text,
            self._c.why.expect: expect,
            self._c.why.result: self._explanation(asked.text, expect, language, asked.history),
            self._c.memory.explained: "1",
        }

    # ---- question sets

    def _save(self, name: str | None, question_id: str, *values: Any) -> Changes:
        *fields, language = values
        question, kind, answers, match, evidence, as_of = fields
        draft = Draft(question or "", kind or "", answers or "", match or "any", evidence or "", as_of or "")
        return self._editor.save(name, question_id or "", draft, language)

    def _ask_to_delete_set(self, name: str | None, wanted: str) -> Changes:
        language, sets = as_language(wanted), self._c.sets
        return asks(sets.sure, sets.confirm_row, set_title(name or "", language), language)


def _parts(controls: Any) -> list[Any]:
    """The components of a group of controls."""
    return [getattr(controls, name) for name in controls.__slots__]


def _pair(compared: str) -> tuple[str, str]:
    first, _, second = (compared or "").partition("|")
    return first, second


def _open() -> Any:
    return gr.update(visible=True)


def _closed() -> Any:
    return gr.update(visible=False)
