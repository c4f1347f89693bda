"""An explanation as text for the terminal and as JSON."""

from __future__ import annotations

from eval.explain import Explanation
from eval.tracing import Leg, Trace

_SHOWN_CHARS = 90


def explanation_text(explanation: Explanation) -> str:
    """The steps in order, the one where the text was lost, and what brings it back."""
    e = explanation
    lines = [f"{e.step}: {e.reason}", ""]
    if e.article is not None and e.traces:
        how = "holds it" if e.verbatim else f"the sentence most like it: “{_flat(e.expected)}”"
        origin = " ".join(filter(None, [e.article.source, e.article.date.isoformat() if e.article.date else ""]))
        lines.append(f"article   {e.article.display_title} [{e.article.id}] {origin} — {how}")
    if e.searched != e.question:
        lines.append(f"searched  {e.searched}")
    lines += [line for trace in e.traces for line in _trace_lines(trace, e)]
    if e.shared_words:
        lines.append(f"shared    {' '.join(e.shared_words)}")
    if e.missing_words:
        lines.append(f"missing   {' '.join(e.missing_words)}")
    lines.append(f"answer    {_flat(e.answer.answer)} (sure to {e.answer.confidence:.2f})")
    if e.remedies:
        lines += ["", "What brings it back (tried on this question):", *(f"  {remedy}" for remedy in e.remedies)]
    return "\n".join(lines)


def explanation_json(explanation: Explanation) -> dict[str, object]:
    """The explanation as plain values."""
    e = explanation
    return {
        "question": e.question,
        "searched": e.searched,
        "expected": e.expected,
        "verbatim": e.verbatim,
        "article_id": e.article.id if e.article else None,
        "title": e.article.display_title if e.article else None,
        "step": e.step.value,
        "reason": e.reason,
        "remedies": list(e.remedies),
        "shared_words": list(e.shared_words),
        "missing_words": list(e.missing_words),
        "depth": e.depth,
        "top_k": e.top_k,
        "passages": [
            {
                "start": t.passage.start,
                "end": t.passage.end,
                "text": t.passage.text,
                "dense_rank": t.dense.rank,
                "dense_score": t.dense.score,
                "lexical_rank": t.lexical.rank,
                "lexical_score": t.lexical.score,
                "fused_rank": t.fused_rank,
                "fused_score": t.fused_score,
                "final_rank": t.final_rank,
            }
            for t in e.traces
        ],
        "answer": e.answer.answer,
        "refused": e.answer.refused,
        "confidence": e.answer.confidence,
    }


def _trace_lines(trace: Trace, e: Explanation) -> list[str]:
    p = trace.passage
    return [
        f"passage   {p.start}-{p.end} “{_flat(p.text)}”",
        f"          dense {_leg(trace.dense, e.depth)}; lexical {_leg(trace.lexical, e.depth)}; "
        f"fused {trace.fused_rank or '-'}; in the list {trace.final_rank or '-'} (read: the first {e.top_k})",
    ]


def _leg(leg: Leg, depth: int) -> str:
    if leg.rank is None or leg.score is None:
        return "not found"
    return f"rank {leg.rank}{' (beyond the depth)' if leg.rank > depth else ''}, score {leg.score:.3f}"


def _flat(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_CHARS else flat[: _SHOWN_CHARS - 1] + "…"
