"""Measuring in a fresh process, so that memory is what the work needs and nothing is warm from before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from rag.errors import JinwenError

_P = ParamSpec("_P")
_T = TypeVar("_T")

ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment in which numpy, torch, FAISS and tokenizers use one thread."""


class ChildError(JinwenError):
    """A process that measured was killed."""


def in_child(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What `function`, one of a module's own, gives in a new process; what it raises is raised here.

    :raises ChildError: the process died.
    """
    try:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, *args, **kwargs).result()
    except BrokenProcessPool:
        name = getattr(function, "__name__", "it")
        raise ChildError(f"the process that ran {name} was killed, perhaps for want of memory; choose less") from None


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Processes started in the `with` block see `variables`."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one processor core for the `with` block, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
