"""Newspaper pages: stories, headlines, bylines, column breaks. All pages are invented."""

import random

import pytest

from rag.sources.cleaning import unify
from rag.sources.newspaper import looks_like_newspaper, read_newspaper
from rag.sources.newspaper_lines import Role, role_of
from rag.sources.newspaper_markers import lead_names, names_of
from rag.sources.sidecar import Defaults
from rag.types import ArticleKind

PAGE = """


云陵出台三年计划

老城供水管网全面更新

本报讯(记者 方启明 白小川)云陵市昨天公布老城供水管网更新计划,三年内更换管道420公里,惠及居民18万户,总投资约3.8亿

元,资金由市、区两级财政共同承担,施工安排在夜间进行,尽量减少对居民的影响。

市水务局说,工程分为三期。

油茶园里“手牵手”

——青山县搭台促产销对接

种得出来,也卖得出去。”

十余家加工厂与种植户当场签约,收购价格比去年提高一成。

新车站启用

云陵东站正式启用,图为旅客走出

记者 周小岚 摄



■ 记者 林见微

清晨六点,城北菜市场里已经热闹起来,摊位从90个增加到120个,冷链柜台也换成了新的,卖豆腐的孙阿姨说起这些变化就停不下来:“顾客放

心,我们也省心。”

摊主心里有底

改造以后,每天的账目都能在手机上查到。

“引擎”轰鸣 小城新生

(上接第1版)

如今,县里的产业园已经住满了企业。

水务热线

值班电话:0999-5550000 邮政信箱:云陵市第7号邮政信箱

三条公交线路调整

本报讯(记者 高远)从今天起,12路公交车延长到东站。
"""


def read(page, **defaults):
    return read_newspaper(unify(page), "page.txt", Defaults(**defaults))


def test_stories_titles_bylines_and_kinds():
    stories = read(PAGE)
    assert [(s.id, s.title, s.subtitle, s.byline, s.kind.value) for s in stories] == [
        ("page.txt#1", "老城供水管网全面更新", "云陵出台三年计划", "方启明 白小川", "article"),
        ("page.txt#2", "油茶园里“手牵手”", "——青山县搭台促产销对接", None, "continued_fragment"),
        ("page.txt#3", "新车站启用", None, "周小岚 摄", "photo_caption"),
        ("page.txt#4", "", None, "林见微", "article"),
        ("page.txt#5", "“引擎”轰鸣 小城新生", None, None, "continued_fragment"),
        ("page.txt#6", "水务热线", None, None, "notice"),
        ("page.txt#7", "三条公交线路调整", None, "高远", "article"),
    ]


def test_borders():
    stories = read(PAGE)
    assert [s.text.split("\n")[0] for s in stories] == [
        "云陵出台三年计划",
        "油茶园里“手牵手”",
        "新车站启用",
        "■ 记者 林见微",
        "“引擎”轰鸣 小城新生",
        "水务热线",
        "三条公交线路调整",
    ]
    assert [s.text[-4:] for s in stories] == [
        "为三期。",
        "高一成。",
        "小岚 摄",
        "上查到。",
        "了企业。",
        "邮政信箱",
        "到东站。",
    ]


def test_a_column_break_inside_a_number_and_a_sentence_is_joined():
    first, *_, fourth, _, _, _ = read(PAGE)
    assert "总投资约3.8亿元,资金由" in first.text
    assert "“顾客放心,我们也省心。”" in fourth.text
    assert len(first.spans) == 2


def test_a_crosshead_stays_in_its_story():
    fourth = read(PAGE)[3]
    assert "\n\n摊主心里有底\n\n改造以后" in fourth.text


def test_body_starts_below_the_headlines():
    stories = read(PAGE)
    assert stories[0].text[stories[0].body_start :].startswith("本报讯(记者 方启明")
    assert stories[1].text[stories[1].body_start :].startswith("种得出来")
    assert stories[3].body_start == 0


def test_a_byline_at_the_end_closes_the_story_and_its_service_box_belongs_to_it():
    page = (
        "社区征集节水点子\n\n市水务局向居民征集节水办法。\n\n怎么参加\n\n一人可以提交多条。\n\n记者 高远\n\n"
        "意见请于4月3日前发送至water@city.example,并注明联系人。\n\n联系人:水务局韩先生\n\n"
        "新书店开张\n\n书店昨天迎来第一批读者。\n\n记者 林见微\n\n图片由书店提供\n"
    )
    stories = read(page)
    assert [(s.title, s.byline) for s in stories] == [("社区征集节水点子", "高远"), ("新书店开张", "林见微")]
    assert stories[0].text.endswith("联系人:水务局韩先生")
    assert stories[1].text.endswith("图片由书店提供")


def test_a_byline_below_a_signed_story_opens_the_next():
    page = (
        "新桥通车\n\n本报讯(记者 高远)新桥昨天通车。\n\n\n\n本报记者 白露\n\n"
        "昨日,一场宣讲在广场举行,没有固定的讲台。\n\n"
        "老街修缮\n\n本报讯(记者 高远)修缮昨天开工。\n"
    )
    assert [(s.title, s.byline) for s in read(page)] == [("新桥通车", "高远"), ("", "白露"), ("老街修缮", "高远")]


def test_a_lost_picture_inside_a_sentence_is_no_border():
    page = (
        "公园开放\n\n本报讯(记者 高远)公园改造完成。\n\n据悉,公园拟于22\n\n"
        "\n\n日开放,当天免票。\n\n新桥通车\n\n本报讯(记者 白露)新桥昨天通车。\n"
    )
    stories = read(page)
    assert [s.title for s in stories] == ["公园开放", "新桥通车"]
    assert "拟于22日开放" in stories[0].text


def test_a_caption_beside_a_picture_does_not_end_the_story_around_it():
    page = (
        "老街修缮\n\n本报讯(记者 高远)修缮工程昨天开工,42处老屋将按原样修复,工期预计14个月,"
        "其间游客可以从东侧的石阶上山,车\n\n\n\n"
        "昨日,学生在广场放风筝。\n记者 白露 摄\n\n辆需要绕行。\n\n新桥通车\n\n本报讯(记者 白露)新桥昨天通车。\n"
    )
    stories = read(page)
    assert [(s.title, s.kind) for s in stories] == [
        ("老街修缮", ArticleKind.ARTICLE),
        ("", ArticleKind.PHOTO_CAPTION),
        ("新桥通车", ArticleKind.ARTICLE),
    ]
    assert stories[0].text.endswith("车辆需要绕行。")


def test_paragraphs_read_across_two_columns_return_to_their_story():
    page = (
        "渔业合作座谈会召开\n\n本报讯(记者 刘平)渔业合作座谈会昨天召开。会议指出,渔业合作是沿海乡镇的重要工作,"
        "要夯实渔业合作基础。\n\n"
        "机器人走进课堂\n\n本报讯(记者 王睿)五所小学开设机器人课程,学生用积木搭建机械臂。\n\n"
        "老师发现,平时内向的孩子在机器人课堂上与同学\n\n"
        "渔业合作要在沿海乡镇推广,座谈会还交流了渔业合作的经验。\n\n"
        "机器人课程下学期将扩大到更多小学,积木和机械臂由学校提供。\n"
    )
    fish, robots = read(page)
    assert fish.text.endswith("座谈会还交流了渔业合作的经验。")
    assert "渔业" not in robots.text
    assert robots.text.endswith("与同学\n\n机器人课程下学期将扩大到更多小学,积木和机械臂由学校提供。")


def test_agency_page_with_masthead_in_single_line_breaks():
    page = (
        "第3版 要闻\n2024年5月17日 星期五\n云陵启动管网更新\n新华社云陵5月16日电（记者 方启明、白小川）"
        "云陵市16日启动管网更新。\n"
        "青山油茶丰收\n新华社青山5月16日电　青山县今年产值预计超过9亿元。\n"
        "这是5月16日拍摄的油茶基地。新华社记者 白小川 摄\n责任编辑：李某\n"
    )
    stories = read(page)
    assert [(s.title, s.byline, s.kind.value) for s in stories] == [
        ("云陵启动管网更新", "方启明 白小川", "article"),
        ("青山油茶丰收", "新华社", "article"),
        ("", "白小川 摄", "photo_caption"),
    ]
    assert {str(s.date) for s in stories} == {"2024-05-17"}
    assert not any("责任编辑" in s.text or "第3版" in s.text for s in stories)


def test_names_in_brackets_at_the_end_close_a_story():
    page = (
        "急救培训进校园\n\n昨天，600名学生学会了心肺复苏。(记者 高远 通讯员 潘晓)\n\n"
        "公交线路调整\n\n从今天起，12路延长到东站。（记者 白露）\n"
    )
    assert [(s.title, s.byline) for s in read(page)] == [("急救培训进校园", "高远 潘晓"), ("公交线路调整", "白露")]


def test_english_page_joins_with_a_space():
    page = (
        "City opens riverside library\nNew building has room for 400,000 books\nBy ANNA MEYER\n\n"
        "The city opened its library on Monday. Students may borrow laptops for the length of a whole school\n\n"
        "semester without paying a deposit, the mayor said.\n\n"
        "Ferry returns to service\nBy JOHN O'HARA\n\nThe ferry returned to service on Tuesday.\n"
    )
    library, ferry = read(page)
    assert (library.title, library.byline) == ("City opens riverside library", "ANNA MEYER")
    assert library.subtitle == "New building has room for 400,000 books"
    assert "a whole school semester" in library.text
    assert library.spans == ()
    assert (ferry.title, ferry.byline) == ("Ferry returns to service", "JOHN O'HARA")


def test_defaults_fill_source_and_date():
    import datetime as dt

    stories = read(PAGE, date=dt.date(2025, 1, 2), source="云陵晨报")
    assert {(s.source, s.date) for s in stories} == {("云陵晨报", dt.date(2025, 1, 2))}


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("本报讯(记者 方启明)昨天开工。", Role.LEAD),
        ("本报云陵5月6日电（记者 方启明）昨天开工。", Role.LEAD),
        ("【本报讯】昨天开工。", Role.LEAD),
        ("据新华社北京5月6日电 昨天开工。", Role.LEAD),
        ("（记者 方启明）昨天开工。", Role.LEAD),
        ("BEIJING, Jan. 5 (Xinhua) -- China opened a new line.", Role.LEAD),
        ("■记者 方启明", Role.BYLINE),
        ("□ 方启明", Role.BYLINE),
        ("本报记者 方启明 通讯员 白小川 文/摄", Role.BYLINE),
        ("■ 延伸阅读", Role.HEADLINE),
        ("记者手记", Role.HEADLINE),
        ("（上接第1版）", Role.CONTINUED),
        ("(下转第3版)", Role.JUMP),
        ("记者 方启明 摄", Role.PHOTO),
        ("航空拍摄", Role.HEADLINE),
        ("城市规划图", Role.HEADLINE),
        ("图片由区融媒体中心提供", Role.CREDIT),
        ("联系电话：0999-5550000", Role.SERVICE),
        ("责任编辑：李某", Role.FURNITURE),
        ("2024年5月17日 星期五", Role.FURNITURE),
        ("2025年12月1日起施行新规", Role.HEADLINE),
        ("协同发展,让小城更有活力", Role.HEADLINE),
        ("当日,清单已交由相关区办理。", Role.BODY),
    ],
)
def test_role_of_a_line(line, role):
    assert role_of(line) is role


def test_names():
    assert names_of("■ 本报记者 张三 通讯员 李四 文/摄") == "张三 李四"
    assert lead_names("本报讯 记者张三报道 昨天开工。") == "张三"
    assert lead_names("本报讯 昨天开工。") is None


def test_detection():
    assert looks_like_newspaper(PAGE)
    assert looks_like_newspaper("新桥通车\n\n本报讯(记者 高远)新桥昨天通车。\n")
    assert not looks_like_newspaper("新桥通车\n\n新桥昨天通车,记者走访发现车流平稳。\n\n市民说方便多了。\n")
    assert not looks_like_newspaper("A short note.\n\nNothing else.\n")


def test_every_story_is_the_concatenation_of_its_spans():
    """Property: for pages shuffled from all kinds of lines, spans give the text, rise, and do not overlap."""
    lines = [line for line in PAGE.split("\n") if line] + [
        "\u200b",
        "★★★",
        "(下转第3版)",
        "新书\u200b店\u202e开张",
        "　　缩进的一段话。",
        "22",
    ]
    rng = random.Random(7)
    for _ in range(300):
        page = unify(
            "".join(
                rng.choice(lines) + rng.choice(["\n", "\n\n", "\r\n", "\n\n\n\n", " \n \n"])
                for _ in range(rng.randint(1, 25))
            )
        )
        taken: list[tuple[int, int]] = []
        for story in read_newspaper(page, "p.txt", Defaults()):
            assert "".join(page[start:end] for start, end in story.spans) == story.text
            assert 0 <= story.body_start <= len(story.text)
            assert list(story.spans) == sorted(story.spans)
            assert "\n\n\n" not in story.text
            taken += story.spans
        ordered = sorted(taken)
        assert all(a[1] <= b[0] for a, b in zip(ordered, ordered[1:], strict=False))
