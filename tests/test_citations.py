"""Markers that a model writes, and the quotes behind them."""

from __future__ import annotations

import datetime as dt

import pytest
from generation_support import AS_OF, PIER, TEA, article, hit_of, hits

from rag.answering.citations import MarkedSentence, cite, parse_markers
from rag.answering.model_text import visible_text
from rag.answering.quoting import best_quote


def read(text: str, count: int = 5) -> list[tuple[str, tuple[int, ...]]]:
    return [(sentence.text, sentence.passages) for sentence in parse_markers(text, count).sentences]


@pytest.mark.parametrize(
    "marker",
    ["[1][3]", "[1] [3]", "[1,3]", "[1，3]", "[1、3]", "【1】【3】", "【1、3】", "［1］［3］", "［１，３］", "[^1][^3]",
     "[来源1][来源3]",
     "[1; 3]", "[1 和 3]", "[Source 1][Source 3]", "[passages: 1, 3]"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["码头投用{}。", "码头投用。{}", "码头投用。 {}"])
def test_ways_to_write_two_markers(form: str, marker: str) -> None:
    assert read(form.format(marker)) == [("码头投用。", (1, 3))]


def test_ranges_are_spelled_out() -> None:
    assert read("码头投用。[1-3]") == [("码头投用。", (1, 2, 3))]
    assert read("码头投用。[2–4][1]") == [("码头投用。", (2, 3, 4, 1))]


def test_markers_belong_to_the_sentence_they_follow() -> None:
    assert read("码头投用[2]。总投资40亿元。[1]二期明年开工。[1][2] 未标注。") == [
        ("码头投用。", (2,)),
        ("总投资40亿元。", (1,)),
        ("二期明年开工。", (1, 2)),
        ("未标注。", ()),
    ]


def test_english_markers_before_and_after_the_full_stop() -> None:
    assert read("The pier opened in 2025 [1]. It cost 4.5 million. [2] Nobody knows why.") == [
        ("The pier opened in 2025.", (1,)),
        ("It cost 4.5 million.", (2,)),
        ("Nobody knows why.", ()),
    ]


def test_a_marker_inside_a_sentence_and_one_repeated() -> None:
    assert read("据报道[2]，码头投用[2][1]，即[1]。") == [("据报道，码头投用，即。", (2, 1))]


def test_markers_that_open_their_sentences() -> None:
    assert read("[1] 码头投用。[2] 春茶开采。") == [("码头投用。", (1,)), ("春茶开采。", (2,))]


def test_lists_keep_their_lines() -> None:
    marked = parse_markers("有两项：\n- 码头[1]\n- 春茶 [2]\n", 2)
    assert marked.sentences == (
        MarkedSentence("有两项：", (), ""),
        MarkedSentence("- 码头", (1,), "\n"),
        MarkedSentence("- 春茶", (2,), "\n"),
    )


@pytest.mark.parametrize("marker", ["[99]", "[0]", "[-1]", "[6]", "【0】"])
def test_numbers_that_were_not_given_are_dropped_and_recorded(marker: str) -> None:
    marked = parse_markers(f"码头投用。{marker}", 5)
    assert [s.passages for s in marked.sentences] == [()]
    assert marked.invented == (int(marker.strip("[]【】")),)


def test_a_range_beyond_what_was_given_keeps_its_good_part() -> None:
    marked = parse_markers("码头投用。[2-4]", 3)
    assert marked.sentences[0].passages == (2, 3)
    assert marked.invented == (4,)


@pytest.mark.parametrize(
    "text", ["津政发[25]12号文件已印发。", "见[附件]。", "于[2025]年投用。", "用时[1.5]小时。", "文号〔2025〕7号。"]
)
def test_other_brackets_are_text(text: str) -> None:
    marked = parse_markers(text, 30)
    assert [(s.text, s.passages) for s in marked.sentences] == [(text, ())]
    assert marked.invented == ()


def test_nothing_but_markers_is_no_sentence() -> None:
    assert parse_markers("[1][9]", 3).sentences == ()
    assert parse_markers("", 3).sentences == ()


def test_citations_are_numbered_in_order_of_first_use_with_verbatim_quotes() -> None:
    found = hits()
    cited = cite(parse_markers("头采茶每斤900元[2]。码头总投资40亿元[1]。茶价900元[2]。", 3), found, AS_OF)
    assert cited.text == "头采茶每斤900元。[1] 码头总投资40亿元。[2] 茶价900元。[1]"
    assert cited.markers == ((1,), (2,), (1,))
    assert [(c.marker, c.article_id, c.quote) for c in cited.citations] == [
        (1, "海湾日报/2", "头采茶每斤卖到900元，已订出60多个批次。"),
        (2, "海湾日报/1", "工程总投资40亿元，由海湾建设集团承建。"),
    ]
    for citation in cited.citations:
        story = next(hit.article for hit in found if hit.article.id == citation.article_id)
        assert story.text[citation.start : citation.end] == citation.quote
        assert (citation.title, citation.url, citation.date) == (story.title, story.url, story.date)


def test_two_sentences_of_one_passage_get_a_marker_each() -> None:
    cited = cite(parse_markers("码头3月2日投用[1]。二期明年开工[1]。", 1), hits()[:1], AS_OF)
    assert cited.text == "码头3月2日投用。[1] 二期明年开工。[2]"
    assert [c.quote for c in cited.citations] == [
        "东岸码头一期工程3月2日投用。",
        "项目经理林一舟介绍，二期工程将于明年开工。",
    ]


def test_a_passage_inside_its_article_keeps_article_offsets() -> None:
    story = article(1, PIER, "东岸码头投用", None)
    start = PIER.index("工程总投资")
    cited = cite(parse_markers("总投资40亿元[1]。", 1), [hit_of(story, start=start)], AS_OF)
    assert cited.citations[0].start == start
    assert story.text[start : cited.citations[0].end] == "工程总投资40亿元，由海湾建设集团承建。"


def test_a_sentence_that_joins_two_neighbours_quotes_both() -> None:
    story = article(2, TEA, "春茶开采", dt.date(2025, 4, 2))
    start, end = best_quote("茶农说今年的茶早十天，头采茶每斤卖到900元。", hit_of(story), AS_OF)
    assert TEA[start:end] == "茶农说，今年的茶比往年早十天。头采茶每斤卖到900元，已订出60多个批次。"


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("It can handle 121 million tonnes a year.", "码头年吞吐能力达到1.21亿吨，比老港区多出三成。"),
        ("The project cost 4 billion yuan.", "工程总投资40亿元，由海湾建设集团承建。"),
        ("Lin Yizhou manages the project.", "项目经理林一舟介绍，二期工程将于明年开工。"),
        ("It opened on March 2, 2025.", "东岸码头一期工程3月2日投用。"),
    ],
)
def test_an_english_sentence_finds_its_chinese_quote_by_figures_and_names(sentence: str, quote: str) -> None:
    start, end = best_quote(sentence, hits()[0], AS_OF)
    assert PIER[start:end] == quote


def test_the_whole_passage_is_quoted_when_nothing_tells_its_sentences_apart() -> None:
    assert best_quote("The pier is big.", hits()[0], AS_OF) == (0, len(PIER))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<think>想一想[1]</think>码头投用。", "码头投用。"),
        ("<think>\n\n</think>\n\n码头投用。", "码头投用。"),
        ("<thinking>a</thinking>甲<think>b</think>乙", "甲乙"),
        ("想一想</think>码头投用。", "码头投用。"),
        ("码头投用。<think>没有结束", "码头投用。"),
        ("<THINK>x</THINK>ok", "ok"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_reasoning_is_not_shown(raw: str, shown: str) -> None:
    assert visible_text(raw, finished=True) == shown


def test_reasoning_is_not_shown_while_it_is_written_character_by_character() -> None:
    raw = "<think>秘密[1]</think>码头投用[1]。"
    seen = {visible_text(raw[:n], finished=False) for n in range(len(raw) + 1)}
    assert not any("秘" in text or "<" in text or text.endswith(("[", "[1")) for text in seen)
    assert visible_text(raw, finished=True) == "码头投用[1]。"


def test_what_begins_like_a_tag_is_shown_in_the_end() -> None:
    assert visible_text("a <th", finished=False) == "a"
    assert visible_text("a <th", finished=True) == "a <th"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("**码头**投用。", "码头投用。"),
        ("## 结论\n`码头`投用。", "结论\n码头投用。"),
        ("![x](http://evil.example/?q=1)码头[网站](http://e.example)投用[1](http://e.example)。", "码头网站投用[1]。"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("码\x1b[31m头\u202e投用\x00。", "码[31m头投用。"),
    ],
)  # fmt: skip
def test_markdown_and_links_become_plain_text(raw: str, shown: str) -> None:
    assert visible_text(raw, finished=True) == shown


def test_degenerate_output_is_read_in_time() -> None:
    for raw in ("`" * 4000, "*" * 4000, "[" * 4000, "[1" * 2000, "<think>" * 800, "1," * 2000, "\n" * 4000):
        parse_markers(visible_text(raw, finished=True), 5)
        parse_markers(visible_text(raw, finished=False), 5)
