"""A finished run -> what people read: a terminal table, `report.html`, `report.md`, `results.csv`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eval import measures
from eval.bootstrap import Interval
from eval.causes import Cause, failed, guess_cause
from eval.results import QuestionResult
from eval.runs import Run, replace_file
from eval.summary import MEASURES, Group, Metrics, scores
from eval.verdicts import Judged, tally

COLUMNS = (
    ("article R@1", "art R@1"),
    ("article R@5", "R@5"),
    ("article RR", "RR"),
    ("evidence R@1", "ev R@1"),
    ("evidence R@5", "R@5"),
    ("evidence RR", "RR"),
    ("correct", "correct"),
    ("correct_cited", "+cited"),
    ("f1", "F1"),
    ("citation_precision", "cit P"),
    ("citation_recall", "cit R"),
    ("refusal", "refused"),
    ("false_refusal", "false ref"),
    ("follows_wrong", "wrong fact"),
    ("conflict_shown", "conflict"),
    ("judged_correct", "judged"),
)
"""Measures of the overview table with their short heads; one that applies to no question is left out."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that went wrong, with the guess where."""

    result: QuestionResult
    cause: Cause


def failures(run: Run, results: Sequence[QuestionResult]) -> list[Failure]:
    """The failed questions of a run, in order."""
    questions = {question.id: question for question in run.questions().questions}
    return [
        Failure(r, guess_cause(r, holds_gold=measures.holds_gold(questions[r.id], r.answer)))
        for r in results
        if failed(r)
    ]


def write_reports(run: Run, results: Sequence[QuestionResult], metrics: Metrics) -> None:
    """Write every report of a run into its folder."""
    from eval.report_html import page

    lost = failures(run, results)
    replace_file(run.folder / "report.html", page(run, results, metrics, lost))
    replace_file(run.folder / "report.md", markdown(run, results, metrics, lost))
    replace_file(run.folder / "results.csv", csv_text(results, lost))


def table(metrics: Metrics) -> str:
    """The overview as lines of plain text: one per group, a column per measure, `-` where none applies."""
    shown = _columns(metrics)
    rows = [["", "n", *shown.values()]]
    for group in metrics.groups:
        rows.append([group_name(group), str(group.questions), *_cells(group, shown)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(_pad(cell, width, i) for i, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def closing_lines(metrics: Metrics, lost: Sequence[Failure], results: Sequence[QuestionResult]) -> list[str]:
    """What stands under the table: intervals, causes, time."""
    lines = [
        f"{name}: {show(metrics.overall[name])} (95 % {metrics.overall[name].low:.3f}-{metrics.overall[name].high:.3f})"
        for name in ("correct", "correct_cited")
        if name in metrics.overall
    ]
    if lost:
        counts = Counter(failure.cause for failure in lost)
        lines.append("failed: " + ", ".join(f"{counts[cause]} {cause}" for cause in Cause if counts[cause]))
    steps = [f"{step} {t.mean:.1f} (95 % under {t.p95:.1f})" for step, t in metrics.latency_ms.items()]
    if steps:
        lines.append("milliseconds a question: " + ", ".join(steps))
    judged = tally(results)
    if judged:
        lines.append(judge_line(judged))
    if metrics.errors:
        lines.append(f"{metrics.errors} questions brought an error; see the report")
    return lines


def judge_line(judged: Judged) -> str:
    """The verdicts of a judge in one line."""
    counts = ", ".join(f"{count} {label}" for label, count in judged.counts.items())
    line = f"judge {', '.join(judged.judges)}: {counts}; agrees with the computed verdict on "
    line += f"{judged.agreeing} of {judged.compared} answers"
    return line + (f"; {judged.unjudged} answers have no verdict" if judged.unjudged else "")


def markdown(run: Run, results: Sequence[QuestionResult], metrics: Metrics, lost: Sequence[Failure]) -> str:
    """The report as Markdown: figures, then the failed questions."""
    info = run.info
    shown = _columns(metrics)
    lines = [
        f"# {_md(info.name)}",
        "",
        f"Question set {_md(info.question_set)} ({info.questions} questions) over {info.articles} articles, "
        f"{info.created}; encoder {_md(info.encoder)}, index {info.index_fingerprint[:12]}, "
        f"answers {info.settings.get('answer', {}).get('mode', '')}.",
        "",
        "| | n | " + " | ".join(shown.values()) + " |",
        "| --- | ---: |" + " ---: |" * len(shown),
    ]
    for group in metrics.groups:
        lines.append(f"| {_md(group_name(group))} | {group.questions} | " + " | ".join(_cells(group, shown)) + " |")
    lines += ["", *(f"- {_md(line)}" for line in closing_lines(metrics, lost, results)), "", "## Failed questions", ""]
    lines += ["| id | question | cause | gold | answer |", "| --- | --- | --- | --- | --- |"]
    for failure in lost:
        r = failure.result
        cells = (r.id, r.question, failure.cause, " / ".join(r.gold_answers), r.error or r.answer)
        lines.append("| " + " | ".join(_md(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def csv_text(results: Sequence[QuestionResult], lost: Sequence[Failure]) -> str:
    """One row per question: what was asked and answered, every measure, the cause of a failure.

    Begins with a byte order mark, without which Excel takes Chinese for something else.
    """
    causes = {failure.result.id: failure.cause for failure in lost}
    values = scores(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    head = ["id", "type", "lang", "question", "gold", "answer", "refused", "confidence", "cause", "error"]
    head += ["verdict", "verdict_reason"]
    writer.writerow([*head, *MEASURES, "retrieve_ms", "answer_ms", "total_ms"])
    for r in results:
        texts = [r.id, r.type, r.lang, r.question, " / ".join(r.gold_answers), r.answer]
        row = [*map(_cell_text, texts), str(r.refused).lower(), f"{r.confidence:.4f}", causes.get(r.id, ""), r.error]
        row += [r.verdict.label, _cell_text(r.verdict.reason)] if r.verdict else ["", ""]
        row += [f"{values[r.id][name]:.4f}" if name in values[r.id] else "" for name in MEASURES]
        row += [str(r.timings_ms.get(step, "")) for step in ("retrieve", "answer", "total")]
        writer.writerow(row)
    return "\ufeff" + out.getvalue()


def show(interval: Interval | None) -> str:
    """A mean as tables show it."""
    return "-" if interval is None else f"{interval.mean:.3f}"


def group_name(group: Group) -> str:
    """The label of a row."""
    return f"lang {group.name}" if group.kind == "lang" else group.name


def _columns(metrics: Metrics) -> dict[str, str]:
    """Measure -> head of the columns that some question has a value for."""
    present = {name for group in metrics.groups for name in group.measures}
    return {name: head for name, head in COLUMNS if name in present}


def _cells(group: Group, shown: Iterable[str]) -> list[str]:
    return [show(group.measures.get(name)) for name in shown]


def _pad(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def _md(text: str) -> str:
    """`text` as one Markdown table cell that shows what it says."""
    flat = " ".join(text.split())
    for character in "\\`*_[]<>|":
        flat = flat.replace(character, "\\" + character)
    return flat


def _cell_text(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
