"""Articles -> example questions for the page.

The sample library comes with hand-picked questions (`suggested.json` beside its folder). For any other
library, questions are made from sentences that state an amount ("X 达 Y 家" -> "X 达多少家？"), which the
extractive answerer can answer with that very sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from rag.config import EXAMPLES_DIR
from rag.sentences import sentence_spans
from rag.types import Article

COUNT = 3
_MAX_ARTICLES = 400
_AMOUNT_ZH = re.compile(
    r"(?P<what>[一-鿿A-Za-z0-9“”《》（）]{6,22}?)(?P<verb>达到|突破|超过|共有|达)(?:约|近|了)?"
    r"\d[\d.,]*[万亿]?多?余?(?P<unit>[个家项座所名人次辆台件亩元]|平方米|公里|万元|亿元)"
)
_AMOUNT_EN = re.compile(
    r"^(?P<what>(?:The|A|An)\s[a-z][\w\s'-]{8,60}?)\s(?P<verb>cost|costs|opened on|opens on|covers|employs|handled)\s"
    r"(?:about\s|nearly\s|more than\s)?(?:[\d$€£]|\w+ \d)"
)
_FORM_EN = {
    "cost": "How much did {} cost?",
    "costs": "How much does {} cost?",
    "opened on": "When did {} open?",
    "opens on": "When does {} open?",
    "covers": "How much does {} cover?",
    "employs": "How many people does {} employ?",
    "handled": "How much did {} handle?",
}
_UNFINISHED = re.compile(
    r"^(?:其中|此外|并|且|也|还|而|的|将|已|使|让|今年|目前|截至|这|该|其|我|据|达)"
    r"|[的了和与及在]$"
)


def example_questions(articles: Sequence[Article], language: str, count: int = COUNT) -> list[str]:
    """Up to `count` questions in `language` (`zh` or `en`) that `articles` answer, newest articles first."""
    if articles and all(_is_sample(article) for article in articles):
        return _hand_picked(language)[:count]
    dated = sorted(articles, key=lambda article: (article.date is not None, article.date, article.id), reverse=True)
    questions: list[str] = []
    for article in dated[:_MAX_ARTICLES]:
        question = _question_from(article, language)
        if question and question not in questions:
            questions.append(question)
        if len(questions) == count:
            break
    return questions


def _is_sample(article: Article) -> bool:
    return str(EXAMPLES_DIR) in article.file or article.file.startswith("examples/")


def _hand_picked(language: str) -> list[str]:
    file = EXAMPLES_DIR / "suggested.json"
    if not file.is_file():
        return []
    questions = json.loads(file.read_text("utf-8")).get(language, [])
    return [question for question in questions if isinstance(question, str)]


def _question_from(article: Article, language: str) -> str | None:
    for start, end in sentence_spans(article.text, article.body_start):
        sentence = article.text[start:end]
        question = _ask_zh(sentence) if language == "zh" else _ask_en(sentence)
        if question:
            return question
    return None


def _ask_zh(sentence: str) -> str | None:
    match = _AMOUNT_ZH.search(sentence)
    if not match or _UNFINISHED.search(match["what"]) or match["what"].count("“") != match["what"].count("”"):
        return None
    before = sentence[: match.start()]
    if before and before[-1] not in "，,。；;：:、 ":
        return None
    return f"{match['what']}{match['verb']}多少{match['unit']}？"


def _ask_en(sentence: str) -> str | None:
    match = _AMOUNT_EN.search(sentence)
    if not match:
        return None
    what = match["what"]
    return _FORM_EN[match["verb"]].format(what[0].lower() + what[1:])
