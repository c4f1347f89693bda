"""What a judge model says of an answer, beside the computed measures and never instead of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from eval.results import QuestionResult, Verdict

_WORDS = {
    "correct": "correct", "正确": "correct",
    "incorrect": "incorrect", "错误": "incorrect", "不正确": "incorrect",
    "unsupported": "unsupported", "无依据": "unsupported", "没有依据": "unsupported", "不支持": "unsupported",
}  # fmt: skip
_VERDICT = re.compile(
    rf"^\W*(?:(?:verdict|judge?ment|评判|判定|结论)\W*)?(?P<word>{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
    r"(?![a-z])[\s*_.:：,，。;；-]*(?P<rest>.*)",
    re.IGNORECASE | re.MULTILINE,
)
_MOST_REASON = 300


class Label(StrEnum):
    """What an answer is."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNSUPPORTED = "unsupported"
    """The quotes do not say what the answer says."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of a run in figures."""

    judges: tuple[str, ...]
    counts: dict[Label, int]
    agreeing: int
    """Answers that the judge and the computed `correct` see alike, of those that both judged."""
    compared: int
    unjudged: int
    """Answers without a verdict."""


def read_verdict(reply: str, judge: str) -> Verdict | None:
    """The verdict in a model's reply; None when no line begins with one.

    >>> read_verdict("Verdict: **incorrect**. Another year.", "m")
    Verdict(label='incorrect', reason='Another year.', judge='m')
    >>> read_verdict("I am not sure that it is correct.", "m")
    """
    match = _VERDICT.search(reply)
    if match is None:
        return None
    reason = " ".join(f"{match['rest']} {reply[match.end() :]}".split())
    shown = reason if len(reason) <= _MOST_REASON else reason[: _MOST_REASON - 1] + "…"
    return Verdict(Label(_WORDS[match["word"].lower()]).value, shown, judge)


def needs_judge(result: QuestionResult) -> bool:
    """Whether there is an answer to judge and a gold answer to judge it by.

    A refusal needs no judge: the set says whether the question has an answer.
    """
    return result.answerable and bool(result.gold_answers) and not result.refused and not result.error


def with_verdict(result: QuestionResult, verdict: Verdict | None) -> QuestionResult:
    """`result` with a verdict and the measures that follow from it.

    `judged_correct` is 0 for an answerable question that was refused; without a verdict an answer has neither.
    """
    values = {name: value for name, value in result.values.items() if name not in JUDGED}
    if result.answerable and result.gold_answers and (result.refused or result.error):
        values["judged_correct"] = 0.0
    elif verdict is not None:
        values["judged_correct"] = float(verdict.label == Label.CORRECT)
        values["judged_unsupported"] = float(verdict.label == Label.UNSUPPORTED)
    return replace(result, verdict=verdict, values=values)


JUDGED = ("judged_correct", "judged_unsupported")
"""Measures that only a judge gives."""


def tally(results: Sequence[QuestionResult]) -> Judged | None:
    """The verdicts in figures; None when there is none."""
    given = [(r, r.verdict) for r in results if r.verdict is not None]
    if not given:
        return None
    both = [(r.correct, verdict.label == Label.CORRECT) for r, verdict in given if r.correct is not None]
    return Judged(
        judges=tuple(sorted({verdict.judge for _, verdict in given})),
        counts={label: sum(verdict.label == label for _, verdict in given) for label in Label},
        agreeing=sum(computed == judged for computed, judged in both),
        compared=len(both),
        unjudged=sum(needs_judge(r) and r.verdict is None for r in results),
    )
