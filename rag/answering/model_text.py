"""What a model wrote -> what a reader may see of it."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_STRAY_END = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_TAG_BEGUN = re.compile(r"</?(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?\Z", re.IGNORECASE)
_MARKER_BEGUN = re.compile(r"\s*[\[［【][^\]］】\n]{0,12}\Z")

_IMAGE_OR_LINK = re.compile(r"!?(?P<label>\[[^\[\]\n]*\])\([^()\s]*(?:\s+\"[^\"\n]*\")?\)")
_EMPHASIS = re.compile(r"(\*\*|__|`{1,3})(?=\S)(.+?)(?<=\S)\1")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
_NUMBERED = re.compile(r"\[\^?[\d\s,，、;；–—~-]+\]")


def visible_text(raw: str, *, finished: bool) -> str:
    """`raw` without reasoning between think tags, Markdown dress, control and direction characters.

    A block that is never closed hides everything after it; a closing tag without an opening one hides
    everything before it. Unless `finished`, what may be the beginning of a tag or marker is held back.
    """
    text = _STRAY_END.sub("", _THINKING.sub("", _INVISIBLE.sub("", raw)))
    if not finished:
        text = _MARKER_BEGUN.sub("", _TAG_BEGUN.sub("", text))
    return _undress(text).strip()


def _undress(text: str) -> str:
    """Plain text: links keep their label, images go, so that nothing a model writes points outside."""
    text = _IMAGE_OR_LINK.sub(_label, text)
    return _HEADING.sub("", _EMPHASIS.sub(r"\2", text))


def _label(match: re.Match[str]) -> str:
    label = match["label"]
    if _NUMBERED.fullmatch(label):
        return label
    return "" if match.group().startswith("!") else label[1:-1]
