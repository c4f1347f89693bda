"""HTML without navigation (chapters of books, mails, posts) -> its text: one line a block, one line a table row."""

from __future__ import annotations

import re
from typing import Any

from rag.sources.hidden import drop_hidden

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
    "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_UNREAD = frozenset({
    "script", "style", "nav", "head", "title", "template", "noscript", "iframe", "object", "svg", "math", "select",
    "button", "textarea",
})  # fmt: skip
_DECLARED = re.compile(r"^\s*<\?xml[^<>]*\?>")
_CELL = " | "
_MAX_SPAN = 20


def parse_html(text: str) -> Any:
    """The lxml tree of `text`; an empty body where there is nothing in it."""
    from lxml import html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, encoding=None)
    text = _DECLARED.sub("", text)
    return html.document_fromstring(text if text.strip() else "<body></body>", parser=parser)


def html_text(text: str) -> str:
    """Text of the HTML page or fragment `text`, without what it hides."""
    tree = parse_html(text)
    drop_hidden(tree)
    return tree_text(tree)


def tree_text(tree: Any) -> str:
    """Text of the lxml element `tree`: blocks as lines, rows of a table as cells with ` | ` between them."""
    parts: list[str] = []
    # A stack instead of recursion: pages nest deeper than Python's calls.
    todo: list[tuple[Any, bool]] = [(tree, False)]
    while todo:
        element, done = todo.pop()
        if done:
            parts.append("\n" if element.tag in _BLOCKS else "")
        else:
            tag = element.tag if isinstance(element.tag, str) else ""
            if tag == "table" and _is_data(element):
                parts.append("\n" + _rows(element) + "\n")
            elif tag == "br":
                parts.append("\n")
            elif tag and tag not in _UNREAD:
                parts += ["\n" if tag in _BLOCKS else "", _flat(element.text)]
                todo.append((element, True))
                todo += [(child, False) for child in reversed(element)]
                continue
        if element is not tree:
            parts.append(_flat(element.tail))
    lines = (re.sub(r"[ \t]{2,}", " ", line).strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def pictures_in(tree: Any) -> int:
    """How many pictures stand in `tree`."""
    return sum(1 for _ in tree.iter("img", "image", "{http://www.w3.org/2000/svg}image"))


def _flat(text: str | None) -> str:
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def _is_data(table: Any) -> bool:
    """Whether `table` holds values, not the layout of a page: several short cells in a row, no table in one."""
    if next(table.iterdescendants("table"), None) is not None:
        return False
    rows = list(table.iter("tr"))
    cells = [len("".join(cell.itertext())) for cell in table.iter("td", "th")]
    return len(rows) > 1 and len(cells) > len(rows) and max(cells, default=0) <= 300


def _rows(table: Any) -> str:
    """Rows of `table`; a cell that spans several rows or columns stands in each of them."""
    lines: list[str] = []
    hanging: dict[int, tuple[int, str]] = {}
    for row in table.iter("tr"):
        values: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        for cell in row.iterchildren("td", "th"):
            _take_hanging(values, hanging, below)
            text = " ".join("".join(_spaced(cell)).split())
            for _ in range(_span(cell, "colspan")):
                if (down := _span(cell, "rowspan")) > 1:
                    below[len(values)] = (down - 1, text)
                values.append(text)
        _take_hanging(values, hanging, below)
        hanging = below
        if any(values):
            lines.append(_CELL.join(values))
    return "\n".join(lines)


def _take_hanging(values: list[str], hanging: dict[int, tuple[int, str]], below: dict[int, tuple[int, str]]) -> None:
    """Add to `values` the cells that reach down into this row, and note those that reach into the next."""
    while len(values) in hanging:
        left, text = hanging.pop(len(values))
        if left > 1:
            below[len(values)] = (left - 1, text)
        values.append(text)


def _spaced(cell: Any) -> list[str]:
    parts: list[str] = []
    for element in cell.iter():
        if isinstance(element.tag, str) and element.tag not in _UNREAD:
            parts += [" " if element.tag in _BLOCKS or element.tag == "br" else "", element.text or ""]
        if element is not cell:
            parts.append(element.tail or "")
    return parts


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if value.isascii() and value.isdigit() else 1
