import datetime as dt
from pathlib import Path

from rag.config import EXAMPLES_DIR
from rag.suggestions import example_questions
from rag.types import Article


def article(number: int, text: str, file: str = "a.txt", date: dt.date | None = None) -> Article:
    return Article(id=f"a#{number}", title="", text=text, file=file, date=date)


def test_amounts_become_questions_newest_first() -> None:
    articles = [
        article(1, "云州新建智能工厂数量达到128家，居全省首位。", date=dt.date(2025, 1, 1)),
        article(
            2,
            "其中超过50家。\n去年，云州港集装箱吞吐量突破300万标箱。云州注册志愿者人数超过9万人。",
            date=dt.date(2025, 6, 1),
        ),
        article(3, "没有数字的一篇。"),
    ]
    assert example_questions(articles, "zh") == ["云州注册志愿者人数超过多少人？", "云州新建智能工厂数量达到多少家？"]


def test_english_amounts() -> None:
    text = "Good news. The new coastal tramway opens on 3 May after four years."
    assert example_questions([article(1, text)], "en") == ["When does the new coastal tramway open?"]


def test_nothing_to_ask_about() -> None:
    assert example_questions([], "zh") == []
    assert example_questions([article(1, "一句话。")], "zh") == []


def test_the_sample_library_has_hand_picked_questions() -> None:
    sample = [article(1, "…", file=str(EXAMPLES_DIR / "library" / "x.txt"))]
    for language in ("zh", "en"):
        assert len(example_questions(sample, language)) == 3
    mixed = [*sample, article(2, "云州新建智能工厂数量达到128家。", file=str(Path("other") / "y.txt"))]
    assert example_questions(mixed, "zh") == ["云州新建智能工厂数量达到多少家？"]
