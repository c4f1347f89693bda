"""Saying no: the one refusal text per language, shared by the code, the prompts and the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rag.answering.quoting import origin
from rag.types import Answer, Hit, NearArticle, Question, Turn

REFUSAL: Final[dict[str, str]] = {
    "zh": "在已收录的文章中没有找到这个问题的答案。",
    "en": "The articles do not hold an answer to this question.",
}

MOST_NEAR_ARTICLES: Final = 3


def turn_of(role: str, text: str) -> Turn:
    """A turn of which only the text is known, as files of conversations hold it."""
    return Turn(role, text, refused=role == "assistant" and text.strip() in REFUSAL.values())


def refuse(question: Question, hits: Sequence[Hit], *, mode: str, model: str = "") -> Answer:
    """A refusal in the question's language, offering the nearest articles; it has no citations."""
    return Answer(
        question=question.text,
        answer=REFUSAL[question.language],
        refused=True,
        mode=mode,
        language=question.language,
        nearest=nearest_articles(hits),
        model=model,
    )


def nearest_articles(hits: Sequence[Hit], limit: int = MOST_NEAR_ARTICLES) -> tuple[NearArticle, ...]:
    """The first `limit` distinct articles of `hits`, in order, each with its best passage."""
    near: dict[str, NearArticle] = {}
    for hit in hits:
        article, passage = hit.article, hit.passage
        if article.id in near:
            continue
        if len(near) == limit:
            break
        near[article.id] = NearArticle(*origin(article), passage.text, passage.start, passage.end)
    return tuple(near.values())
