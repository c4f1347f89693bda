"""The evaluation tab in headless Chromium, over a real index of invented articles and the shipped models."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect, sync_playwright

from rag.config import Settings
from rag.library import Library
from ui.app import build_app
from ui.server import listen, make_server_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.timeout(600),
]
PATIENCE_MS = 60_000
"""For a machine that is busy with other things; nothing here waits that long otherwise."""
expect.set_options(timeout=PATIENCE_MS)
BRIDGE = "青榆大桥全长1260米，双向六车道，两侧各设三米宽的步道。"
ARTICLE = f"青榆大桥本月建成\n\n青榆大桥位于城西。\n{BRIDGE}\n大桥由河畔建工承建，历时三年，有八百名工人。\n"
QUESTIONS = [
    {"id": "a", "question": "青榆大桥全长多少米？", "lang": "zh", "type": "fact", "answers": ["1260米"],
     "evidence": ["青榆大桥全长1260米"]},
    {"id": "<i>b", "question": "青榆大桥<img src=x onerror=window.hacked=1>有几条车道？", "lang": "zh", "type": "fact",
     "answers": ["八车道"], "evidence": ["双向六车道"]},
]  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    import uvicorn

    source = tmp_path / "桥.txt"
    source.write_text(ARTICLE, "utf-8")
    with Library(tmp_path / "index", Settings(), create=True) as library, sync_playwright() as playwright:
        library.ingest([source])
        listener = listen(0)
        port, runs = listener.getsockname()[1], tmp_path / "runs"
        app = make_server_app(build_app(library, library.assistant, runs), library, port, runs)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
            context.set_default_timeout(PATIENCE_MS)
            errors: list[str] = []
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(f"http://127.0.0.1:{port}/")
            page.locator("html.jw-ready #jw-box textarea").wait_for()
            yield page
            assert errors == []
            assert page.evaluate("window.hacked") is None
        finally:
            browser.close()
            server.should_exit = True
            thread.join(10)
            listener.close()


def run_set(page: Page, name: str) -> None:
    page.locator("#jw-ev-name input").fill(name)
    page.locator("#jw-ev-run").click()
    expect(page.locator("#jw-ev-result .jw-ev-title")).to_have_text(name)


def test_from_the_chat_to_a_run_a_comparison_and_an_explanation(page: Page, tmp_path: Path) -> None:
    page.locator("#jw-box textarea").fill("青榆大桥全长多少米？")
    page.keyboard.press("Enter")
    page.locator(".jw-keep").click()
    expect(page.locator("#jw-ev-e-question textarea")).to_have_value("青榆大桥全长多少米？")
    expect(page.locator("#jw-ev-e-evidence textarea")).to_have_value(BRIDGE)
    page.wait_for_timeout(1_000)  # the page may still be filling in the form, and nobody types sooner
    page.locator("#jw-ev-e-evidence textarea").fill("大桥全长九千米")
    expect(page.locator("#jw-ev-e-evidence textarea")).to_have_value("大桥全长九千米")
    page.locator("#jw-ev-save").click()
    expect(page.locator("#jw-ev-outcome")).to_contain_text("证据不在任何报道里，须逐字引用：“大桥全长九千米”")

    file = tmp_path / "bridge.jsonl"
    file.write_text("".join(json.dumps(q, ensure_ascii=False) + "\n" for q in QUESTIONS), "utf-8")
    page.locator("#jw-ev-sets input[type=file]").set_input_files(file)
    expect(page.locator("#jw-ev-set-status")).to_contain_text("已导入“bridge”：2 题")

    page.locator("#jw-ev-runs-button").click()
    run_set(page, "甲")
    expect(page.locator("#jw-ev-result .jw-ev-headline")).to_have_text("50.0 % 答对，50.0 % 答对且有据")
    row = page.locator("#jw-ev-result tr.jw-ev-overall")
    expect(row.locator("td").first).to_have_text("2")
    expect(page.locator("#jw-ev-failed")).to_contain_text("未通过的问题 1 / 2")
    failure = page.locator("#jw-ev-failed details")
    failure.locator("summary").click()
    expect(failure).to_contain_text("<img src=x onerror=window.hacked=1>有几条车道？")
    expect(failure).to_contain_text("八车道")

    page.locator("#jw-ev-runs .jw-ev-radio label", has_text="从严").click()
    run_set(page, "乙")
    expect(page.locator("button.jw-ev-run .jw-row-title")).to_have_text(["乙", "甲"])
    page.locator("#jw-ev-compare-button").click()
    page.locator("#jw-ev-do-compare").click()
    expect(page.locator("#jw-ev-comparison .jw-ev-title")).to_have_text("甲 → 乙")
    expect(page.locator("#jw-ev-comparison")).to_contain_text("拒答松紧：适中 → 从严")

    page.locator("#jw-ev-runs-button").click()
    page.locator("#jw-ev-failed summary").last.click()
    page.locator("#jw-ev-failed .jw-tell").last.click()
    expect(page.locator("#jw-ev-why-expect input")).to_have_value("双向六车道")
    expect(page.locator("#jw-ev-explanation .jw-ev-passage")).to_contain_text(BRIDGE)

    page.locator("#jw-switch-language").click()
    expect(page.locator("#jw-ev-explanation")).to_contain_text("Passages that hold it")
    page.locator("#jw-ev-runs-button").click()
    expect(page.locator("#jw-ev-result")).to_contain_text("Citation precision")
    page.locator("#jw-ev-delete").click()
    page.locator("#jw-ev-confirm-delete").click()
    expect(page.locator("button.jw-ev-run .jw-row-title")).to_have_text(["甲"])
    expect(page.locator("#jw-ev-status")).to_contain_text("Deleted “乙”.")


def test_a_page_loaded_again_can_stop_the_run_and_says_why_it_cannot_go_on(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    many = [{**QUESTIONS[0], "id": str(number)} for number in range(2_000)]
    file.write_text("".join(json.dumps(q, ensure_ascii=False) + "\n" for q in many), "utf-8")
    page.locator("button[role=tab]", has_text="评测").click()
    page.locator("#jw-ev-runs input[type=file]").set_input_files(file)
    expect(page.locator("#jw-ev-status")).to_contain_text("已导入“long”：2000 题")
    page.locator("#jw-ev-name input").fill("长跑")
    page.locator("#jw-ev-run").click()
    expect(page.locator("#jw-ev-status")).to_contain_text("/ 2000 题")
    page.reload()
    page.locator("html.jw-ready #jw-box textarea").wait_for()
    page.locator("button[role=tab]", has_text="评测").click()
    page.locator("#jw-ev-stop").click()
    expect(page.locator("#jw-ev-status")).to_contain_text("“长跑”已停止。")
    expect(page.locator("#jw-ev-resume")).to_be_visible()
    bridge = tmp_path / "新桥.txt"
    bridge.write_text("云河新桥开放\n\n云河新桥全长880米，今天开放。\n", "utf-8")
    page.locator("button[role=tab]", has_text="文库").click()
    page.locator("#jw-library input[type=file]").set_input_files(bridge)
    expect(page.locator("#jw-library")).to_contain_text("云河新桥开放")
    page.locator("button[role=tab]", has_text="评测").click()
    expect(page.locator(".jw-ev-resume")).to_contain_text("此后有变化（文库），不能接着运行")
    expect(page.locator("#jw-ev-resume")).to_be_hidden()
