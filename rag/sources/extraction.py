"""What the readers of untrusted formats hand back from the child process: pages, records, files inside, and losses."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any

from rag.errors import SourceError
from rag.sources.extracted import Extracted

MAX_CHARS = 40_000_000
"""Most characters taken from one file in all its articles."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table or entry of a feed, with its fields under the names that they have in the file."""

    name: str
    """How to name it in a message, such as `row 3`."""
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a container, to be read as a file of its own."""

    name: str
    data: bytes
    url: str = ""
    """Where it comes from; empty when unknown."""
    encoding: str = ""
    """As the container declares; empty when it does not."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a reader left out that may hold words of the article."""

    part: str
    """Which part of the file: `pictures`, `sheet Notes`, `mail 3`."""
    cause: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that was found in one file, each in file order."""

    documents: tuple[Extracted, ...] = ()
    records: tuple[Record, ...] = ()
    members: tuple[Member, ...] = ()
    losses: tuple[Loss, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As values of JSON, for the way out of the child process."""
        size = sum(len(document.text) for document in self.documents)
        size += sum(len(value) for row in self.records for value in row.fields.values() if isinstance(value, str))
        if size > MAX_CHARS:
            raise SourceError(f"articles of {size:,} characters in one file; the limit is {MAX_CHARS:,}: split it")
        return {
            "documents": [asdict(document) for document in self.documents],
            "records": [asdict(record) for record in self.records],
            "members": [
                {"name": m.name, "data": base64.b64encode(m.data).decode("ascii"), "url": m.url, "encoding": m.encoding}
                for m in self.members
            ],
            "losses": [asdict(loss) for loss in self.losses],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Extraction:
        """The reverse of `to_json`."""
        return cls(
            documents=tuple(Extracted(**document) for document in value["documents"]),
            records=tuple(Record(**record) for record in value["records"]),
            members=tuple(Member(**{**m, "data": base64.b64decode(m["data"])}) for m in value["members"]),
            losses=tuple(Loss(**loss) for loss in value["losses"]),
        )


def pictures_lost(count: int) -> tuple[Loss, ...]:
    """The loss of `count` pictures, none for 0."""
    return (Loss("pictures", f"{count} not read; words in them are missing"),) if count else ()
