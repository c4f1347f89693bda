"""The page in headless Chromium, over a real index of invented articles and the shipped models."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")

from page_client import served
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from ui_support import FakeAssistant, FakeLibrary

from rag.config import Settings
from rag.library import Library
from ui.server import listen

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.timeout(600),
]
PATIENCE_MS = 60_000
"""For a machine that is busy with other things; nothing here waits that long otherwise."""
expect.set_options(timeout=PATIENCE_MS)

QUOTE = "青榆大桥全长1260米，双向六车道，两侧各设三米宽的步道。"
ARTICLES = [
    {
        "文章标识符aid": "b-1",
        "标题title": "青榆大桥本月建成",
        "链接url": "https://news.example/bridge",
        "时间time": "2026-01-19",
        "公众号名称": "河畔日报",
        "finalContent": f"青榆大桥位于城西，连接老城与新港区。\n{QUOTE}\n大桥由河畔建工承建，历时三年，有八百名工人。\n"
        "通车当天，许多市民沿步道走到江心看日落。" + "\n沿江的老街也在同一周换上了新路灯。" * 30,
    },
    {
        "文章标识符aid": "b-3",
        "标题title": "苹果园小学的新操场",
        "链接url": "https://news.example/school",
        "时间time": "2025-11-03",
        "公众号名称": "城东晚报",
        "finalContent": "苹果园小学的新操场九月启用，跑道长二百五十米。\n校长说，孩子们终于有了自己的足球场。",
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    source = folder / "export.txt"
    source.write_text(json.dumps(ARTICLES, ensure_ascii=False), "utf-8")
    with Library(folder / "index", Settings(), create=True) as library:
        report = library.ingest([source])
    assert report.articles == len(ARTICLES)
    return folder / "index"


@pytest.fixture(scope="module")
def site(index: Path) -> Iterator[str]:
    with Library(index, Settings()) as library, served(library, library.assistant) as url:
        yield url


@pytest.fixture(scope="module")
def fake_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(FakeLibrary(tmp_path_factory.mktemp("fake")), FakeAssistant(0.05)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Visits:
    """Opens pages; whatever they request and complain about is recorded. Same options share a browser profile."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: dict[str, BrowserContext] = {}
        self._opened: list[Page] = []
        self._requests: dict[Page, list[str]] = {}
        self._errors: list[str] = []

    def __call__(self, url: str, **options: Any) -> Page:
        page = self.context(**options).new_page()
        requests = self._requests[page] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        self._opened.append(page)
        page.goto(url)
        page.locator("html.jw-ready #jw-box textarea").wait_for()
        return page

    def context(self, **options: Any) -> BrowserContext:
        settings = {"locale": "zh-CN", "viewport": {"width": 1440, "height": 900}} | options
        key = json.dumps(settings)
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(**settings)
            self._contexts[key].set_default_timeout(PATIENCE_MS)
        return self._contexts[key]

    def outside(self, page: Page, url: str) -> list[str]:
        """Requests of `page` that went anywhere but `url`."""
        requests = self._requests[page]
        assert len(requests) > 10
        return [request for request in requests if not request.startswith((url, "data:", "blob:"))]

    def end(self) -> None:
        """Close what a test has opened; the page must not have failed anywhere."""
        while self._opened:
            self._opened.pop().close()
        errors, self._errors = self._errors, []
        assert errors == []


@pytest.fixture(scope="module")
def visits(browser: Browser) -> Visits:
    return Visits(browser)


@pytest.fixture
def visit(visits: Visits) -> Iterator[Visits]:
    yield visits
    visits.end()


def ask(page: Page, question: str) -> None:
    """Type, press Enter and wait for the finished answer."""
    finished = page.locator("#jw-chat .jw-made, #jw-chat .jw-trouble")
    before = finished.count()
    page.locator("#jw-box textarea").fill(question)
    page.keyboard.press("Enter")
    finished.nth(before).wait_for()


def test_ask_click_the_citation_and_see_the_span(site: str, visit: Visits) -> None:
    page = visit(site)
    ask(page, "青榆大桥全长多少米？")
    answer = page.locator(".jw-answer")
    expect(answer.locator("strong").first).to_contain_text("1260米")
    expect(answer.locator(".jw-refs")).to_contain_text("河畔日报 2026年1月19日")

    answer.locator(".jw-text a.jw-chip").first.click()
    card = page.locator("details.jw-card[open].jw-lit")
    expect(card).to_contain_text("青榆大桥本月建成")
    mark = card.locator("mark")
    expect(mark).to_be_in_viewport()
    assert mark.inner_text() in QUOTE and "1260米" in mark.inner_text()
    link = card.locator("a.jw-link")
    assert link.get_attribute("href") == "https://news.example/bridge"
    assert "noopener" in (link.get_attribute("rel") or "")

    card.locator("button.jw-story").click()
    expect(card.locator(".jw-story-text")).to_contain_text("看日落")
    expect(card.locator("mark")).to_be_in_viewport()
    card.locator("button.jw-story").click()
    expect(card.locator(".jw-story-text")).to_have_count(0)
    assert visit.outside(page, site) == []


def test_a_conversation_survives_reload_and_restart_and_can_be_deleted(site: str, index: Path, visit: Visits) -> None:
    page = visit(site)
    ask(page, "苹果园小学的跑道有多长？")
    page.reload()
    expect(page.locator(".jw-question")).to_contain_text("苹果园小学的跑道有多长？")
    expect(page.locator(".jw-answer .jw-made")).to_be_visible()

    with Library(index, Settings()) as library, served(library, library.assistant) as restarted:
        page = visit(restarted)
        page.locator("#jw-menu").click()
        entry = page.locator("#jw-conversations label", has_text="苹果园小学的跑道有多长？")
        entry.click()
        expect(page.locator(".jw-question")).to_contain_text("苹果园小学的跑道有多长？")
        page.locator("#jw-delete").click()
        page.locator("#jw-drawer .jw-confirm button.primary").click()
        expect(entry).to_have_count(0)
        expect(page.locator("#jw-hero")).to_be_visible()
        page.reload()
        page.locator("html.jw-ready #jw-hero").wait_for()
        expect(page.locator(".jw-question")).to_have_count(0)
        assert visit.outside(page, restarted) == []


def test_language_follows_the_browser_and_switches_in_place(site: str, visit: Visits) -> None:
    page = visit(site, locale="en-GB")
    page.locator("#jw-menu").click()
    expect(page.locator("#jw-box textarea")).to_have_attribute("placeholder", "Ask the articles a question…")
    ask(page, "青榆大桥全长多少米？")
    expect(page.locator(".jw-made")).to_contain_text("Quoted sentences")
    drawer = page.locator("#jw-drawer").inner_text()
    for title in page.locator("#jw-conversations label").all_inner_texts():
        drawer = drawer.replace(title, "")
    left = re.findall("[一-鿿]+", drawer)
    assert left == [], "the whole drawer speaks English"
    page.evaluate("window.stillHere = true")

    page.locator("#jw-switch-language").click()
    expect(page.locator(".jw-made")).to_contain_text("原文摘句")
    expect(page.locator("#jw-ask-button")).to_have_text("提问")
    expect(page.locator("#jw-box textarea")).to_have_attribute("placeholder", "问一个报道里能找到答案的问题……")
    expect(page.locator("#jw-box .submit-button")).to_have_text("提问")
    assert page.evaluate("[window.stillHere, document.documentElement.lang]") == [True, "zh"]

    ask(page, "那它有几条车道？")
    expect(page.locator("#jw-box textarea")).to_have_attribute("placeholder", "问一个报道里能找到答案的问题……")
    page.reload()
    expect(page.locator("#jw-ask-button")).to_have_text("提问")


def test_hostile_articles_and_questions_stay_text(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    ask(page, "每天生产多少墨水？")
    page.locator(".jw-text a.jw-chip").first.click()
    card = page.locator("details.jw-card[open]")
    expect(card.locator(".jw-card-title")).to_contain_text("<script>window.hacked=1</script>")
    expect(card.locator("a.jw-link")).to_have_count(0)
    card.locator("button.jw-story").click()
    expect(card.locator(".jw-story-text")).to_contain_text("![leak](http://evil.example/leak.png)")
    ask(page, '<img src=x onerror="window.hacked=1"> ![x](http://evil.example/q.png)\n\n**墨水**？')
    expect(page.locator(".jw-question").last).to_contain_text("![x](http://evil.example/q.png)")
    page.locator("#jw-library-button").click()
    page.locator(".jw-row", has_text="恶意标题").click()
    expect(page.locator(".jw-reader h2")).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#jw-chat img, #jw-library img, #jw-chat script, #jw-chat form").count() == 0
    assert visit.outside(page, fake_site) == []


def test_files_are_added_searched_and_removed(site: str, visit: Visits, tmp_path: Path) -> None:
    page = visit(site)
    page.locator("#jw-library-button").click()
    good, empty = tmp_path / "灯塔.txt", tmp_path / "空.txt"
    good.write_text("银湾灯塔重新点亮\n\n银湾灯塔停用十一年后，于上周六重新点亮，光程二十海里。", "utf-8")
    empty.write_text("", "utf-8")
    page.locator("#jw-library input[type=file]").set_input_files([good, empty])
    expect(page.locator("#jw-status .jw-ok")).to_contain_text("灯塔.txt")
    expect(page.locator("#jw-status .jw-skipped")).to_contain_text("空.txt")

    find = page.locator("#jw-find input")
    find.fill("河畔日报")
    expect(page.locator(".jw-row")).to_have_count(1)
    find.fill("灯塔 光程")
    find.press("Enter")
    hit = page.locator(".jw-hit").first
    expect(hit).to_contain_text("字面第 1")
    hit.click()
    expect(page.locator(".jw-reader mark").first).to_contain_text("银湾灯塔")

    bad = tmp_path / "<img src=x onerror=window.hacked=1>.txt"
    bad.write_text("<script>window.hacked=1</script>\n\n一篇短文，![x](http://evil.example/f.png)。", "utf-8")
    page.locator("#jw-library input[type=file]").set_input_files(bad)
    expect(page.locator("#jw-status .jw-ok")).to_contain_text("onerror=window.hacked=1")
    assert page.evaluate("window.hacked") is None and visit.outside(page, site) == []

    page.locator("#jw-remove").click()
    expect(page.locator("#jw-shelf-reader .jw-confirm")).to_be_visible()
    page.locator("#jw-confirm-remove").click()
    expect(page.locator("#jw-status")).to_contain_text("已移出")
    expect(page.locator(".jw-reader")).to_have_count(0)
    find.fill("灯塔")
    expect(page.locator("#jw-listing")).to_contain_text("没有符合的报道")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_sources_under_the_answer_without_sideways_scrolling(
    fake_site: str, visit: Visits, scheme: str
) -> None:
    page = visit(fake_site, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.locator(".jw-example").first.click()
    page.locator(".jw-made").wait_for()
    ask(page, "墨水")
    ask(page, "天气")
    answer, cards = page.locator(".jw-answer").nth(1), page.locator(".jw-answer").nth(1).locator(".jw-cards")
    text, below = answer.locator(".jw-text").bounding_box(), cards.bounding_box()
    assert text and below and below["y"] >= text["y"] + text["height"]
    page.locator("#jw-library-button").click()
    page.locator(".jw-row").first.click()
    expect(page.locator(".jw-reader")).to_be_in_viewport()
    page.locator(".jw-back").click()
    expect(page.locator(".jw-row").first).to_be_visible()
    for tab in ("#jw-ask-button", "#jw-library-button"):
        page.locator(tab).click()
        wide = page.evaluate(
            "() => [...document.querySelectorAll('html, body, .gradio-container *')].filter((e) => e.checkVisibility()"
            " && !e.closest('.jw-sr, .visually-hidden, .sr-only, #jw-wish')"
            " && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + '.' + e.className)"
        )
        assert wide == []
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")
    page.locator("#jw-switch-theme").click()
    assert page.evaluate("document.body.classList.contains('dark')") != dark


def test_the_keyboard_is_enough(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    expect(page.locator("#jw-box textarea")).to_be_focused()
    page.keyboard.type("大桥全长多少米？")
    page.keyboard.press("Enter")
    page.locator(".jw-made").wait_for()
    chip = page.locator(".jw-text a.jw-chip")
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if chip.evaluate("(chip) => chip === document.activeElement"):
            break
    expect(chip).to_be_focused()
    assert chip.evaluate("(chip) => getComputedStyle(chip).outlineStyle") == "solid"
    assert chip.inner_text().split() == ["来源", "[1]"]
    page.keyboard.press("Enter")
    expect(page.locator(".jw-lit .jw-quote")).to_be_focused()
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('button, a, input, textarea, summary, [role=button]')]"
        ".filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.getAttribute('aria-label') || e.title"
        " || e.labels?.[0]?.textContent.trim() || e.getAttribute('aria-labelledby')))"
        ".map((e) => e.outerHTML.slice(0, 120))"
    )
    assert nameless == []


def test_stop_and_refusal_and_doubtful_sentences(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    page.locator("#jw-box textarea").fill("慢慢说")
    page.keyboard.press("Enter")
    page.locator(".jw-growing").wait_for()
    page.locator("#jw-box .stop-button").click()
    expect(page.locator(".jw-aside")).to_contain_text("已停止")
    expect(page.locator("#jw-box .submit-button")).to_be_visible()

    ask(page, "明天天气怎么样？")
    refusal = page.locator(".jw-refused")
    expect(refusal).to_contain_text("相关报道，并非答案")
    refusal.locator("summary").first.click()
    refusal.locator("button.jw-story").first.click()
    expect(refusal.locator(".jw-story-text mark")).to_be_visible()

    ask(page, "有多少座位？")
    doubtful = page.locator(".jw-answer").last
    expect(doubtful).to_contain_text("未见依据")
    expect(doubtful).to_contain_text("引文中没有：350")
    expect(doubtful).to_contain_text("tiny-writer")


def test_leaving_a_running_answer_does_not_disturb_the_next_conversation(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    page.locator("#jw-menu").click()
    page.locator("#jw-box textarea").fill("慢慢说")
    page.keyboard.press("Enter")
    page.locator(".jw-growing").wait_for()
    page.locator("#jw-new").click()
    expect(page.locator("#jw-hero")).to_be_visible()
    time.sleep(0.6)
    expect(page.locator("#jw-hero")).to_be_visible()
    ask(page, "大桥全长多少米？")
    expect(page.locator(".jw-question")).to_have_text(["你问：大桥全长多少米？"])
    page.locator("#jw-conversations label", has_text="慢慢说").first.click()
    expect(page.locator(".jw-aside")).to_contain_text("已停止")


def test_an_answer_is_copied_with_its_sources(fake_site: str, visit: Visits) -> None:
    visit.context().grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit(fake_site)
    ask(page, "大桥全长多少米？")
    page.locator(".jw-copy").click()
    expect(page.locator(".jw-copy")).to_contain_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()") == (
        "**大桥全长多少米？**\n\n大桥全长1260米，双向六车道，两侧各设三米宽的步道。[^1]\n\n"
        "[^1]: 《青榆大桥本月建成通车》，河畔日报，2026-01-19，https://news.example/bridge："
        "“大桥全长1260米，双向六车道，两侧各设三米宽的步道。”\n"
    )


def test_an_answer_and_the_conversation_are_exported_by_one_click(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    expect(page.locator("#jw-export-all")).to_be_hidden()
    ask(page, "大桥全长多少米？")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"导出这一回答：\s*Markdown")).click()
    assert re.fullmatch(r"jinwen-[\d-]+-大桥全长多少米\.md", download.value.suggested_filename)
    assert "[^1]: 《青榆大桥本月建成通车》，河畔日报，2026-01-19" in Path(download.value.path()).read_text("utf-8")
    page.locator("#jw-menu").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"导出整个对话：\s*Word")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")
    page.route("**/jinwen/export*", lambda route: route.fulfill(status=404))
    page.get_by_role("button", name=re.compile(r"导出这一回答：\s*BibTeX")).click()
    expect(page.locator(".jw-answer .jw-export.jw-2")).to_contain_text("未能导出")


def test_filters_are_used_and_named_above_the_box(fake_site: str, visit: Visits) -> None:
    page = visit(fake_site)
    page.locator("#jw-menu").click()
    page.locator(".jw-date input").first.fill("2026-01-02")
    expect(page.locator("#jw-filter-row")).to_contain_text("2026-01-02 起")
    page.locator(".jw-date input").last.fill("2025-01-02")
    ask(page, "大桥全长多少米？")
    expect(page.locator(".jw-trouble")).to_contain_text("起始日期 2026-01-02 晚于截止日期 2025-01-02")
    page.locator("#jw-filter-row button").click()
    expect(page.locator("#jw-filter-row")).to_be_hidden()
    ask(page, "大桥全长多少米？")
    expect(page.locator(".jw-answer")).to_have_count(1)


def test_the_server_stops_on_ctrl_c(index: Path) -> None:
    import signal
    import subprocess
    import sys

    with listen(0) as free:
        port = free.getsockname()[1]
    code = (
        "import sys; from pathlib import Path; from rag.config import Settings; from rag.library import Library\n"
        "from ui.app import serve\n"
        f"with Library(Path({str(index)!r}), Settings()) as library: serve(library, library.assistant, port={port})"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert f"http://127.0.0.1:{port}/" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    assert "Traceback" not in errors
