"""Why a question failed: a guess from what was found, read and cited."""

from __future__ import annotations

from enum import StrEnum

from eval.results import QuestionResult


class Cause(StrEnum):
    """Where a question was lost, in the order of the steps."""

    ERROR = "error"
    NOT_INGESTED = "not ingested"
    NOT_RETRIEVED = "not retrieved"
    NOT_READ = "retrieved but not read"
    REFUSED = "read but refused"
    WRONG_SENTENCE = "wrong sentence"
    TOO_LONG = "too long"
    ANSWERED_UNANSWERABLE = "answered, though unanswerable"
    NOT_CITED = "correct but not cited"


MEANING = {
    Cause.ERROR: "the assistant raised an error",
    Cause.NOT_INGESTED: "the library holds neither the gold article nor the evidence",
    Cause.NOT_RETRIEVED: "no passage with the evidence was among those handed to the answerer",
    Cause.NOT_READ: "a passage with the evidence was handed over, but the answer cites other passages",
    Cause.REFUSED: "a passage with the evidence was handed over, but the answerer refused",
    Cause.WRONG_SENTENCE: "the answer cites the right passage but does not hold what was asked",
    Cause.TOO_LONG: "the answer holds what was asked, but is over the length limit",
    Cause.ANSWERED_UNANSWERABLE: "the articles hold no answer, but one was given",
    Cause.NOT_CITED: "the answer is right, but none of its citations is",
}


def failed(result: QuestionResult) -> bool:
    """Whether a question belongs among the failed ones: not correct, or correct without a right citation."""
    return result.correct is False or result.values.get("correct_cited") == 0.0


def guess_cause(result: QuestionResult, *, holds_gold: bool) -> Cause:
    """The step that most likely lost a failed question.

    :param holds_gold: whether the answer holds what was asked, whatever its length.
    """
    if result.error:
        return Cause.ERROR
    if not result.answerable:
        return Cause.ANSWERED_UNANSWERABLE
    if result.correct:
        return Cause.NOT_CITED
    if not result.refused and holds_gold:
        return Cause.TOO_LONG
    if _nowhere(result):
        return Cause.NOT_INGESTED
    if not _handed_over(result):
        return Cause.NOT_RETRIEVED
    if result.refused:
        return Cause.REFUSED
    return Cause.WRONG_SENTENCE if _cites_found_passage(result) else Cause.NOT_READ


def _nowhere(result: QuestionResult) -> bool:
    no_evidence = result.missing_evidence == len(result.evidence)
    no_article = result.missing_articles == result.needed_articles
    return no_evidence and no_article


def _handed_over(result: QuestionResult) -> bool:
    """Whether everything (of an `all` question) or anything was among the hits that the answerer read.

    Judged by evidence where the library holds it, else by gold article.
    """
    hits = result.retrieved[: result.read]
    by_evidence = result.missing_evidence < len(result.evidence)
    return any(hit.evidence if by_evidence else hit.articles for hit in hits)


def _cites_found_passage(result: QuestionResult) -> bool:
    found = [hit for hit in result.retrieved if hit.evidence or hit.articles]
    return any(
        c.right or any(h.article_id == c.article_id and c.quote in h.text for h in found) for c in result.citations
    )
