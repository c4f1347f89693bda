"""Two runs side by side: how the measures differ, whether that is more than chance, which questions changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.bootstrap import PairedTest, holm_of_tests, paired_test
from eval.results import QuestionResult
from eval.runs import Run, RunError, model_differences, setting_differences
from eval.summary import LOWER_IS_BETTER, MEASURES, scores


class Change(StrEnum):
    """What became of a question from the first run to the second."""

    BETTER = "better"
    """Wrong before, right now."""
    WORSE = "worse"
    CHANGED = "changed"
    """Another answer, the same verdict."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class MeasureDifference:
    """One measure in both runs, over the questions that both hold and that it applies to in both."""

    measure: str
    test: PairedTest
    corrected_p: float
    """The p value after Holm's correction over the measures compared; see `holm_of_tests`."""

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance at 5 %, after correction."""
        return self.corrected_p < 0.05

    @property
    def improved(self) -> bool | None:
        """Whether the second run is better; None when the means are equal."""
        if not self.test.difference:
            return None
        return (self.test.difference < 0) == (self.measure in LOWER_IS_BETTER)


@dataclass(frozen=True, slots=True)
class QuestionPair:
    """One question in both runs."""

    first: QuestionResult
    second: QuestionResult
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is known of the difference of two runs."""

    first: Run
    second: Run
    settings: tuple[str, ...]
    """What was different about the runs, as `section.key old → new`."""
    measures: tuple[MeasureDifference, ...]
    pairs: tuple[QuestionPair, ...]
    """Shared questions, in the order of the first run."""
    only_first: tuple[str, ...]
    """Ids of questions that the second run does not hold."""
    only_second: tuple[str, ...]

    def changed(self, change: Change) -> list[QuestionPair]:
        """The questions with this change."""
        return [pair for pair in self.pairs if pair.change is change]


def compare(first: Run, second: Run) -> Comparison:
    """Compare two runs on the questions they share (same id and text).

    :raises RunError: they share none.
    """
    before = {(r.id, r.question): r for r in first.results()}
    after = {(r.id, r.question): r for r in second.results()}
    shared = [key for key in before if key in after]
    if not shared:
        raise RunError(
            f"runs {first.info.name!r} and {second.info.name!r} share no question; compare runs of one question set"
        )
    pairs = tuple(QuestionPair(before[key], after[key], change_of(before[key], after[key])) for key in shared)
    return Comparison(
        first=first,
        second=second,
        settings=tuple(_circumstances(first, second)),
        measures=tuple(_measures([pair.first for pair in pairs], [pair.second for pair in pairs])),
        pairs=pairs,
        only_first=tuple(question_id for question_id, text in before if (question_id, text) not in after),
        only_second=tuple(question_id for question_id, text in after if (question_id, text) not in before),
    )


def change_of(first: QuestionResult, second: QuestionResult) -> Change:
    """What became of one question."""
    if first.correct != second.correct and None not in (first.correct, second.correct):
        return Change.BETTER if second.correct else Change.WORSE
    return Change.SAME if first.answer == second.answer else Change.CHANGED


def _measures(first: Sequence[QuestionResult], second: Sequence[QuestionResult]) -> list[MeasureDifference]:
    before, after = scores(first), scores(second)
    tests: list[tuple[str, PairedTest]] = []
    for measure in MEASURES:
        both = [q for q in before if measure in before[q] and measure in after[q]]
        if both:
            tests.append((measure, paired_test([before[q][measure] for q in both], [after[q][measure] for q in both])))
    corrected = holm_of_tests([test for _, test in tests])
    return [MeasureDifference(name, test, p) for (name, test), p in zip(tests, corrected, strict=True)]


def _circumstances(first: Run, second: Run) -> list[str]:
    a, b = first.info, second.info
    found = setting_differences(a, b) + model_differences(a, b)
    if a.question_set_fingerprint != b.question_set_fingerprint:
        found.append(f"question set {a.question_set} → {b.question_set}")
    if a.index_fingerprint != b.index_fingerprint:
        found.append(f"index {a.index_fingerprint[:12]} ({a.articles} articles) → "
                     f"{b.index_fingerprint[:12]} ({b.articles} articles)")  # fmt: skip
    if a.encoder_fingerprint != b.encoder_fingerprint:
        found.append(f"encoder {a.encoder} {a.encoder_fingerprint[:8]} → {b.encoder} {b.encoder_fingerprint[:8]}")
    models_a = sorted({r.model for r in first.results() if r.model})
    models_b = sorted({r.model for r in second.results() if r.model})
    if models_a != models_b:
        found.append(f"answers by {', '.join(models_a) or '-'} → {', '.join(models_b) or '-'}")
    judges_a = sorted({r.verdict.judge for r in first.results() if r.verdict})
    judges_b = sorted({r.verdict.judge for r in second.results() if r.verdict})
    if judges_a != judges_b:
        found.append(f"judged by {', '.join(judges_a) or '-'} → {', '.join(judges_b) or '-'}")
    return found + [
        f"{name} {a.versions.get(name, '-')} → {b.versions.get(name, '-')}"
        for name in sorted({*a.versions, *b.versions})
        if a.versions.get(name) != b.versions.get(name)
    ]
