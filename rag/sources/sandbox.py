"""Parsing in a child process, so that a hostile PDF, DOCX or HTML file can neither hang nor fill the memory.

One child serves all files of a run (its imports cost half a second once); it is killed when a file takes too long and
a new one is started for the next. What counts is processor time, so that a busy machine does not fail a good file; a
much longer time on the clock ends a child that only waits.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import SourceError, UnfinishedError
from rag.sources.extraction import Extraction

TIME_LIMIT_S = 60.0
"""Processor time for one file."""
_WAITING = 10
"""How many times as long a file may take on the clock."""
_WORKER = ("-m", "rag.sources.worker")
_ROOT = Path(__file__).resolve().parent.parent.parent


class Sandbox:
    """A child process that parses untrusted files, started when first needed. Safe to share between threads."""

    def __init__(self, time_limit_s: float = TIME_LIMIT_S, worker: Sequence[str] = _WORKER) -> None:
        """`worker` is what Python runs as the child."""
        self.time_limit_s = time_limit_s
        self._worker = worker
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def extract(self, file_format: str, data: bytes) -> Extraction:
        """What `data` (markup as UTF-8) holds; `file_format` is a name of the table of formats.

        :raises SourceError: it cannot be read, holds no text, or takes too much memory.
        :raises UnfinishedError: it takes too long, or the child crashed: not surely the fault of the file.
        """
        with self._lock:
            answer = self._ask(file_format, data)
        if "unfinished" in answer:
            raise UnfinishedError(answer["unfinished"])
        if "error" in answer:
            raise SourceError(answer["error"])
        return Extraction.from_json(answer)

    def close(self) -> None:
        """End the child; the next file starts another."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream:
                stream.close()

    def _ask(self, file_format: str, data: bytes) -> dict[str, Any]:
        child = self._started()
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            child.kill()

        watchdog = threading.Timer(self.time_limit_s * _WAITING, expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = _exchange(child, file_format, data, self.time_limit_s)
        finally:
            watchdog.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._wait(child)
        if expired.is_set():
            return {"unfinished": f"took longer than {self.time_limit_s * _WAITING:g} s to read"}
        if child.returncode == -getattr(signal, "SIGXCPU", 0):
            return {
                "unfinished": f"took more than {self.time_limit_s:g} s of processor time to read; "
                "it is broken or far too complex"
            }
        return {"unfinished": f"the {file_format.upper()} parser crashed on it"}

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        """Let a child that is dying end by itself, so that its exit status tells of what."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            environment = {**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
            self._child = subprocess.Popen(
                [sys.executable, *self._worker],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends the child
            )
        return self._child


def _exchange(child: subprocess.Popen[bytes], file_format: str, data: bytes, seconds: float) -> bytes:
    """The child's answer line; empty when the child died."""
    if child.stdin is None or child.stdout is None:
        return b""
    try:
        request = {"format": file_format, "size": len(data), "seconds": seconds}
        child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        child.stdin.write(data)
        child.stdin.flush()
        line = child.stdout.readline()
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


shared = Sandbox()
atexit.register(shared.close)
