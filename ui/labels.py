"""Components whose texts follow the language of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gradio as gr

from ui.strings import DEFAULT_LANGUAGE, Language, text

Texts = Callable[[Language], dict[str, Any]]
AnyComponent = TypeVar("AnyComponent")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A component whose texts follow the language."""

    component: Any
    texts: Texts

    def update(self, language: Language) -> dict[str, Any]:
        """What to change for `language`."""
        changes: dict[str, Any] = gr.update(**self.texts(language))
        return changes


@dataclass
class Labels:
    """Collects the components whose texts follow the language, while the page is built."""

    items: list[Labelled] = field(default_factory=list)

    def __call__(self, component: AnyComponent, texts: Texts) -> AnyComponent:
        """Remember `component`; its first texts are given by `first`."""
        self.items.append(Labelled(component, texts))
        return component

    def button(self, key: str, **kwargs: Any) -> gr.Button:
        """A button named by the text `key`."""
        return self(gr.Button(first(key), **kwargs), lambda language: {"value": text(language, key)})

    def markdown(self, markup: Callable[[Language], str], **kwargs: Any) -> gr.Markdown:
        """Our own markup in the page's language."""
        return self(static(markup(DEFAULT_LANGUAGE), **kwargs), lambda language: {"value": markup(language)})

    def field(self, make: Callable[..., AnyComponent], key: str, **kwargs: Any) -> AnyComponent:
        """An input labelled by the text `key`."""
        return self(make(label=first(key), **kwargs), lambda language: {"label": text(language, key)})


def static(value: str = "", **kwargs: Any) -> gr.Markdown:
    """A place for our own markup; sanitised by Gradio as well."""
    return gr.Markdown(value, sanitize_html=True, latex_delimiters=[], **kwargs)


def first(key: str) -> str:
    """The text `key` as the page is first built; page.js asks for the person's language right after."""
    return text(DEFAULT_LANGUAGE, key)
