"""What the runs of the evaluation tab show: starting, watching, the list, one result."""

from __future__ import annotations

from typing import Any

import gradio as gr

from rag.errors import JinwenError
from ui import render_evaluation as render
from ui import render_failures, render_library
from ui.evaluation_controls import EvaluationControls
from ui.evaluation_editor import Changes
from ui.evaluation_errors import differences, told
from ui.evaluation_runs import Choices, Job, RunDesk
from ui.evaluation_sets import QuestionSets
from ui.markup import escape
from ui.render_library import remark
from ui.strings import STRINGS, Language, as_language, text


class RunView:
    """The runs as the page shows and changes them; every method says what changes on the page."""

    def __init__(self, desk: RunDesk, sets: QuestionSets, controls: EvaluationControls) -> None:
        self._desk = desk
        self._sets = sets
        self._c = controls

    def lists(self, opened: str, language: Language) -> Changes:
        """The list of runs, the choices of a comparison, and the offer to resume."""
        runs, pair = self._desk.runs(), self._c.compare
        finished = [run for run in runs if run.finished]
        choices = [(f"{run.info.name} · {render.when(run)}", run.folder.name) for run in finished]
        newest = [folder for _, folder in choices]
        return {
            self._c.runs.listing: render.run_list(runs, opened, language),
            pair.first: gr.update(choices=choices, value=newest[1] if len(newest) > 1 else None),
            pair.second: gr.update(choices=choices, value=newest[0] if newest else None),
        } | self._offer(language)

    def _offer(self, language: Language) -> Changes:
        """Going on with the newest interrupted run; where it cannot go on and nothing was run since, why not."""
        runs, left = self._c.runs, self._desk.interrupted()
        changed = self._desk.changes(left) if left is not None else []
        if left is None or (changed and left.folder != self._desk.runs()[0].folder):
            return {runs.resume_row: gr.update(visible=False), runs.interrupted: ""}
        said = text(
            language, "ev_interrupted_changed" if changed else "ev_interrupted",
            name=left.info.name, done=len(left.results()), total=left.info.questions,
            **({"changed": differences(changed, language)} if changed else {}),
        )  # fmt: skip
        return {
            runs.resume_row: gr.update(visible=True),
            runs.interrupted: f"<p>{escape(said)}</p>",
            runs.resume: gr.update(visible=not changed),
        }

    def nothing_open(self, language: Language) -> Changes:
        """No run is shown."""
        runs = self._c.runs
        return {
            runs.result: render.hint("ev_run_hint", language),
            runs.failed: "",
            runs.cause: gr.update(visible=False),
            runs.tools: gr.update(visible=False),
            runs.confirm_row: gr.update(visible=False),
            self._c.memory.opened: "",
        }

    def open(self, folder: str, cause: str, language: Language) -> Changes:
        """The result of a run with the controls that belong to it."""
        runs = self._c.runs
        shown: Changes = {
            self._c.memory.opened: folder,
            runs.tools: gr.update(visible=True),
            runs.confirm_row: gr.update(visible=False),
        }
        try:
            name = self._desk.find(folder).info.name
            shown |= {runs.new_name: name, runs.cause: gr.update(choices=[], value=None, visible=False)}
            found = self._desk.finished(folder)
        except JinwenError as error:
            return shown | {runs.result: remark(told(error, language)), runs.failed: ""}
        choices = render_failures.causes(found.failures, language)
        kept = cause if cause in [value for _, value in choices] else ""
        return shown | {
            runs.result: render.result(found, language),
            runs.failed: render_failures.failed(found, kept, language),
            runs.cause: gr.update(choices=choices, value=kept, visible=bool(found.failures)),
        }

    def filter(self, folder: str, cause: str | None, wanted: str) -> str:
        """The failed questions of a run with one cause."""
        language = as_language(wanted)
        try:
            return render_failures.failed(self._desk.finished(folder), cause or "", language)
        except JinwenError as error:
            return remark(told(error, language))

    # ---- running

    def start(
        self, name: str | None, mode: Any, strictness: Any, top_k: float, called: str, judge: bool, wanted: str
    ) -> Changes:
        """Run a set with these choices."""
        language = as_language(wanted)
        if not name:
            return {self._c.runs.status: remark(text(language, "ev_no_sets"))}
        try:
            found = self._sets.read(name)
        except JinwenError as error:
            return {self._c.runs.status: remark(told(error, language))}
        if not found.questions:
            return {self._c.runs.status: remark(text(language, "ev_set_empty"))}
        started = self._desk.start(found, Choices(mode, strictness, int(top_k), bool(judge)), called or "")
        return self.clock(language, busy=not started)

    def resume(self, wanted: str) -> Changes:
        """Go on with the run that was interrupted."""
        language, left = as_language(wanted), self._desk.interrupted()
        if left is None:
            return self.clock(language, busy=True)
        try:
            return self.clock(language, busy=not self._desk.resume(left.folder.name))
        except JinwenError as error:
            return {self._c.runs.status: remark(told(error, language))}

    def clock(self, language: Language, busy: bool = False) -> Changes:
        """The controls as they are with or without a run under way."""
        runs, running = self._c.runs, self._desk.running
        shown: Changes = {
            runs.start: gr.update(visible=not running),
            runs.stop: gr.update(visible=running),
            self._c.memory.clock: gr.update(active=running),
        }
        if running and self._desk.job is not None:
            shown[runs.status] = _progress(self._desk.job, language)
            shown[runs.resume_row] = gr.update(visible=False)
        elif busy:
            shown[runs.status] = remark(text(language, "ev_busy"))
        return shown

    def tick(self, opened: str, wanted: str) -> Changes:
        """What the clock shows: how far the run is, at last its result."""
        language, job = as_language(wanted), self._desk.job
        if job is not None and job.state == "running":
            shown = self.clock(language)
            del shown[self._c.memory.clock]  # it is ticking
            return shown
        shown = self.clock(language)
        if job is None:
            return shown
        if job.state == "finished":
            shown |= self.open(job.folder, "", language) | {self._c.runs.name: ""}
            opened = job.folder
        known = job.error in STRINGS[language]
        error = text(language, job.error) if known else told(job.error, language)
        key = {"finished": "ev_finished", "stopped": "ev_stopped"}.get(job.state, "ev_failed")
        said = text(language, key, **({"error": error} if key == "ev_failed" else {"name": job.name}))
        if job.unjudged or job.judge_error:
            said += "\n" + "\n".join(_judge_lines(job, language))
        return shown | self.lists(opened, language) | {self._c.runs.status: remark(said)}

    def rename(self, folder: str, name: str, cause: str | None, wanted: str) -> Changes:
        """Give the run that is shown another name."""
        language = as_language(wanted)
        try:
            self._desk.rename(folder, name or "")
        except JinwenError as error:
            return {self._c.runs.status: remark(told(error, language))}
        return self.open(folder, cause or "", language) | self.lists(folder, language)

    def ask_to_delete(self, folder: str, wanted: str) -> Changes:
        """Ask before deleting."""
        try:
            name = self._desk.find(folder).info.name
        except JinwenError:
            name = folder
        return asks(self._c.runs.question, self._c.runs.confirm_row, name, as_language(wanted))

    def delete(self, folder: str, wanted: str) -> Changes:
        """Delete the run that is shown."""
        language = as_language(wanted)
        try:
            name = self._desk.find(folder).info.name
            self._desk.delete(folder)
        except JinwenError as error:
            return {self._c.runs.status: remark(told(error, language))}
        said: Changes = {self._c.runs.status: remark(text(language, "ev_deleted", name=name))}
        return self.nothing_open(language) | self.lists("", language) | said


def asks(question: gr.Markdown, row: gr.Column, name: str, language: Language) -> Changes:
    """Whether `name` is to be deleted."""
    line = f"<p>{escape(text(language, 'ev_delete_question', name=name))}</p>"
    return {question: line, row: gr.update(visible=True)}


def _judge_lines(job: Job, language: Language) -> list[str]:
    """What the judge left undone, and why."""
    lines = [text(language, "ev_judge_missing", count=job.unjudged)] if job.unjudged else []
    return [*lines, told(job.judge_error, language)] if job.judge_error else lines


def _progress(job: Job, language: Language) -> str:
    step = job.progress
    if job.judging is not None:
        done, total = job.judging
        return render_library.progress(text(language, "ev_judging", done=done, total=total), done, total)
    if step is None:
        return render_library.progress(text(language, "ev_starting"), 0, 0)
    key = "ev_progress" if step.done < step.total else "ev_finishing"
    values = {"done": step.done, "total": step.total, "correct": step.correct} if key == "ev_progress" else {}
    return render_library.progress(text(language, key, **values), step.done, step.total)
