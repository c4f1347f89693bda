"""What it takes to answer the questions of the sample library, and to start the command for one."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from eval.bench_child import in_child
from eval.bench_results import AnswerFigures
from eval.bench_scale import spread
from eval.question_set import read_question_set
from rag.config import PROJECT_DIR, EncoderSettings, Settings
from rag.errors import JinwenError

_STARTS = 5


class StartError(JinwenError):
    """`jinwen ask` did not answer."""


def measure_answers(index: Path, encoder: str, questions: Path, starts: int = _STARTS) -> AnswerFigures:
    """Answer every question over the index, in a child process, and start the whole command `starts` times."""
    first_question = read_question_set(questions).questions[0].text
    begun = [start_command(index, encoder, first_question) for _ in range(starts)]
    return in_child(time_answers, index, encoder, questions, begun)


def time_answers(index: Path, encoder: str, questions: Path, starts: list[float]) -> AnswerFigures:
    """Answer every question, after one that does not count: it loads the reader."""
    from rag.library import Library

    asked = read_question_set(questions).questions
    retrieve, answer, total = [], [], []
    with Library(index, Settings(encoder=EncoderSettings(name=encoder))) as library:
        for number, question in enumerate([asked[0], *asked]):
            started = time.perf_counter()
            given = library.assistant.ask(question.text, history=question.history, as_of=question.as_of)
            if number:
                total.append(time.perf_counter() - started)
                retrieve.append(given.timings.retrieve / 1000)
                answer.append(given.timings.answer / 1000)
    return AnswerFigures(
        questions=len(asked),
        retrieve=spread(retrieve),
        answer=spread(answer),
        total=spread(total),
        first_start_s=starts[0],
        start_s=statistics.median(starts),
    )


def start_command(index: Path, encoder: str, question: str) -> float:
    """Seconds that `jinwen ask QUESTION` takes as a process of its own.

    :raises StartError: it fails.
    """
    command = [sys.executable, "-m", "rag.cli", "ask", "--index", str(index), "--set", f"encoder.name={encoder}"]
    started = time.perf_counter()
    done = subprocess.run([*command, question], capture_output=True, text=True, cwd=PROJECT_DIR, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise StartError(f"jinwen ask failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else '?'}")
    return seconds
