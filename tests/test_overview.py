"""Overviews, courses of events and the newest days, over invented articles about a bridge, a tea market and snow."""

import dataclasses
import datetime as dt

import pytest
from library_toys import TopicEncoder, fill

from rag.config import RetrievalSettings, Settings
from rag.overview import latest, overview, timeline
from rag.overview.stories import stories_of
from rag.retriever import Retriever
from rag.serialization import answer_to_json
from rag.store import LocalStore
from rag.types import Answer, Article, Filters, Question

TAIL = "返回搜狐，查看更多责任编辑：丁小满"
COLLAPSE = (
    "青石大桥9日凌晨垮塌，已造成6人死亡。据目击者说，桥面先是裂开一道缝，随后两孔桥梁落入河中。"
    "青石县已派出三百名消防员和二十艘船在下游搜寻落水的车辆。"
)


def story(number: int, day: int | None, title: str, text: str, source: str = "山城晚报") -> Article:
    return Article(
        id=f"news#{number}",
        title=title,
        text=text + TAIL,
        file=f"{number}.txt",
        source=source,
        date=dt.date(2025, 8, day) if day else None,
    )


BRIDGE = [
    story(1, 9, "青石大桥垮塌", COLLAPSE),
    story(2, 9, "青石大桥垮塌（转载）", "本报转引山城晚报：" + COLLAPSE, source="海湾日报"),
    story(
        3,
        10,
        "青石大桥遇难者升至36人",
        "青石大桥垮塌事故的遇难者升至36人。省长昨日赶到青石大桥现场，要求查明原因。",
    ),
    story(
        4,
        12,
        "青石大桥事故53人死亡",
        "截至12日，青石大桥垮塌共有53人死亡，搜寻工作结束。青石大桥将在明年重建，预算为三亿元。",
    ),
]
OTHERS = [
    story(5, 13, "春茶市场开市", "山城的茶叶市场开市，首日卖出两万斤。市场的经理说，茶价比去年低一成。"),
    story(6, 14, "雪山景区关闭", "山城雪山景区因大雪关闭三天，门票可以退。景区说，道路上的雪正在清扫。"),
    story(7, 14, "图书馆办书展", "山城图书馆办旧书展，书展为期一周。路过青石大桥的旅客也可以来看书。"),
    story(8, None, "渔业站通知", "渔业站提醒渔民，本月起休渔，渔船须回港。"),
]


@pytest.fixture
def retriever(empty_store: LocalStore, encoder: TopicEncoder, settings: Settings) -> Retriever:
    fill(empty_store, [*BRIDGE, *OTHERS], encoder, settings)
    return Retriever(empty_store, encoder, RetrievalSettings())


def ask(text: str, language: str = "zh", as_of: dt.date = dt.date(2025, 8, 20)) -> Question:
    return Question(text, text, language, as_of)


def check(answer: Answer) -> Answer:
    """Every quote is verbatim, every marker has its citation, and the text is what the sentences say."""
    texts = {article.id: article.text for article in [*BRIDGE, *OTHERS]}
    for citation in answer.citations:
        assert texts[citation.article_id][citation.start : citation.end] == citation.quote
        assert "责任编辑" not in citation.quote and "返回搜狐" not in citation.quote
    for sentence in answer.sentences:
        assert set(sentence.markers) <= {citation.marker for citation in answer.citations}
        assert sentence.before + sentence.text in answer.answer
    assert answer_to_json(answer)
    return answer


def cited(answer: Answer) -> set[str]:
    return {citation.article_id for citation in answer.citations}


def test_an_overview_cites_the_articles_of_its_subject_and_no_other(retriever: Retriever) -> None:
    answer = check(overview(ask("青石大桥垮塌有哪些报道？"), retriever))
    assert cited(answer) == {article.id for article in BRIDGE}
    assert answer.sentences[0].text == "共有4篇相关报道，日期为2025年8月9日至2025年8月12日。"
    assert answer.sentences[0].derived and not answer.sentences[0].markers
    assert all(sentence.apart and sentence.before for sentence in answer.sentences[1:])


def test_reprints_are_one_point_with_all_their_sources(retriever: Retriever) -> None:
    answer = check(overview(ask("青石大桥垮塌有哪些报道？"), retriever))
    of_story = [s for s in answer.sentences if {"news#1", "news#2"} & {_article(answer, m) for m in s.markers}]
    assert {_article(answer, marker) for marker in of_story[0].markers} == {"news#1", "news#2"}
    assert of_story[0].before.startswith("2025年8月9日")
    grouped = [{article.id for article in found.articles} for found in stories_of(BRIDGE)]
    assert grouped == [{"news#1", "news#2"}, {"news#3"}, {"news#4"}]


def _article(answer: Answer, marker: int) -> str:
    return next(citation.article_id for citation in answer.citations if citation.marker == marker)


def test_the_latest_come_first_when_asked_for(retriever: Retriever) -> None:
    answer = check(overview(ask("青石大桥最新消息"), retriever, latest_first=True))
    dates = [citation.date for citation in answer.citations]
    assert dates[0] == dt.date(2025, 8, 12)
    assert dates == sorted(dates, reverse=True)


def test_what_was_printed_later_or_is_filtered_out_is_not_told(retriever: Retriever) -> None:
    early = check(overview(ask("青石大桥垮塌有哪些报道？", as_of=dt.date(2025, 8, 10)), retriever))
    assert cited(early) == {"news#1", "news#2", "news#3"}
    one = check(overview(ask("青石大桥垮塌有哪些报道？"), retriever, filters=Filters(sources=("海湾日报",))))
    assert cited(one) == {"news#2"}
    assert one.sentences[0].text == "有1篇相关报道，日期为2025年8月9日。"


def test_a_subject_of_which_nothing_is_reported_is_refused(retriever: Retriever) -> None:
    for made in (overview, timeline):
        answer = made(ask("把罗刹谷天文台的报道汇总一下"), retriever)
        assert answer.refused and not answer.citations


def test_at_most_eight_points_and_the_rest_is_counted(
    empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    towns = "东西南北上下左右前后里外"
    many = [
        story(i, 1 + i, f"{town}岗茶市", f"{town}岗茶市今天开市，{town}家的茶农{town}老三卖茶{i}百斤。")
        for i, town in enumerate(towns)
    ]
    fill(empty_store, many, encoder, settings)
    answer = overview(ask("茶市的报道"), Retriever(empty_store, encoder, RetrievalSettings()))
    assert len([sentence for sentence in answer.sentences if sentence.markers]) == 8
    assert len(answer.nearest) == len(towns) - 8
    assert answer.notices == ("另有4篇相关报道没有摘录。",)


def test_a_timeline_is_in_order_with_relative_days_worked_out(retriever: Retriever) -> None:
    answer = check(timeline(ask("青石大桥垮塌的经过"), retriever))
    entries = [s for s in answer.sentences if s.markers and not s.derived]
    days = [sentence.before.split("：")[0].removesuffix("见报") for sentence in entries]
    assert days[0] == "2025年8月9日"
    assert days == sorted(days, key=lambda day: int(day.split("月")[1].rstrip("日")))
    governor = next(s for s in entries if "省长昨日" in s.text)
    assert governor.before.startswith("2025年8月9日")
    assert cited(answer) == {article.id for article in BRIDGE}
    backwards = check(timeline(ask("青石大桥垮塌的经过"), retriever, latest_first=True))
    assert backwards.sentences[1].before.startswith("2025年8月12日")


def test_a_day_of_an_article_without_a_date_has_no_year_and_one_without_days_is_told_as_an_overview(
    empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    planned = story(1, None, "青云大桥将通车", "青云大桥将于8月25日通车。昨日大桥做了荷载试验。")
    fill(empty_store, [planned], encoder, settings)
    found = Retriever(empty_store, encoder, RetrievalSettings())
    answer = timeline(ask("青云大桥通车的进展"), found)
    assert [s.before + s.text for s in answer.sentences[1:]] == ["8月25日：青云大桥将于8月25日通车。"]
    bare = dataclasses.replace(planned, text="青云大桥即将通车。昨日大桥做了荷载试验。")
    fill(empty_store, [bare], encoder, settings)
    told = timeline(ask("青云大桥通车的进展"), found)
    assert not told.refused and "青云大桥即将通车。" in told.answer


def test_a_timeline_shows_the_row_of_a_figure_that_changed(retriever: Retriever) -> None:
    answer = check(timeline(ask("青石大桥垮塌的经过"), retriever))
    row = answer.sentences[-1]
    assert row.derived and row.apart
    assert row.text == (
        "死亡的数字有变化：6人（8月9日，山城晚报） → 36人（8月10日，山城晚报） → 53人（8月12日，山城晚报）"
    )
    assert [_article(answer, marker) for marker in row.markers] == ["news#1", "news#3", "news#4"]


def test_the_newest_days_stand_for_a_question_without_a_subject(retriever: Retriever) -> None:
    answer = check(latest(ask("今天有什么新闻？"), retriever))
    dates = [citation.date for citation in answer.citations]
    assert dates == [dt.date(2025, 8, 14), dt.date(2025, 8, 14), dt.date(2025, 8, 13), dt.date(2025, 8, 12)]
    assert answer.sentences[0].text == "资料库中最新的报道：2025年8月12日至2025年8月14日，共4篇。"
    earlier = check(latest(ask("今天有什么新闻？", as_of=dt.date(2025, 8, 9)), retriever))
    assert cited(earlier) == {"news#1", "news#2"}
    assert latest(ask("今天有什么新闻？", as_of=dt.date(2024, 1, 1)), retriever).refused


def test_frames_are_in_the_language_of_the_question(
    empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    fire = [
        ("The harbour fire killed 6 people on Monday. The port of Gull Bay stays closed.", 4),
        ("The harbour fire in Gull Bay has killed 36 people, the mayor said yesterday.", 6),
    ]
    stories = [
        dataclasses.replace(story(i, day, f"Gull Bay fire {i}", ""), text=text, source="Gulf Letter")
        for i, (text, day) in enumerate(fire)
    ]
    fill(empty_store, stories, encoder, settings)
    answer = timeline(
        ask("How did the harbour fire in Gull Bay unfold?", "en"),
        Retriever(empty_store, encoder, RetrievalSettings()),
    )
    assert answer.sentences[0].text == "2 articles report on this, 4 August 2025 to 6 August 2025."
    assert answer.sentences[-1].text == (
        "Figures that changed (deaths): 6 people (4 Aug, Gulf Letter) → 36 people (6 Aug, Gulf Letter)"
    )
