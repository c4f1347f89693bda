"""A comparison as text for the terminal, as JSON, and as Markdown."""

from __future__ import annotations

import dataclasses

from eval.compare import Change, Comparison, MeasureDifference, QuestionPair

_LISTED = 12


def comparison_text(comparison: Comparison) -> str:
    """One screen: what was different, what it did, which questions turned."""
    a, b = comparison.first.info, comparison.second.info
    lines = [f"A {a.name} ({a.created})", f"B {b.name} ({b.created})"]
    lines.append("different: " + ("; ".join(comparison.settings) or "nothing that was recorded"))
    lines += ["", *_table(comparison)]
    for change in (Change.BETTER, Change.WORSE):
        pairs = comparison.changed(change)
        lines += ["", f"{len(pairs)} {change}:"]
        lines += [line for pair in pairs[:_LISTED] for line in _pair_lines(pair)]
        if len(pairs) > _LISTED:
            lines.append(f"  … and {len(pairs) - _LISTED} more (--json shows all)")
    changed, same = len(comparison.changed(Change.CHANGED)), len(comparison.changed(Change.SAME))
    lines += ["", f"{changed} answered differently with the same verdict, {same} the same."]
    for label, ids in (("A", comparison.only_first), ("B", comparison.only_second)):
        if ids:
            lines.append(f"{len(ids)} questions only in {label}: {', '.join(ids[:_LISTED])}")
    return "\n".join(lines)


def comparison_json(comparison: Comparison) -> dict[str, object]:
    """The comparison as plain values."""
    return {
        "first": comparison.first.info.name,
        "second": comparison.second.info.name,
        "different": list(comparison.settings),
        "measures": {
            m.measure: {**dataclasses.asdict(m.test), "corrected_p": m.corrected_p, "significant": m.significant}
            for m in comparison.measures
        },
        "questions": [
            {
                "id": pair.first.id,
                "question": pair.first.question,
                "change": pair.change.value,
                "first": {"correct": pair.first.correct, "answer": pair.first.answer},
                "second": {"correct": pair.second.correct, "answer": pair.second.answer},
            }
            for pair in comparison.pairs
        ],
        "only_first": list(comparison.only_first),
        "only_second": list(comparison.only_second),
    }


def verdict(difference: MeasureDifference) -> str:
    """What a difference means, in a few words."""
    if difference.improved is None:
        return "equal"
    word = "better" if difference.improved else "worse"
    return f"{word}, significant" if difference.significant else f"{word}, may be chance"


def _table(comparison: Comparison) -> list[str]:
    lines = [f"{'measure':<20}{'n':>5}{'A':>8}{'B':>8}{'B-A':>8}  {'95 % interval':<18}{'p':>6}"]
    equal = [m.measure for m in comparison.measures if m.test.low == m.test.high == 0]
    for m in comparison.measures:
        if m.measure in equal:
            continue
        t = m.test
        interval = f"{t.low:+.3f} to {t.high:+.3f}"
        lines.append(
            f"{m.measure:<20}{t.count:>5}{t.first:>8.3f}{t.second:>8.3f}{t.difference:>+8.3f}  {interval:<18}"
            f"{m.corrected_p:>6.3f}  {verdict(m)}"
        )
    if equal:
        lines.append(f"equal on every question: {', '.join(equal)}")
    lines.append("p: sign-flip permutation test, corrected for the measures that could be significant (Holm)")
    return lines


def _pair_lines(pair: QuestionPair) -> list[str]:
    return [
        f"  {pair.first.id} {_flat(pair.first.question, 90)}",
        f"      A: {_flat(pair.first.error or pair.first.answer, 100)}",
        f"      B: {_flat(pair.second.error or pair.second.answer, 100)}",
    ]


def _flat(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
