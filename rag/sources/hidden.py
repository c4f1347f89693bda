"""What a page hides from its readers: by attribute, by style, or white on white.

Hidden text is a known way to put words into an index that no reader of the page has seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0+)?%?|font-size:0(?:\.0+)?(?:px|pt|em|rem|%)?"
    r"|color:transparent|text-indent:-\d{3,}[a-z]*|(?:left|top|right|margin-left):-\d{3,}[a-z]*"
    r"|clip:rect\(0|clip-path:inset\((?:100|50)%)(?:[;,!)]|$)"
)
_NO_SIZE = re.compile(r"(?:^|;)(?:max-)?(?:width|height):0(?:\.0+)?(?:px|pt|em|rem|%)?(?:[;!]|$)")
_CLIPPED = re.compile(r"(?:^|;)overflow(?:-[xy])?:(?:hidden|clip)")
_COLOR = re.compile(r"(?:^|;)color:([^;!]{1,60})")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color|-image)?:([^;!]{1,300})")
_WHITE = re.compile(r"(?:#f{3,4}|#f{6}(?:f{2})?|white|snow|rgba?\(255,255,255(?:,1(?:\.0+)?)?\)|hsl\(0,0%,100%\))")
_BLOCK = re.compile(r"@[^{};]{0,300}\{(?:[^{}]{0,3000}\{[^{}]{0,3000}\}){0,300}[^{}]{0,2000}\}")
"""Rules for printers and small screens hide what others show."""
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,3000})\}")
_SELECTOR = re.compile(r"[a-z0-9]{0,40}([.#])([\w-]+)")
_UNREAD = ("script", "style", "noscript", "template", "head")


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element with these `attributes` (lower-case names) is not shown, whatever is around it."""
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    style = flat_style(attributes.get("style"))
    return _hides(style) or (_is_white(style) and _background(style) == "white")


def flat_style(style: str | None) -> str:
    """`style` in lower case without white space and comments."""
    return re.sub(r"\s+|/\*[^*]{0,500}\*/", "", (style or "")[:5_000].lower())


def drop_hidden(tree: Any) -> int:
    """Take out of the lxml `tree` what is hidden, and say how many elements that were.

    What holds most of the text stays: scripts show it (WeChat saves its articles as `visibility: hidden`).
    """
    sizes = _sizes(tree)
    most = sizes.get(tree, 0) / 2
    names = _hiding_names(tree)
    painted = _has_painted_classes(tree)
    hidden = [
        element
        for element in tree.iter()
        if isinstance(element.tag, str)
        and element.getparent() is not None
        and 0 < sizes[element] <= most
        and (is_hidden(element.attrib) or _is_named(element, names) or _is_white_on_white(element, painted))
    ]
    for element in hidden:
        if element.getparent() is not None:
            element.drop_tree()
    return len(hidden)


def _hides(style: str) -> bool:
    return bool(_STYLE.search(style)) or bool(_NO_SIZE.search(style) and _CLIPPED.search(style))


def _is_white(style: str) -> bool:
    color = _COLOR.search(style)
    return color is not None and _WHITE.fullmatch(color[1]) is not None


def _background(style: str) -> str:
    """`white`, `other`, or empty when `style` says nothing of it."""
    found = _BACKGROUND.search(style)
    if found is None or found[1] in ("none", "transparent", "inherit", "initial"):
        return ""
    return "white" if _WHITE.fullmatch(found[1]) else "other"


def _is_white_on_white(element: Any, painted: bool) -> bool:
    """Whether no element around white text has another background, as far as the page itself says."""
    if not _is_white(flat_style(element.get("style"))):
        return False
    for around in (element, *element.iterancestors()):
        background = _background(flat_style(around.get("style"))) or ("other" if around.get("bgcolor") else "")
        if background:
            return background == "white"
        if painted and (around.get("class") or around.get("id")):
            return False
    return True


def _has_painted_classes(tree: Any) -> bool:
    return bool(tree.xpath("//link[contains(@rel, 'stylesheet')]")) or "background" in _styles(tree)


def _styles(tree: Any) -> str:
    return " ".join(element.text or "" for element in tree.iter("style"))[:500_000].lower()


def _hiding_names(tree: Any) -> set[tuple[str, str]]:
    """Classes and ids that the page's own style sheet hides: `("class", "x")`."""
    rules: Iterable[re.Match[str]] = _RULE.finditer(_BLOCK.sub("", _styles(tree)))
    selectors = (selector.strip() for rule in rules if _hides(flat_style(rule[2])) for selector in rule[1].split(","))
    found = (_SELECTOR.fullmatch(selector) for selector in selectors)
    return {("class" if match[1] == "." else "id", match[2]) for match in found if match}


def _is_named(element: Any, names: set[tuple[str, str]]) -> bool:
    if not names:
        return False
    classes = (element.get("class") or "").lower().split()
    return any(("class", name) in names for name in classes) or ("id", (element.get("id") or "").lower()) in names


def _sizes(tree: Any) -> dict[Any, int]:
    """Characters of readable text in each element, white space left out."""
    sizes: dict[Any, int] = {}
    for element in reversed(list(tree.iter())):
        own = len("".join((element.text or "").split()))
        below = sum(sizes.get(child, 0) + len("".join((child.tail or "").split())) for child in element)
        sizes[element] = 0 if element.tag in _UNREAD or not isinstance(element.tag, str) else own + below
    return sizes
