"""An answer and the hits of a question + its gold -> a judged QuestionResult."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval import measures
from eval.gold import Gold, passage_holds
from eval.matching import SHARED_RUN, fold
from eval.question import Question
from eval.results import Cited, QuestionResult, Retrieved, cited_sentences, retrieved_of
from rag.types import Answer, Article, Citation, Hit


def judge(
    question: Question, gold: Gold, answer: Answer, hits: Sequence[Hit], read: int, articles: Mapping[str, Article]
) -> QuestionResult:
    """The judged result of one question.

    :param hits: what retrieval found, best first; the answerer was given the first `read` of them.
    :param articles: all articles of the library by id, to check that quotes are verbatim.
    """
    cited = tuple(_cited(citation, question, gold, articles) for citation in answer.citations)
    return QuestionResult(
        id=question.id,
        type=question.type,
        lang=question.lang,
        question=question.text,
        answerable=question.answerable,
        gold_answers=tuple(form for forms in question.entries for form in forms),
        evidence=question.evidence,
        evidence_groups=gold.groups,
        gold_articles=tuple(tuple(sorted(ids)) for ids in gold.articles),
        missing_evidence=sum(not places for places in gold.evidence),
        searched=answer.searched,
        retrieved=tuple(_retrieved(hit, question, gold) for hit in hits),
        read=read,
        answer=answer.answer,
        refused=answer.refused,
        confidence=answer.confidence,
        mode=answer.mode,
        model=answer.model,
        citations=cited,
        values=_values(question, answer, cited),
        timings_ms={"retrieve": round(answer.timings.retrieve, 2), "answer": round(answer.timings.answer, 2)},
        notices=answer.notices,
    )


def _retrieved(hit: Hit, question: Question, gold: Gold) -> Retrieved:
    """What a hit found: evidence where it stands or word for word elsewhere, articles by id or by such a copy."""
    evidence: list[int] = []
    copied: set[str] = set()
    for number, (quote, places) in enumerate(zip(question.evidence, gold.evidence, strict=True)):
        at_its_place = any(passage_holds(hit.passage, place) for place in places)
        copy = not at_its_place and len(fold(quote)) >= SHARED_RUN and fold(quote) in fold(hit.passage.text)
        if at_its_place or copy:
            evidence.append(number)
        if copy:  # the same story printed a second time is as good as the gold one
            copied |= {place.article_id for place in places}
    found = {hit.passage.article_id, *copied}
    return retrieved_of(hit, tuple(i for i, ids in enumerate(gold.articles) if ids & found), tuple(evidence))


def _cited(citation: Citation, question: Question, gold: Gold, articles: Mapping[str, Article]) -> Cited:
    article = articles.get(citation.article_id)
    return Cited(
        marker=citation.marker,
        article_id=citation.article_id,
        title=citation.title,
        quote=citation.quote,
        right=measures.is_right_citation(citation.quote, citation.article_id, question, gold.identified),
        verbatim=article is not None and article.text[citation.start : citation.end] == citation.quote,
    )


def _values(question: Question, answer: Answer, cited: Sequence[Cited]) -> dict[str, float]:
    """Every measure that applies; see `eval.summary.MEASURES` for what each one means."""
    if not question.answerable:
        return {"refusal": float(answer.refused)}
    values = {"false_refusal": float(answer.refused)}
    text = "" if answer.refused else answer.answer
    rightly_cited = [citation.right for citation in cited]
    if question.answers or question.aliases:
        is_correct = measures.correct(question, text)
        values["correct"] = float(is_correct)
        values["exact_match"] = measures.exact_match(question, text)
        values["f1"] = measures.answer_f1(question, text)
        values["correct_cited"] = float(is_correct and any(rightly_cited))
    if question.wrong_answers:
        right, wrong = measures.holds_gold(question, text), measures.holds_wrong(question, text)
        values["follows_wrong"] = float(wrong and not right)
        values["conflict_shown"] = float(wrong and right)
    if not answer.refused:
        sentences = cited_sentences(answer)
        if question.evidence or question.articles:
            values["citation_precision"] = measures.citation_precision(rightly_cited)
        if question.evidence:
            values["citation_recall"] = measures.citation_recall([c.quote for c in cited], question.evidence)
        values["sentence_recall"] = measures.sentence_recall(sentences)
        values["sentence_precision"] = measures.sentence_precision(sentences)
        values["verbatim"] = sum(c.verbatim for c in cited) / len(cited) if cited else 0.0
    return values
