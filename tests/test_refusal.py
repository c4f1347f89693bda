"""Saying no: near misses, the judge of answerability, the settings of strictness."""

import datetime as dt

import pytest

from rag.answering.constraints import meets_constraints
from rag.answering.question_type import profile
from rag.types import Article


def article(text, title="", date=dt.date(2026, 3, 5)):
    return Article(id="a", title=title, text=text, file="f", date=date)


@pytest.mark.parametrize(("question", "met"), [("第200届海灯会有多少人?", False), ("第12届海灯会有多少人?", True)])
def test_an_ordinal_of_any_size_must_be_met(question, met):
    assert meets_constraints(profile(question), article("第12届海灯会来了3万人。")) is met
