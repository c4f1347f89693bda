"""The page on a slow line and a busy processor, by the DevTools protocol: it comes to rest and keeps what was begun."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from page_client import served
from playwright.sync_api import Browser, Page, expect, sync_playwright
from ui_support import FakeAssistant, FakeLibrary

from ui.app import build_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
STARTING_CALLS = 2
"""One for the page, one for the evaluation tab."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(FakeLibrary(tmp_path_factory.mktemp("slow")), FakeAssistant(0.02)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Throttled:
    """A page behind a slow line on a slow processor, and the calls it makes."""

    def __init__(self, browser: Browser, latency_ms: int, slowdown: int) -> None:
        self.context = browser.new_context(locale="zh-CN")
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.calls: list[str] = []
        self.page.on("request", lambda sent: self.calls.append(sent.url) if sent.method == "POST" else None)
        protocol = self.context.new_cdp_session(self.page)
        protocol.send("Network.enable")
        line = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
        protocol.send("Network.emulateNetworkConditions", line)
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        self.latency_s = latency_ms / 1000

    def direct(self) -> int:
        """Calls past the queue, as those of the start are."""
        return sum(call.endswith("/run/predict") for call in self.calls)

    def rest(self) -> None:
        """Wait until nothing was called for some round trips."""
        quiet_s, deadline = 2 + 3 * self.latency_s, time.monotonic() + PATIENCE_MS / 1000
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < quiet_s:
            assert time.monotonic() < deadline, f"never at rest: {len(self.calls)} calls"
            if len(self.calls) != seen:
                seen, since = len(self.calls), time.monotonic()
            self.page.wait_for_timeout(100)


CONDITIONS = [(300, 1), (450, 1), (700, 1), (1600, 1), (0, 3), (0, 6), (300, 4)]


@pytest.fixture(params=CONDITIONS, ids=lambda condition: f"{condition[0]}ms-cpu-x{condition[1]}")
def throttled(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Throttled]:
    throttled = Throttled(browser, *request.param)
    yield throttled
    throttled.context.close()


def asked(page: Page, question: str) -> None:
    """Type and send as soon as the page lets one, whether it is ready or not."""
    box = page.locator("#jw-box textarea")
    box.wait_for()
    box.fill(question)
    box.press("Enter")


@pytest.mark.timeout(400)
def test_it_comes_to_rest_and_keeps_what_was_begun(throttled: Throttled, site: str) -> None:
    page = throttled.page
    page.goto(site, wait_until="commit", timeout=PATIENCE_MS)
    asked(page, "青榆大桥全长多少米？")
    answer = page.locator("#jw-chat .jw-answer .jw-made")
    answer.wait_for()
    throttled.rest()
    assert throttled.direct() == STARTING_CALLS
    expect(page.locator(".jw-question")).to_have_count(1)
    expect(page.locator("#jw-chat .jw-answer")).to_contain_text("1260米")

    throttled.calls.clear()
    page.reload(wait_until="commit", timeout=PATIENCE_MS)
    answer.wait_for()
    asked(page, "它什么时候通车？")
    answer.nth(1).wait_for()
    throttled.rest()
    assert throttled.direct() == STARTING_CALLS
    expect(page.locator(".jw-question")).to_have_count(2)


@pytest.mark.timeout(400)
def test_what_is_sent_before_the_page_is_ready_waits_and_is_kept(browser: Browser, site: str) -> None:
    throttled = Throttled(browser, 1600, 1)
    page = throttled.page
    page.goto(site, wait_until="commit", timeout=PATIENCE_MS)
    page.locator("#jw-box textarea").wait_for(state="attached")
    page.evaluate("document.documentElement.classList.add('jw-ready')")  # as after five seconds
    asked(page, "青榆大桥全长多少米？")
    assert page.locator("#jw-granted textarea").input_value() == "", "the test came too late"
    page.locator("#jw-chat .jw-answer .jw-made").wait_for()
    throttled.rest()
    expect(page.locator(".jw-question")).to_have_count(1)
    expect(page.locator("#jw-box textarea")).to_have_value("")
    expect(page.locator("#jw-hero")).to_be_hidden()

    throttled.calls.clear()
    page.locator("#jw-switch-language").click()
    page.locator("#jw-switch-language").click()
    page.locator("#jw-switch-language").click()
    asked(page, "大桥什么时候通车？")
    page.locator("#jw-chat .jw-answer .jw-made").nth(1).wait_for()
    throttled.rest()
    assert throttled.direct() <= 3 * STARTING_CALLS
    expect(page.locator(".jw-question")).to_have_count(2)
    expect(page.locator("#jw-ask-button")).to_have_text("Ask")
    throttled.context.close()


def test_no_two_deferred_listeners_hear_the_same_event(tmp_path: Path) -> None:
    """Gradio wakes all listeners of an event when one that was deferred is due: two such wake each other for ever."""
    page = build_app(FakeLibrary(tmp_path), FakeAssistant())  # type: ignore[arg-type]
    heard = [
        tuple(target)
        for event in page.config["dependencies"]
        if event["trigger_mode"] == "always_last"
        for target in event["targets"]
    ]
    assert sorted(set(heard), key=str) == sorted(heard, key=str)
