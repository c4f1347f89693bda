"""What is no question to the articles gets a short reply and is never searched."""

import datetime as dt
from types import SimpleNamespace

import pytest
from reader_fakes import FakeUnderstander

from rag.assistant import Assistant
from rag.config import AnswerSettings
from rag.replies import reply
from rag.types import Answer, Article, Intent, Question
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


def test_the_examples_are_made_only_for_a_reply():
    def fail(language):
        raise AssertionError("made")

    answerer = SimpleNamespace(stream=lambda question, hits: iter([Answer(question.text, "", True, "m", "zh")]))
    retriever = SimpleNamespace(retrieve=lambda query, filters=None: [])
    Assistant(retriever, lambda settings: answerer, AnswerSettings(), FakeUnderstander(), fail).ask("大桥？")


def test_the_reply_is_in_the_language_of_what_was_typed():
    understander = FakeUnderstander(intents={"hello there": Intent.SMALLTALK})
    answer = Assistant(NoRetriever(), None, AnswerSettings(), understander, lambda language: (language,)).ask(
        "hello there"
    )
    assert answer.language == "en" and answer.answer.startswith("Hello") and answer.answer.endswith("· en")


def test_the_page_shows_a_reply_as_plain_text():
    question = Question("<b>", "<b>", "zh", dt.date(2026, 1, 1), intent=Intent.SMALLTALK)
    answer = reply(question, ("<i>？",))
    markup = render.answer(answer, dict[str, Article](), "zh", "k-1")
    assert "jw-refused" not in markup and "&lt;i&gt;" in markup and "jw-actions" not in markup
