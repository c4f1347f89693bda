"""The files of the evaluation that the browser fetches: reports of runs and question sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from eval.question_set import set_text
from eval.runs import RunError
from rag.errors import JinwenError
from ui.contents import Contents
from ui.evaluation_errors import told
from ui.evaluation_runs import REPORT_FILES, RunDesk, exported
from ui.evaluation_sets import QuestionSets

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.library import Library


def add_routes(app: FastAPI, library: Library, runs_dir: Path) -> None:
    """Serve `/jinwen/run` and `/jinwen/questions`. Names are looked up in lists, never made into paths."""
    desk, sets = RunDesk(library, runs_dir), QuestionSets(library, Contents(library))

    def reply(content: bytes, media_type: str, name: str) -> Response:
        headers = {"cache-control": "no-store"}
        if name:
            headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
        return Response(content, media_type=f"{media_type}; charset=utf-8", headers=headers)

    def gone(error: Exception) -> Response:
        return PlainTextResponse(f"{told(error, 'zh')}\n{error}\n", status_code=404)  # whoever asks gives no language

    @app.get("/jinwen/run")
    def run_file(folder: str, file: str, save: str = "") -> Response:
        try:
            run = desk.find(folder)
            if file not in REPORT_FILES or not run.finished:
                raise RunError(f"run {folder!r} has no file {file!r}")
            content = exported(run, file)
        except (JinwenError, OSError) as error:
            return gone(error)
        return reply(content, REPORT_FILES[file], f"{run.folder.name}-{file}" if save else "")

    @app.get("/jinwen/questions")
    def question_file(name: str) -> Response:
        try:
            found = sets.read(name)
        except JinwenError as error:
            return gone(error)
        file = name if name.endswith(".jsonl") else f"{name}.jsonl"
        return reply(set_text(found), "application/x-ndjson", file)
