"""A gate for automatic checks: does a run meet its floors, and is it no worse than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.bootstrap import paired_test
from eval.results import QuestionResult
from eval.summary import LOWER_IS_BETTER, MEASURES, Metrics, scores
from rag.errors import JinwenError

SIGNIFICANCE = 0.05
GUARDED = ("article R@5", "correct", "correct_cited", "citation_precision", "refusal", "false_refusal")
"""Measures that `no_worse_than` looks at."""


class GateError(JinwenError):
    """A floor of the gate cannot be read or does not apply."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A measure and the value that it must reach (must not exceed, where lower is better)."""

    measure: str
    value: float


def parse_floors(texts: Sequence[str]) -> list[Floor]:
    """Floors from `correct=.80` or `correct=.80,false_refusal=.1`.

    :raises GateError: an entry is not `MEASURE=NUMBER`, or names an unknown measure.
    """
    floors: list[Floor] = []
    for entry in (part.strip() for text in texts for part in text.split(",")):
        name, _, number = entry.rpartition("=")
        name = name.strip()
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not name or not 0 <= value <= 1:
            raise GateError(f"--fail-under {entry!r}: expected MEASURE=SHARE with a share from 0 to 1, as correct=.80")
        if name not in MEASURES:
            raise GateError(f"--fail-under {entry!r}: unknown measure {name!r}; expected one of {', '.join(MEASURES)}")
        floors.append(Floor(name, value))
    return floors


def below_floors(metrics: Metrics, floors: Sequence[Floor]) -> list[str]:
    """One line per floor that the run misses; a measure that the run does not have misses its floor."""
    lines: list[str] = []
    for floor in floors:
        interval = metrics.overall.get(floor.measure)
        if interval is None:
            lines.append(f"{floor.measure} does not apply to any question of this set; expected {floor.value:.3f}")
        elif floor.measure in LOWER_IS_BETTER and interval.mean > floor.value:
            lines.append(f"{floor.measure} is {interval.mean:.3f}, above the {floor.value:.3f} allowed")
        elif floor.measure not in LOWER_IS_BETTER and interval.mean < floor.value:
            lines.append(f"{floor.measure} is {interval.mean:.3f}, below the {floor.value:.3f} required")
    return lines


def worse_than(results: Sequence[QuestionResult], other: Sequence[QuestionResult], name: str) -> list[str]:
    """One line per guarded measure that fell significantly (p < 0.05) against the run `other`, called `name`.

    Compared on the questions that both runs hold.

    :raises GateError: they share no question.
    """
    mine, theirs = scores(results), scores(other)
    if not mine.keys() & theirs.keys():
        raise GateError(f"run {name!r} shares no question with this one; compare runs of the same question set")
    lines: list[str] = []
    for measure in GUARDED:
        shared = [q for q in mine if measure in mine[q] and measure in theirs.get(q, {})]
        if not shared:
            continue
        test = paired_test([theirs[q][measure] for q in shared], [mine[q][measure] for q in shared])
        fell = test.difference > 0 if measure in LOWER_IS_BETTER else test.difference < 0
        if fell and test.p_value < SIGNIFICANCE:
            lines.append(
                f"{measure} went from {test.first:.3f} ({name}) to {test.second:.3f} "
                f"on {test.count} shared questions (p = {test.p_value:.3f})"
            )
    return lines
