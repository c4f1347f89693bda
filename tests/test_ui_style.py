"""The colours of style.css meet WCAG 2.1 AA in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ui

STYLE = (Path(ui.__file__).parent / "style.css").read_text("utf-8")
TEXT_PAIRS = [
    ("ink", "paper"), ("ink", "sheet"), ("ink", "accent-soft"), ("ink", "warn-soft"),
    ("muted", "paper"), ("muted", "sheet"), ("muted", "accent-soft"),
    ("accent", "paper"), ("accent", "sheet"), ("accent", "accent-soft"),
    ("on-accent", "accent"), ("on-accent", "accent-strong"),
    ("warn", "paper"), ("warn", "sheet"), ("warn", "warn-soft"), ("good", "sheet"),
    ("mark-ink", "mark"),
]  # fmt: skip
CONTROL_PAIRS = [("edge", "paper"), ("edge", "sheet"), ("accent", "paper"), ("accent", "sheet")]


def colours(selector: str) -> dict[str, str]:
    block = STYLE.partition(f"\n{selector} {{")[2].partition("}")[0]
    return dict(re.findall(r"--jw-([\w-]+): (#[0-9a-f]{6});", block))


THEMES = {"light": colours(":root"), "dark": colours(":root") | colours("body.dark")}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_dark_changes_every_colour() -> None:
    assert colours("body.dark").keys() == THEMES["light"].keys()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), TEXT_PAIRS)
def test_text_contrast(theme: str, front: str, back: str) -> None:
    assert contrast(THEMES[theme][front], THEMES[theme][back]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), CONTROL_PAIRS)
def test_control_contrast(theme: str, front: str, back: str) -> None:
    assert contrast(THEMES[theme][front], THEMES[theme][back]) >= 3.0


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|https?:", STYLE)
