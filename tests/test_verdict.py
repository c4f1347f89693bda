"""Which of several things has more, worked out from the quoted figures."""

import pytest

from rag.answering.composition import Quote
from rag.answering.verdict import with_verdict
from rag.types import Article


def quote(label, text, answer=""):
    article = Article(id=label, title="", text=text, file="f.txt")
    start = text.index(answer)
    return Quote(article, 0, len(text), (start, start + len(answer)) if answer else None, label=label)


EAST = quote("东馆", "东馆藏书74万册。", "74万册")
WEST = quote("西馆", "西馆有38万册书。", "38万册")


@pytest.mark.parametrize(
    ("asked", "language", "note"),
    [
        ("东馆和西馆，谁的书更多？", "zh", "两相比较，东馆更多（74万册；西馆38万册）。"),
        ("东馆和西馆，哪个藏书少？", "zh", "两相比较，西馆更少（38万册；东馆74万册）。"),
        ("Which holds more, the East or the West?", "en", "Compared, more: 东馆 (740,000 against 380,000 西馆)."),
    ],
)
def test_the_last_quote_tells_which_has_more(asked, language, note):
    told = with_verdict(asked, language, [EAST, WEST])
    assert [q.notes for q in told] == [(), (note,)]


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("东馆和西馆各有多少书？", WEST),
        ("东馆和西馆，谁的书更多？", quote("西馆", "西馆有38万册书，新书9万册。", "38万册")),
        ("东馆和西馆，谁的书更多？", quote("西馆", "西馆有38个座位。", "38个")),
        ("东馆和西馆，谁的书更多？", quote("西馆", "西馆的书很多。")),
        ("东馆和西馆，谁的书更多？", quote("西馆", "西馆也有74万册书。", "74万册")),
    ],
)
def test_nothing_is_told_where_the_figures_leave_a_doubt(asked, other):
    assert with_verdict(asked, "zh", [EAST, other]) == [EAST, other]
