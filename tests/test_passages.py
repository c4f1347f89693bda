import datetime as dt
import random

import pytest

from rag.config import PassageSettings
from rag.passages import context_line, indexed_text, split_article
from rag.sentences import sentence_spans
from rag.types import Article, Passage


def article(text: str, **fields: object) -> Article:
    return Article(id="a#1", title=fields.pop("title", ""), text=text, file="a.txt", **fields)  # type: ignore[arg-type]


def texts(text: str, size: int, overlap: int = 0) -> list[str]:
    return [p.text for p in split_article(article(text), PassageSettings(size=size, overlap=overlap))]


def nasty_text(rng: random.Random) -> str:
    """Few characters, much repetition: where searching for a piece again finds it in the wrong place."""
    alphabet = rng.choice(["甲。", "甲乙。，", "甲。”\n", "a. A,3", "甲，；：“”！？… \n1.", " \n"])
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 120)))


@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_offsets_are_exact_and_nothing_is_lost_in_repetitive_text(overlap: int) -> None:
    rng = random.Random(f"passages {overlap}")
    for _ in range(700):
        text, size = nasty_text(rng), rng.randrange(1, 40)
        passages = split_article(article(text), PassageSettings(size=size, overlap=overlap))
        covered: set[int] = set()
        for passage in passages:
            assert text[passage.start : passage.end] == passage.text
            assert 0 < len(passage.text) <= size
            assert passage.text == passage.text.strip()
            covered.update(range(passage.start, passage.end))
        assert all(i in covered for i, c in enumerate(text) if not c.isspace())
        ends = [p.end for p in passages]
        assert ends == sorted(set(ends))


@pytest.mark.parametrize("overlap", [0, 2])
def test_a_sentence_that_fits_is_never_cut(overlap: int) -> None:
    rng = random.Random(f"sentences {overlap}")
    for _ in range(400):
        text, size = nasty_text(rng), rng.randrange(5, 60)
        passages = split_article(article(text), PassageSettings(size=size, overlap=overlap))
        for start, end in sentence_spans(text):
            if end - start <= size:
                assert any(p.start <= start and end <= p.end for p in passages)
                assert not any(start < p.start < end or start < p.end < end for p in passages)


def test_sentences_are_packed_and_the_last_one_is_shared() -> None:
    text = "甲甲甲。乙乙乙。丙丙丙。丁丁丁。"
    assert texts(text, size=8) == ["甲甲甲。乙乙乙。", "丙丙丙。丁丁丁。"]
    assert texts(text, size=8, overlap=1) == ["甲甲甲。乙乙乙。", "乙乙乙。丙丙丙。", "丙丙丙。丁丁丁。"]
    assert texts(text, size=100, overlap=1) == [text]


def test_overlap_gives_way_to_the_next_sentence() -> None:
    assert texts("甲甲甲甲甲。乙乙乙乙乙乙乙。", size=9, overlap=1) == ["甲甲甲甲甲。", "乙乙乙乙乙乙乙。"]


def test_lengths_are_balanced_instead_of_ending_in_a_scrap() -> None:
    text = "".join(f"{c}{c}{c}{c}。" for c in "甲乙丙丁戊己庚")
    assert [len(t) for t in texts(text, size=30)] == [20, 15]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert texts("他说：“今天很好。”她答：“是的！”", size=11) == ["他说：“今天很好。”", "她答：“是的！”"]


def test_a_sentence_too_long_is_cut_at_clauses_and_not_inside_a_number() -> None:
    assert texts("全年投入1,234万元，新建3.5公里管道；惠及8,000户居民，明年继续。", size=14) == [
        "全年投入1,234万元，",
        "新建3.5公里管道；",
        "惠及8,000户居民，",
        "明年继续。",
    ]
    assert texts("甲" * 25, size=10) == ["甲" * 10, "甲" * 10, "甲" * 5]


def test_text_without_words_gives_no_passage() -> None:
    assert texts(" \n\n ", size=10) == []
    assert texts("", size=10) == []


def test_context_is_title_subtitle_and_the_date_as_the_language_writes_it() -> None:
    day = dt.date(2025, 3, 2)
    assert context_line(article("开港。", title="新港区\n开港", subtitle="首日12艘", date=day)) == (
        "新港区 开港\n首日12艘\n2025年3月2日"
    )
    assert context_line(article("It opened.", title="Port opens", date=day)) == "Port opens\n2 March 2025"
    assert context_line(article("图为大雪。", date=day)) == "2025年3月2日"
    assert context_line(article("图为大雪。")) == ""


def test_indexed_text_says_a_headline_once() -> None:
    story = article("新港区开港\n首日12艘船。次日8艘。", title="新港区开港", date=dt.date(2025, 3, 2))
    first, second = Passage("a#1", 0, 13, "新港区开港\n首日12艘船。"), Passage("a#1", 13, 18, "次日8艘。")
    assert indexed_text(story, first) == "2025年3月2日\n新港区开港\n首日12艘船。"
    assert indexed_text(story, second) == "新港区开港\n2025年3月2日\n次日8艘。"
