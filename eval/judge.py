"""The optional judge: an OpenAI-compatible model that the user names reads the answers of a finished run.

It is asked after the run is complete, one answer at a time, and each verdict is written at once. So whatever the
server does, the run and its computed figures stay, and judging can go on later where it stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from eval.report import write_reports
from eval.results import QuestionResult, Verdict
from eval.runs import Run
from eval.summary import summarise
from eval.verdicts import needs_judge, read_verdict, with_verdict
from prompts import read_prompt
from rag.answering.generator import Generator, LengthLimitReached, Message
from rag.answering.model_text import visible_text
from rag.answering.prompting import neutralise
from rag.config import AnswerSettings, JudgeSettings
from rag.errors import ModelError, SettingsError

PROMPT_VERSION = 1
_MOST_FAILURES = 3
"""Failures of the server in a row after which it is not asked again."""
_NOTHING_QUOTED = {"zh": "（无）", "en": "(none)"}


@dataclass(frozen=True, slots=True)
class Judging:
    """What came of judging a run."""

    judged: int
    """Answers with a verdict now."""
    wanted: int
    """Answers that should have one."""
    unreadable: int
    """Replies that began with no verdict."""
    error: str = ""
    """Why answers are left without one; empty when the server answered every time."""

    def lines(self) -> list[str]:
        """What is missing, for people; empty when every answer has its verdict."""
        missing = self.wanted - self.judged
        if not missing:
            return []
        lines = [f"judge: {missing} of {self.wanted} answers have no verdict; the run is complete without them"]
        if self.error:
            lines.append(f"judge: {self.error}")
        if self.unreadable:
            lines.append(f"judge: {self.unreadable} replies do not begin with correct, incorrect or unsupported")
        return lines


class Judge:
    """Asks a model about one answer at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    @property
    def name(self) -> str:
        """The model and the version of what it is told; verdicts of another name are not mixed with these."""
        return f"{self._generator.name} (judge.v{PROMPT_VERSION})"

    def verdict(self, result: QuestionResult, stop: threading.Event) -> Verdict | None:
        """The verdict on an answer; None when the reply holds none.

        :raises ModelError: the server does not answer.
        """
        reply: list[str] = []
        try:
            for piece in self._generator.generate([Message("user", judge_prompt(result))], stop):
                reply.append(piece)
        except LengthLimitReached:
            pass  # the verdict comes first; a long reason may be cut
        return read_verdict(visible_text("".join(reply), finished=True), self.name)


def judge_prompt(result: QuestionResult) -> str:
    """What the model is told; nothing in an article or an answer can end its block."""
    language = "en" if result.lang == "en" else "zh"
    quotes = "\n".join(f"{c.marker}. {neutralise(c.quote)}" for c in result.citations)
    return read_prompt("judge", PROMPT_VERSION, language).render(
        question=_line(result.question),
        reference=" / ".join(_line(answer) for answer in result.gold_answers),
        answer=neutralise(result.answer),
        quotes=quotes or _NOTHING_QUOTED[language],
    )


def load_judge(settings: JudgeSettings) -> Judge:
    """The judge that `settings` name; its server is first called when it is asked.

    :raises SettingsError: none is named.
    """
    from rag.answering.server_model import ServerGenerator

    if not settings.model:
        raise SettingsError(
            "no judge is named; give the server's name for the model, such as --set judge.model=qwen3 "
            f"--set judge.base_url={settings.base_url}"
        )
    asked = AnswerSettings(
        mode="generative", backend="openai", model=settings.model, base_url=settings.base_url,
        max_new_tokens=settings.max_new_tokens, timeout_s=settings.timeout_s,
    )  # fmt: skip
    return Judge(ServerGenerator(asked, section="judge"))


def judge_run(
    run: Run,
    judge: Judge,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Judging:
    """Give every answer of a finished run a verdict of `judge`, and write figures and reports anew.

    Verdicts that this judge has given already are kept; those of another are replaced.

    :raises RunError: the run is not finished.
    """
    run.metrics()
    halt = stop or threading.Event()
    found = run.results()
    kept = {r.id for r in found if r.verdict is not None and r.verdict.judge == judge.name}
    results = {r.id: r if r.id in kept else with_verdict(r, None) for r in found}
    wanted = [r for r in found if needs_judge(r)]
    missing = [r for r in wanted if r.id not in kept]
    unreadable = in_a_row = 0
    error = ""
    try:
        for done, result in enumerate(missing, len(wanted) - len(missing) + 1):
            if halt.is_set() or in_a_row >= _MOST_FAILURES:
                break
            try:
                verdict = judge.verdict(result, halt)
                in_a_row = 0
            except ModelError as failure:
                error, in_a_row = error or str(failure), in_a_row + 1
                continue
            if halt.is_set():
                break  # what came may be half a reply
            if verdict is None:
                unreadable += 1
                continue
            results[result.id] = with_verdict(result, verdict)
            run.append(results[result.id])
            if progress is not None:
                progress(done, len(wanted))
    finally:
        _rewrite(run, list(results.values()))
    judged = sum(r.verdict is not None for r in results.values())
    return Judging(judged, len(wanted), unreadable, error)


def _rewrite(run: Run, results: list[QuestionResult]) -> None:
    run.rewrite(results)
    metrics = summarise(results)
    write_reports(run, results, metrics)
    run.finish(metrics)


def _line(text: str) -> str:
    return " ".join(neutralise(text).split())
