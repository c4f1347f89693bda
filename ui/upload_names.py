"""Reads an upload along as it arrives: every file in it has a name.

Gradio gives a nameless file a name of its own, which nobody would recognise in the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from starlette.types import Message, Receive

_HEADERS_MOST = 8_192


class ReadAlong:
    """An ASGI `receive` that ends the request where the upload turns out to be none."""

    def __init__(self, receive: Receive, content_type: str) -> None:
        self._receive = receive
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        self.bad = kind != b"multipart/form-data" or not boundary
        """Whether this is no upload of named files."""
        self._parser = None if self.bad else MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._collect(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._collect(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
            },
        )  # fmt: skip

    async def __call__(self) -> Message:
        """The next message, or the end of the connection once the upload is found bad."""
        message = await self._receive()
        if self._parser is not None and message["type"] == "http.request":
            try:
                self._parser.write(message.get("body", b""))
            except MultipartParseError:
                self.bad = True
        return {"type": "http.disconnect"} if self.bad else message

    def _begin(self) -> None:
        self._disposition = b""
        self._header = (bytearray(), bytearray())

    def _collect(self, part: int, data: bytes) -> None:
        self._header[part].extend(data)
        self.bad |= len(self._header[part]) > _HEADERS_MOST

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"filename", b"").replace(b"\\", b"/").rsplit(b"/", 1)[-1].strip()
        self.bad |= options.get(b"name") != b"files" or name in (b"", b".", b"..")
