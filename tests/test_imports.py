import subprocess
import sys

import rag

HEAVY = ("torch", "gradio", "faiss", "transformers", "sentence_transformers", "tantivy", "sklearn", "pandas")


def imported_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_rag_is_light() -> None:
    assert imported_by("import rag") == set()


def test_building_the_command_line_is_light() -> None:
    assert imported_by("from rag.cli import build_parser; build_parser()") == set()


def test_public_names_are_sorted_and_exist() -> None:
    assert rag.__all__ == sorted(rag.__all__)
    assert all(hasattr(rag, name) for name in rag.__all__)
