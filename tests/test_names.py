import pytest

from rag.answering.names import absent_names
from rag.expansion import QueryExpander
from rag.lexicon import Lexicon, stem

LEXICON = Lexicon(
    {},
    {
        stem("paris"): (("巴黎", 1.0), ("巴", 0.3)),
        stem("mayor"): (("市长", 1.0),),
        stem("harbour"): (("港", 1.0), ("港口", 0.6)),
    },
)
EXPANDER = QueryExpander(LEXICON)


def absent(question: str, *texts: str) -> tuple[str, ...]:
    return absent_names(question, texts, EXPANDER)


def test_a_known_name_that_no_article_holds() -> None:
    assert absent("What did the mayor of Paris say?", "市长昨日在港口说，灯塔将重新开放。") == ("Paris",)


@pytest.mark.parametrize("text", ["The delegation from Paris left.", "代表团来自巴黎。", "PARIS fashion", "Ｐａｒｉｓ"])
def test_a_name_that_an_article_holds_in_any_form(text: str) -> None:
    assert absent("What did the mayor of Paris say?", "别的文章。", text) == ()


def test_pinyin_is_looked_for_by_sound() -> None:
    assert absent("How long is the bridge at Wenlan?", "文岚大桥全长七公里。") == ()
    assert absent("How long is the bridge at Wenlan?", "跨海大桥全长七公里。") == ("Wenlan",)


@pytest.mark.parametrize(
    "question",
    [
        "Paris wants what?",  # a first word is always capitalised
        "How long is the Luan River?",  # too short to be looked for by sound
        "How long is the Harbour Road?",  # no name: one character translates it
        "What did the Glorvexx board say?",  # nobody knows how Chinese writes it
        "What happened in October?",
        "What does the WTO say?",
        "巴黎的市长 Paris 说了什么？",
        "what did paris say",
    ],
)
def test_what_says_nothing(question: str) -> None:
    assert absent(question, "别的文章。") == ()
