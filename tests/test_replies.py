"""What is no question to the articles gets a short reply and is never searched."""

import pytest
from reader_fakes import FakeUnderstander

from rag.assistant import Assistant
from rag.config import AnswerSettings
from rag.replies import SURE, reply
from rag.types import Article
from rag.understanding import Intent, Understanding
from ui import render

EXAMPLES = ("大桥有多长？", "渡口在哪？", "谁中标？")


class NoRetriever:
    def retrieve(self, query, k=None, filters=None):
        raise AssertionError(f"{query!r} was searched")


@pytest.mark.parametrize("intent", [Intent.SMALLTALK, Intent.HELP, Intent.COMPUTE, Intent.WRITE, Intent.GIBBERISH])
def test_a_reply_cites_nothing_and_offers_questions_that_work(intent):
    understander = FakeUnderstander(intents={"你好": intent})
    assistant = Assistant(NoRetriever(), None, AnswerSettings(), understander, lambda language: EXAMPLES)
    answer = assistant.ask("你好")
    assert answer.mode == "reply" and answer.refused and answer.final and not answer.citations and not answer.nearest
    assert all(example in answer.answer for example in EXAMPLES)


def test_a_doubtful_intent_is_searched():
    assert reply("你好？", Understanding(Intent.SMALLTALK, SURE - 0.01, False), "zh", ()) is None
    assert reply("大桥？", Understanding(Intent.ANSWER, 0.99, False), "zh", ()) is None


def test_the_reply_is_in_the_language_of_what_was_typed():
    understander = FakeUnderstander(intents={"hello there": Intent.SMALLTALK})
    answer = Assistant(NoRetriever(), None, AnswerSettings(), understander, lambda language: (language,)).ask(
        "hello there"
    )
    assert answer.language == "en" and answer.answer.startswith("Hello") and answer.answer.endswith("· en")


def test_the_page_shows_a_reply_as_plain_text():
    answer = reply("<b>", Understanding(Intent.SMALLTALK, 0.99, False), "zh", ("<i>？",))
    markup = render.answer(answer, dict[str, Article](), "zh", "k-1")
    assert "jw-refused" not in markup and "&lt;i&gt;" in markup and "jw-actions" not in markup
