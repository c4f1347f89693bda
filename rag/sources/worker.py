"""The child process in which untrusted files are parsed: `python -m rag.sources.worker`.

Reads requests from stdin (one JSON line `{"format", "size", "seconds"}` and then `size` bytes), writes one JSON line
for each to stdout: those of an `Extraction`, or `{"error"}`, or `{"unfinished"}` where the file may not be at fault.
Ends with its input. Its memory and its processor time are limited; its parent limits the time on the clock.
"""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from typing import Any

from rag.errors import SourceError
from rag.sources.extraction import Extraction
from rag.sources.formats import format_named

_MEMORY_LIMIT = 2 * 1024**3


def main() -> None:
    """Serve requests until the input ends."""
    _limit_memory()
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        data = sys.stdin.buffer.read(request["size"])
        _limit_time(request["seconds"])
        answers.write(json.dumps(_answer(request["format"], data)).encode("ascii") + b"\n")
        answers.flush()


def _answer(file_format: str, data: bytes) -> dict[str, Any]:
    try:
        return extract(file_format, data).to_json()
    except SourceError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"needs more than {_MEMORY_LIMIT >> 20} MB of memory to be read"}
    except (ImportError, OSError) as error:
        cause = " ".join(str(error).split())[:200]
        return {"unfinished": f"the parser for {file_format.upper()} does not work: {cause}"}
    except RecursionError:
        return {"error": f"nested too deeply to be read as {file_format.upper()}"}
    except Exception as error:  # a parser's own failure on a broken file, whatever its class, is the file's problem
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        return {"error": f"cannot be read as {file_format.upper()}: {cause}"}


def extract(file_format: str, data: bytes) -> Extraction:
    """What `data` (markup as UTF-8) holds, by the reader that the table of formats names.

    :raises SourceError: it cannot be read as that, or holds no text.
    """
    found = format_named(file_format).load_reader()(data)
    return found if isinstance(found, Extraction) else Extraction(documents=(found,))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the size limits of the formats still hold
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY_LIMIT if hard == resource.RLIM_INFINITY else min(_MEMORY_LIMIT, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _limit_time(seconds: float) -> None:
    """Let the next file have `seconds` of processor time (rounded up); SIGXCPU then ends this process."""
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    main()
