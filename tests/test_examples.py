"""The sample library reads without a problem, and its question set fits it."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest

from eval.question_set import read_question_set
from rag.config import EXAMPLES_DIR, SourceSettings
from rag.sources import find_files, read_source
from rag.types import Article, ArticleKind

LIBRARY = EXAMPLES_DIR / "library"
FORMATS = {"wechat": 1, "newspaper": 1, "text": 6, "markdown": 6, "html": 3, "pdf": 3, "docx": 3}
LEAST_OF_TYPE = {
    "fact": 14,
    "crosslingual": 8,
    "paraphrase": 5,
    "multi": 5,
    "list": 4,
    "temporal": 5,
    "followup": 4,
    "unanswerable": 7,
}
PAGE_TITLES = [
    "低空航线连起海岛与山乡",
    "霁湾与南汀共建海上救援联盟",
    "缦河口排涝泵站改造完成",
    "缦河两岸换新灯",
    "栖梧区把食堂开到老街巷",
    "一碗鱼面 三代手艺",
]


@cache
def readings():
    files, problems = find_files([LIBRARY])
    assert problems == []
    return {file.name: read_source(file, SourceSettings()) for file in files}


def articles() -> list[Article]:
    return [article for reading in readings().values() for article in reading.articles]


@cache
def questions():
    return read_question_set(EXAMPLES_DIR / "questions.jsonl")


def squash(text: str) -> str:
    return "".join(text.split())


def test_every_file_reads_without_a_problem_and_every_format_is_there():
    assert [str(problem) for reading in readings().values() for problem in reading.problems] == []
    assert Counter(reading.format for reading in readings().values()) == FORMATS


def test_every_article_has_id_title_text_date_and_source():
    found = articles()
    assert len(found) == 49
    assert len({article.id for article in found}) == len(found)
    for article in found:
        assert article.title, article.id
        assert 60 <= len(squash(article.text)) <= 1300, article.id
        assert article.date is not None, article.id
        assert "2025-09-01" <= article.date.isoformat() <= "2025-12-31", article.id
        assert article.source, article.id


def test_accounts_of_the_export_and_newspapers_of_the_side_cars_are_kept():
    by_source = Counter(article.source for article in articles())
    assert by_source["霁湾发布"] == 19
    assert by_source["霁湾交通"] == 3
    assert by_source["The Jiwan Courier"] == 14
    assert by_source["霁湾自然"] == 1
    assert by_source["海岛副刊"] == 1
    assert by_source["霁湾城事网"] == 1


@pytest.mark.parametrize(
    ("file", "encoding", "opening"),
    [
        ("2025-12-02-wetland-birds-gb18030.txt", "gb18030", "听潮湿地迎来2.3万只越冬候鸟"),
        ("2025-10-17-lighthouse-big5.txt", "big5", "百年燈塔修復完成 燈船島重現「海上明燈」"),
    ],
)
def test_legacy_encodings_are_guessed_and_said(file, encoding, opening):
    reading = readings()[file]
    assert reading.encoding is not None
    assert reading.encoding.lower().replace("hkscs", "") == encoding
    assert reading.encoding_guessed
    assert reading.articles[0].title == opening


def test_newspaper_page_splits_into_its_stories():
    page = readings()["morning-post-a02.txt"].articles
    assert [article.title for article in page] == PAGE_TITLES
    assert [article.kind for article in page] == [
        ArticleKind.PHOTO_CAPTION if title == "缦河两岸换新灯" else ArticleKind.ARTICLE for title in PAGE_TITLES
    ]
    bylines = ["苏以宁", "裴小满", "贺知秋", "顾言澈", "白露生", "何青禾"]
    assert all(name in (article.byline or "") for name, article in zip(bylines, page, strict=True))
    assert {(article.source, str(article.date)) for article in page} == {("霁湾晨刊", "2025-11-18")}


def test_newspaper_page_joins_what_column_breaks_cut():
    page = {article.title: article.text for article in readings()["morning-post-a02.txt"].articles}
    assert "专项资金3.8亿元,对新开通" in page["低空航线连起海岛与山乡"]
    assert "提高到每秒126立方米,可以" in page["缦河口排涝泵站改造完成"]
    assert "练书法、唱渔歌" in page["栖梧区把食堂开到老街巷"]
    assert page["一碗鱼面 三代手艺"].endswith("第二家店。")


@pytest.mark.parametrize("file", ["2025-11-08-heating.html", "2025-11-16-ferry-suspended.html"])
def test_web_pages_leave_navigation_and_scripts_behind(file):
    (article,) = readings()[file].articles
    for noise in (
        "广告",
        "首页",
        "关于我们",
        "热门推荐",
        "window.stats",
        "Subscribe",
        "Most read",
        "Cookie",
        "tracker",
    ):
        assert noise not in article.text


def test_question_set_is_well_formed():
    found = questions()
    assert [str(problem) for problem in found.problems] == []
    assert len(found.questions) == 84
    assert len({question.id for question in found.questions}) == 84
    counts = Counter(question.type for question in found.questions)
    assert set(counts) == set(LEAST_OF_TYPE)
    assert [kind for kind, least in LEAST_OF_TYPE.items() if counts[kind] < least] == []
    for question in found.questions:
        answerable = question.type != "unanswerable"
        assert bool(question.answers) == bool(question.evidence) == bool(question.articles) == answerable, question.id
        assert bool(question.history) == (question.type == "followup"), question.id


def test_crosslingual_questions_go_both_ways():
    languages = Counter(question.lang for question in questions().questions if question.type == "crosslingual")
    assert min(languages["zh"], languages["en"]) >= 7


def test_every_evidence_stands_in_an_article_and_every_gold_article_holds_evidence():
    everything = [squash(article.title + "\n" + article.text) for article in articles()]
    by_file: dict[str, list[Article]] = {name: list(reading.articles) for name, reading in readings().items()}
    for line in (EXAMPLES_DIR / "questions.jsonl").read_text("utf-8").splitlines():
        question = json.loads(line)
        gold = [gold_article(by_file, named) for named in question["articles"]]
        for quote in question["evidence"]:
            assert any(squash(quote) in text for text in everything), (question["id"], quote)
        for article in gold:
            text = squash(article.title + "\n" + article.text)
            assert any(squash(quote) in text for quote in question["evidence"]), (question["id"], article.title)


def gold_article(by_file: dict[str, list[Article]], named: dict[str, str]) -> Article:
    found = [
        article
        for article in by_file[named["file"]]
        if article.title == named["title"] and article.id.endswith(named.get("id", ""))
    ]
    assert len(found) == 1, named
    return found[0]


def test_suggested_questions_are_three_per_language_without_relative_dates():
    suggested = json.loads((EXAMPLES_DIR / "suggested.json").read_text("utf-8"))
    assert sorted(suggested) == ["en", "zh"]
    for asked in suggested.values():
        assert len(set(asked)) == 3
        assert not [q for q in asked if any(word in q for word in ("今年", "昨", "明", "本周", "this ", "yesterday"))]
