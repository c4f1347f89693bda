"""Results for the tools of others: TREC run and qrels files, ragas samples; and TREC files evaluated here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from eval.results import QuestionResult
from eval.retrieval import MEASURES
from rag.errors import QuestionSetError


def trec_run(results: Iterable[QuestionResult], tag: str) -> str:
    """The retrieved articles as a TREC run: `qid Q0 docid rank score tag`, an article at its best rank.

    The score falls by one with each rank, so that tools which sort by score keep the order.
    """
    lines: list[str] = []
    for result in results:
        ids = list(dict.fromkeys(hit.article_id for hit in result.retrieved))
        for rank, article_id in enumerate(ids, 1):
            lines.append(f"{_word(result.id)} Q0 {_word(article_id)} {rank} {len(ids) + 1 - rank} {_word(tag)}")
    return "".join(f"{line}\n" for line in lines)


def trec_qrels(results: Iterable[QuestionResult]) -> str:
    """The gold articles as TREC qrels: `qid 0 docid relevance`."""
    return "".join(
        f"{_word(result.id)} 0 {_word(article_id)} 1\n"
        for result in results
        for article_id in sorted({i for ids in result.gold_articles for i in ids})
    )


def ragas_lines(results: Iterable[QuestionResult]) -> str:
    """One JSON object a line with the field names of ragas' SingleTurnSample."""
    lines: list[str] = []
    for result in results:
        read = result.retrieved[: result.read]
        sample = {
            "user_input": result.question,
            "response": result.answer,
            "retrieved_contexts": [hit.text for hit in read],
            "retrieved_context_ids": [f"{hit.article_id}:{hit.start}-{hit.end}" for hit in read],
            "reference": " / ".join(result.gold_answers),
            "reference_contexts": list(result.evidence),
            "reference_context_ids": sorted({i for ids in result.gold_articles for i in ids}),
        }
        lines.append(json.dumps(sample, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def evaluate_trec(qrels_file: Path, run_file: Path, measures: Sequence[str] = MEASURES) -> dict[str, float]:
    """Mean of each measure over the queries of a qrels file, for a run file; a query without results counts 0.

    :raises QuestionSetError: a file cannot be read as TREC, or a measure is unknown.
    """
    import ir_measures

    try:
        qrels = list(ir_measures.read_trec_qrels(str(qrels_file)))  # type: ignore[no-untyped-call]
        run = list(ir_measures.read_trec_run(str(run_file)))  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise QuestionSetError(f"{qrels_file} or {run_file} is not a TREC file: {error}") from error
    try:
        wanted = [ir_measures.parse_measure(name) for name in measures]
    except (NameError, ValueError, SyntaxError) as error:
        raise QuestionSetError(f"unknown measure in {', '.join(measures)}: {error}") from error
    if not qrels:
        raise QuestionSetError(f"{qrels_file} holds no judgement; expected lines of `qid 0 docid relevance`")
    found = ir_measures.calc_aggregate(wanted, qrels, run)
    return {str(measure): float(found[measure]) for measure in wanted}


def _word(text: str) -> str:
    """`text` without white space, which separates the columns of TREC files."""
    return re.sub(r"\s", lambda match: f"%{ord(match.group()):02X}", text.replace("%", "%25")) or "-"
