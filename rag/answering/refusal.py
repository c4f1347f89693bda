"""Saying no: the one refusal text per language, shared by the code, the prompts and the tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag.answering.question_type import profile
from rag.answering.quoting import origin
from rag.config import Strictness
from rag.dates import find_dates
from rag.types import Answer, Hit, NearArticle, Question

REFUSAL: Final[dict[str, str]] = {
    "zh": "在已收录的文章中没有找到这个问题的答案。",
    "en": "The articles do not hold an answer to this question.",
}

BARS: Final[dict[Strictness, float]] = {"strict": 0.5, "balanced": 0.2, "generous": 0.05}
"""Least `Reading.answerable` of an answer. `training.reader.judge` shifts the score to fit the strict one."""

MOST_NEAR_ARTICLES: Final = 3
_SAYS_NOTHING: Final = re.compile(
    r"新闻|消息|事情?|内容|文章|报道|大家|你们?|我们?|发生|告诉|知道|介绍|一下|说说|讲讲|有|是|的|了|在|吗|呢|吧|请|问|和|些|个|最近"
    r"|最新|今后|[^一-鿿\w]"
    r"|\b(?:news|any|the|is|are|was|there|you|me|tell|about|happened|happening|new|latest|of|in|on|a|an|to|do|did|does|i)\b"
)
"""Words that no article can be chosen by."""


def asks_nothing(question: Question) -> bool:
    """Whether nothing is left of a question without its asking words and times (昨天有什么新闻)."""
    text = question.standalone
    for mention in reversed(find_dates(text, question.as_of)):
        text = f"{text[: mention.start]} {text[mention.end :]}"
    for start, end in reversed(profile(text).asking):
        text = f"{text[:start]} {text[end:]}"
    return not _SAYS_NOTHING.sub("", text.lower())


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
