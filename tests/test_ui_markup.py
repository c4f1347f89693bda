from __future__ import annotations

import dataclasses
import datetime as dt
from html.parser import HTMLParser

import pytest
from ui_support import BRIDGE, HOSTILE, LIBRARY, answered, refused

from rag.types import Answer, AnswerSentence, Article, Support
from ui import markup, render, render_library
from ui.render_library import FileResult
from ui.strings import LANGUAGES, STRINGS, as_language, text

ALLOWED = {
    "a", "article", "b", "blockquote", "br", "button", "details", "div", "footer", "h2", "header", "li", "mark", "ol",
    "p", "pre", "progress", "section", "small", "span", "strong", "summary", "time", "ul",
}  # fmt: skip
VOID = {"br"}


class Structure(HTMLParser):
    """Tags, attributes and text; fails on tags that do not close in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.marks: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "mark" in self.open:
            self.marks[-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attrs[name] for found, attrs in self.tags if found == tag and name in attrs]


def known(*articles: Article) -> dict[str, Article]:
    return {article.id: article for article in articles}


def hostile_pages() -> list[str]:
    answer = answered(
        "<img src=x onerror=hacked()>\n\n![x](http://evil.example)", HOSTILE, "坏消息工厂日产三十吨墨水。"
    )
    odd = dataclasses.replace(
        answer,
        model="<script>m</script>",
        searched="</div><script>s</script>",
        notices=("<b>notice</b>\n\n<script>n</script>",),
        sentences=(AnswerSentence("<script>x</script>\n\n坏", (1,), Support.PARTIAL, ((0, 8),), ("<i>1</i>",)),),
    )
    no = refused("<script>q</script>", HOSTILE)
    pages = []
    for language in LANGUAGES:
        pages += [
            render.question(answer.question, language),
            render.answer(odd, known(HOSTILE), language, "k"),
            render.answer(odd, {}, language, "k"),
            render.answer(no, known(HOSTILE), language, "k"),
            render.answer(dataclasses.replace(odd, final=False, sentences=()), {}, language, "k"),
            render.trouble("<script>t</script>\n\n# x"),
            markup.story(HOSTILE, language, 3, 60),
            render_library.reader(HOSTILE, language, 3, 60),
            render_library.article_list([HOSTILE], "", language),
            render_library.report("<b>x</b>", [FileResult("<svg onload=x>", "skipped", "<script>")], language),
            render_library.progress("<svg onload=x>.txt", 1, 2),
        ]
    return pages


@pytest.mark.parametrize("page", hostile_pages())
def test_nothing_hostile_becomes_markup(page: str) -> None:
    structure = Structure(page)
    for tag, attrs in structure.tags:
        assert tag in ALLOWED
        assert not [name for name in attrs if name.startswith("on") or name in {"src", "style", "action"}]
        if "href" in attrs:
            assert str(attrs["href"]).startswith(("#jw-", "https://"))
    assert "\n" not in page, "a blank line would hand the rest to the Markdown parser"


def test_hostile_text_is_shown_literally() -> None:
    structure = Structure(markup.story(HOSTILE, "zh"))
    assert "<script>window.hacked=1</script>" in structure.text
    assert "![leak](http://evil.example/leak.png)" in structure.text


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://news.example/a?b=1&c=2", True),
        ("http://news.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//news.example/a", False),
        ("https://user:secret@news.example/", False),
        ('https://news.example/"onclick=x', False),
        ("https://news.example/\nx", False),
        ("https://[bad", False),
        ("https://", False),
        ("https://news.example/" + "a" * 2_000, False),
        ("", False),
        (None, False),
    ],
)
def test_only_ordinary_web_addresses_become_links(url: str | None, kept: bool) -> None:
    assert markup.safe_url(url) == (url if kept else None)


def test_a_link_cannot_reach_back_and_names_its_host() -> None:
    structure = Structure(markup.link("https://news.example/a?b=1&c=2", "原文"))
    assert structure.tags[0] == (
        "a",
        {
            "class": "jw-link",
            "href": "https://news.example/a?b=1&c=2",
            "target": "_blank",
            "rel": "noopener noreferrer nofollow",
        },
    )
    assert structure.text == "原文 news.example"


def test_control_and_bidi_characters_are_dropped() -> None:
    assert markup.escape("a\u202etxt\x00.exe\u200b\ud800") == "atxt.exe"


def test_each_sentence_ends_in_its_chip_and_key_words_are_emphasised() -> None:
    answer = answered("全长多少米？", BRIDGE, "大桥全长1260米，双向六车道，两侧各设三米宽的步道。", "1260米")
    page = render.answer(answer, known(BRIDGE), "zh", "c-1")
    assert (
        "<p><span>大桥全长<strong>1260米</strong>，双向六车道，两侧各设三米宽的步道。</span>"
        '<a class="jw-chip" href="#jw-c-1-1" title="河畔日报 · 青榆大桥本月建成通车">'
        '<span class="jw-sr">来源 </span>[1]</a></p>'
    ) in page
    assert 'id="jw-c-1-1"' in page


def test_overlapping_or_wild_emphasis_never_breaks_a_sentence() -> None:
    sentence = AnswerSentence("abcdef", (), Support.QUOTED, ((2, 4), (3, 5), (-1, 2), (4, 99), (5, 6)))
    answer = dataclasses.replace(answered("q", BRIDGE, "大桥全长1260米"), sentences=(sentence,))
    page = render.answer(answer, known(BRIDGE), "en", "k")
    assert "<span>ab<strong>cd</strong>e<strong>f</strong></span>" in page


def test_a_card_marks_exactly_the_quote_in_its_surroundings() -> None:
    quote = "双向六车道，两侧各设三米宽的步道。"
    page = render.answer(answered("q", BRIDGE, quote), known(BRIDGE), "zh", "k")
    structure = Structure(page)
    assert structure.marks == [quote]
    assert "大桥于2026年1月18日正式通车" in structure.text, "sentences around the quote are shown"


def test_surroundings_leave_the_headline_to_the_card_unless_it_is_quoted() -> None:
    start = BRIDGE.text.index("大桥全长")
    assert "建成通车" not in Structure(render.surroundings(BRIDGE, start, start + 8)).text
    headline = Structure(render.surroundings(BRIDGE, 0, BRIDGE.body_start - 1))
    assert headline.marks == ["青榆大桥本月建成通车"]


def test_surroundings_of_a_long_text_are_whole_sentences() -> None:
    sentences = [f"第{n}句话讲的是一件不大不小的事情，写满二十几个字为止。" for n in range(40)]
    article = dataclasses.replace(BRIDGE, text="".join(sentences), body_start=0)
    start = article.text.index(sentences[20])
    shown = Structure(render.surroundings(article, start, start + len(sentences[20]))).text
    assert shown.startswith("…第1") and shown.endswith("为止。")
    assert sentences[19] in shown and sentences[21] in shown
    assert len(shown) < 400


CHANGED = dataclasses.replace(BRIDGE, text="全新的文字" * 50)


@pytest.mark.parametrize(("articles", "remark"), [({}, "gone"), ({BRIDGE.id: CHANGED}, "changed")])
def test_a_quote_whose_article_is_gone_or_changed_is_still_shown_and_says_so(
    articles: dict[str, Article], remark: str
) -> None:
    structure = Structure(render.answer(answered("q", BRIDGE, "大桥全长1260米"), articles, "zh", "k"))
    assert structure.marks == ["大桥全长1260米"]
    assert text("zh", remark) in structure.text


def test_under_an_answer_stand_sources_dates_mode_time_and_the_searched_question() -> None:
    answer = answered("它多长？", BRIDGE, "大桥全长1260米", searched="青榆大桥 它多长？")
    shown = Structure(render.answer(answer, known(BRIDGE), "zh", "k")).text
    for part in ("河畔日报", "2026年1月19日", "原文摘句", "0.02 秒", "实际检索：青榆大桥 它多长？"):
        assert part in shown
    english = Structure(render.answer(answer, known(BRIDGE), "en", "k")).text
    for part in ("19 Jan 2026", "Quoted sentences", "0.02 s", "Searched for: 青榆大桥 它多长？"):
        assert part in english


def test_the_searched_question_is_not_repeated_when_it_is_the_asked_one() -> None:
    shown = Structure(render.answer(answered("它多长？", BRIDGE, "大桥全长1260米"), {}, "zh", "k")).text
    assert "实际检索" not in shown


def test_a_generated_answer_names_its_model_and_flags_what_is_not_backed() -> None:
    answer = dataclasses.replace(
        answered("q", BRIDGE, "大桥全长1260米"),
        mode="generative",
        model="tiny-writer",
        notices=("fell back",),
        sentences=(
            AnswerSentence("甲。", (1,), Support.SUPPORTED),
            AnswerSentence("乙。", (1,), Support.PARTIAL),
            AnswerSentence("丙350。", (), Support.UNSUPPORTED, (), ("350", "张三")),
        ),
    )
    structure = Structure(render.answer(answer, known(BRIDGE), "zh", "k"))
    for part in ("tiny-writer", "fell back", "部分有据", "未见依据", "引文中没有：350、张三"):
        assert part in structure.text
    badges = [value for value in structure.attributes("span", "class") if value and "jw-badge" in value]
    assert badges == ["jw-badge jw-partial", "jw-badge jw-unsupported"]


def test_a_cut_quote_keeps_its_ellipsis_and_what_was_worked_out_is_marked() -> None:
    answer = dataclasses.replace(
        answered("q", BRIDGE, "大桥全长1260米"),
        sentences=(
            AnswerSentence(
                "大桥全长1260米", (1,), Support.QUOTED, ((4, 9),), before="<海风>, 5 January 2026: …", after="…"
            ),
            AnswerSentence("(in English: 1260米 = 1,260 metres)", (1,), Support.SUPPORTED, derived=True),
        ),
    )
    page = render.answer(answer, known(BRIDGE), "en", "k")
    assert "<海风>, 5 January 2026: …大桥全长1260米…" in Structure(page).text.replace("\u2060", "")
    assert "<海风>" not in page
    assert [c for c in Structure(page).attributes("span", "class") if c in ("jw-before", "jw-derived")] == [
        "jw-before",
        "jw-derived",
    ]
    assert "&lt;海风&gt;, 5 January 2026: …大桥全长1260米…[^1]" in page


def test_what_another_article_says_begins_a_new_line() -> None:
    first, second = answered("q", BRIDGE, "大桥全长1260米"), answered("q", LIBRARY, LIBRARY.text[:6])
    other = dataclasses.replace(second.citations[0], marker=2)
    answer = dataclasses.replace(
        first,
        citations=(*first.citations, other),
        sentences=(*first.sentences, AnswerSentence(f"{other.quote}\n二", (2,), Support.QUOTED, apart=True)),
    )
    page = render.answer(answer, known(BRIDGE, LIBRARY), "zh", "k")
    assert f"{other.quote}<br>二" in page
    text = page[page.index("jw-text") : page.index("jw-refs")]
    assert text.count("<p>") == 2


def test_a_refusal_looks_different_and_offers_the_nearest_articles() -> None:
    page = render.answer(refused("天气？", BRIDGE, LIBRARY), known(BRIDGE, LIBRARY), "zh", "k")
    structure = Structure(page)
    assert "jw-refused" in str(structure.tags[0][1]["class"])
    assert structure.text.index("没有找到答案") < structure.text.index("相关报道，并非答案")
    assert [title for title in (BRIDGE.title, LIBRARY.title) if title in structure.text] == [
        BRIDGE.title,
        LIBRARY.title,
    ]
    assert "jw-chip" not in page and "jw-copy" not in page and "jw-cards" not in page


def test_a_growing_answer_has_no_foot_yet() -> None:
    answer = answered("q", BRIDGE, "大桥", final=False, sentences=(), citations=(), answer="大桥<")
    page = render.answer(answer, {}, "zh", "k")
    assert "jw-growing" in page and "大桥&lt;" in page
    assert "jw-made" not in page and "jw-copy" not in page


def test_markers_without_a_citation_get_no_chip() -> None:
    answer = dataclasses.replace(
        answered("q", BRIDGE, "大桥全长1260米"), sentences=(AnswerSentence("甲。", (1, 9), Support.QUOTED),)
    )
    assert Structure(render.answer(answer, {}, "zh", "k")).text.count("[9]") == 0


def test_footnotes_are_markdown_with_title_source_date_address_and_quote() -> None:
    answer = answered("桥多长？", BRIDGE, "大桥全长1260米")
    assert render.footnotes(answer, "zh") == (
        "**桥多长？**\n\n大桥全长1260米[^1]\n\n"
        "[^1]: 《青榆大桥本月建成通车》，河畔日报，2026-01-19，https://news.example/bridge：“大桥全长1260米”\n"
    )


def test_footnotes_without_source_date_or_safe_address_still_say_where() -> None:
    bare = dataclasses.replace(LIBRARY, source="", date=None, url="javascript:x")
    answer = answered("seats?", bare, "It holds 120 seats", language="en")
    assert render.footnotes(answer, "en").splitlines()[-1] == (
        "[^1]: “A reading room that never closes”, river.txt, undated: “It holds 120 seats”"
    )


def test_the_copied_text_survives_the_markup() -> None:
    answer = answered("q", HOSTILE, "坏消息工厂日产三十吨墨水。")
    page = render.answer(answer, known(HOSTILE), "zh", "k")
    inside = page.partition('<pre class="jw-copytext" hidden>')[2].partition("</pre>")[0]
    assert Structure(f"<pre>{inside}</pre>").text == render.footnotes(answer, "zh")


def test_a_story_marks_a_span_across_paragraphs_in_pieces() -> None:
    start = BRIDGE.text.index("第三座")
    end = BRIDGE.text.index("，双向")
    structure = Structure(markup.story(BRIDGE, "zh", start, end))
    assert structure.marks == ["第三座跨河大桥。", "大桥全长1260米"]
    assert structure.text.count("青榆大桥本月建成通车") == 0, "the title stands above the story"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-5, 3), (10, 5), (10**9, 10**9 + 1), (5, 10**9)])
def test_wild_spans_never_lose_text(start: int, end: int) -> None:
    story = Structure(markup.story(BRIDGE, "zh", start, end)).text
    assert "沿线公交线路将在月底调整。" in story and "青榆大桥位于城西" in story


def test_story_queries_quote_what_ids_may_hold() -> None:
    assert markup.story_query("a b/<x>&#1", 3, 9) == "article=a+b%2F%3Cx%3E%26%231&start=3&end=9"


def test_the_article_list_filters_by_every_word_newest_first_undated_last() -> None:
    articles = [HOSTILE, BRIDGE, LIBRARY]
    assert [a.id for a in render_library.matching(articles, "")] == [LIBRARY.id, BRIDGE.id, HOSTILE.id]
    assert [a.id for a in render_library.matching(articles, "ALDERMOOR reading")] == [LIBRARY.id]
    assert [a.id for a in render_library.matching(articles, "2026-01")] == [BRIDGE.id]
    assert render_library.matching(articles, "大桥 courier") == []


def test_a_long_list_is_cut_and_says_so() -> None:
    articles = [dataclasses.replace(BRIDGE, id=str(n)) for n in range(render_library.MOST_ROWS + 5)]
    page = render_library.article_list(articles, "", "zh")
    assert page.count("<li>") == render_library.MOST_ROWS
    assert "显示 200 / 205 篇" in page


def test_hits_show_their_rank_in_both_legs() -> None:
    from rag.types import Hit, Passage

    passage = Passage(BRIDGE.id, 11, 20, BRIDGE.text[11:20])
    hits = [
        Hit(1, 0.03, passage, BRIDGE, dense_rank=4, lexical_rank=2),
        Hit(2, 0.02, passage, BRIDGE, dense_rank=None, lexical_rank=7),
    ]
    structure = Structure(render_library.hit_list("桥<", hits, "en"))
    assert "meaning #4 · words #2" in structure.text
    assert "meaning – · words #7" in structure.text
    assert structure.attributes("button", "value") == ["11:20:河畔日报/1", "11:20:河畔日报/1"]


@pytest.mark.parametrize("article_id", ["a:b:c", "河畔日报/1", "", "12:13:x"])
def test_a_pick_comes_back_as_it_was_sent(article_id: str) -> None:
    assert render_library.read_pick(render_library.pick_value(article_id, 3, 14)) == (article_id, 3, 14)


@pytest.mark.parametrize("value", ["", "x", "-1:2:a", "a:b:c", "1:²:a", "1::a"])
def test_a_wild_pick_is_none(value: str) -> None:
    assert render_library.read_pick(value) == ("", 0, 0)


def test_dates_as_people_write_them() -> None:
    assert markup.day(dt.date(2026, 1, 5), "zh") == "2026年1月5日"
    assert markup.day(dt.date(2026, 1, 5), "en") == "5 Jan 2026"
    assert markup.day(None, "zh") == "日期不详"


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    import string

    def places(value: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}

    assert STRINGS["zh"].keys() == STRINGS["en"].keys()
    assert {key: places(value) for key, value in STRINGS["zh"].items()} == {
        key: places(value) for key, value in STRINGS["en"].items()
    }


@pytest.mark.parametrize(
    ("sent", "chosen"), [("zh-CN", "zh"), ("en-US", "en"), ("EN", "en"), ("fr", "zh"), (None, "zh")]
)
def test_the_language_of_a_browser(sent: str | None, chosen: str) -> None:
    assert as_language(sent) == chosen


def test_an_answer_without_sentences_shows_its_text() -> None:
    answer = Answer("q", "一段<文字>", False, "generative", "zh", final=True)
    assert "<p>一段&lt;文字&gt;</p>" in render.answer(answer, {}, "zh", "k")
