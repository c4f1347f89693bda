"""The frame of a cache on disk: what it was made from, and a checksum over all of it.

- line 1: `jinwen-cache 1`
- line 2: SHA-256 of all that follows, 64 hexadecimal digits
- line 3: a JSON object: kind, index, counter, token, rows, and facts of that kind
- then: the passage ids, int64 little-endian, rows x 8 bytes; then the payload
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.store.atomic import write_checked
from rag.store.records import Version

_MAGIC = b"jinwen-cache 1\n"
_HEX = 64
_ID = np.dtype("<i8")

Ids = npt.NDArray[np.int64]


class Access(Enum):
    """What may be done with a cache on disk."""

    WRITE = "write"
    """The writer lock is held."""
    BUSY = "busy"
    """Somebody else writes: an earlier state will do until they are done."""
    READ_ONLY = "read-only"
    """The folder cannot be written."""


class CacheDamagedError(Exception):
    """A cache is missing, damaged or of another format; it is rebuilt from the database."""


class CacheMissingError(CacheDamagedError):
    """There is no cache yet."""


@dataclass(frozen=True, slots=True)
class CacheFile:
    """What a cache holds."""

    index_id: str
    version: Version
    ids: Ids
    """Passages that the cache covers, ascending."""
    facts: Mapping[str, Any]
    payload: memoryview


def write_cache(
    file: Path,
    kind: str,
    index_id: str,
    version: Version,
    ids: Ids,
    facts: Mapping[str, Any],
    payload: Iterable[memoryview | bytes] = (),
) -> None:
    """Write a cache so that it is there whole or not at all.

    :raises OSError: no space left, or the disk did not keep what was written.
    """
    header = {"kind": kind, "index": index_id, "counter": version.counter, "token": version.token, "rows": len(ids)}
    head = json.dumps(header | dict(facts)).encode() + b"\n"
    body = [head, ids.astype(_ID).tobytes(), *payload]
    digest = hashlib.sha256()
    for part in body:
        digest.update(part)
    write_checked(file, [_MAGIC, digest.hexdigest().encode() + b"\n", *body])


def read_cache(file: Path, kind: str) -> CacheFile:
    """Read and verify a cache.

    :raises CacheDamagedError: it is not there, or not what was written.
    """
    try:
        data = memoryview(file.read_bytes())
    except FileNotFoundError:
        raise CacheMissingError("there is none yet") from None
    except OSError as error:
        raise CacheDamagedError(f"it cannot be read: {error.strerror}") from error
    start = len(_MAGIC) + _HEX + 1
    if data[: len(_MAGIC)] != _MAGIC:
        raise CacheDamagedError("it has another format")
    if hashlib.sha256(data[start:]).hexdigest().encode() + b"\n" != data[len(_MAGIC) : start]:
        raise CacheDamagedError("its checksum is wrong")
    head_end = start + bytes(data[start : start + 1_000_000]).index(b"\n") + 1
    facts = json.loads(bytes(data[start:head_end]))
    if facts["kind"] != kind:
        raise CacheDamagedError(f"it is a cache of another kind: {facts['kind']}")
    ids_end = head_end + facts["rows"] * _ID.itemsize
    return CacheFile(
        index_id=facts["index"],
        version=Version(facts["counter"], facts["token"]),
        ids=np.frombuffer(data[head_end:ids_end], dtype=_ID).astype(np.int64),
        facts=facts,
        payload=data[ids_end:],
    )
