"""Events name files by path: only files that were uploaded pass, whatever handler the event is for.

Gradio's own check returns early for an app that is mounted and not launched, and lets addresses of other
hosts through; so every body is looked at here, before Gradio reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class BadEventError(ValueError):
    """The body of an event is not what the page sends."""


class ForeignFileError(ValueError):
    """An event names something that was not uploaded."""


def check_event(body: bytes, uploads: Path) -> None:
    """Let only such bodies pass that are a JSON object and name no file but uploaded ones in `uploads`.

    :raises BadEventError: the body is no JSON object.
    :raises ForeignFileError: it names another file, a folder, or an address.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise BadEventError("the body is no JSON") from None
    if not isinstance(event, dict):
        raise BadEventError("the body is no JSON object")
    folder = uploads.resolve()
    for named in _named_files(event):
        if not _uploaded(named, folder):
            raise ForeignFileError("an event may name uploaded files only")


def _named_files(event: Any) -> Iterator[Any]:
    """Everything that Gradio could take for a file: its `path`, and an address that it might fetch instead."""
    waiting = [event]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value:
                yield value["path"]
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _uploaded(named: Any, folder: Path) -> bool:
    if not isinstance(named, str):
        return False
    try:
        path = Path(named)
        return path.is_absolute() and path.resolve().is_relative_to(folder) and path.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, a loop of links
        return False
