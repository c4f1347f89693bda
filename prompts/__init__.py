"""The prompt texts and their one reader.

A prompt is a text file `<name>.v<version>.<language>.txt` beside this module. Which variables it may and
must use is fixed per name in `VARIABLES` and checked when the file is read, not when it is first filled.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.errors import PromptError

PROMPTS_DIR = Path(__file__).resolve().parent

VARIABLES = {
    "answer": frozenset({"today", "passages", "question", "refusal"}),
    "judge": frozenset({"question", "reference", "answer", "quotes"}),
    "passage": frozenset({"number", "title", "source", "date", "text"}),
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt whose variables have been checked."""

    name: str
    version: int
    language: str
    template: str

    def render(self, **values: str) -> str:
        """The text with every variable replaced once; braces inside a value stay as they are.

        :raises PromptError: `values` are not exactly the variables of this prompt.
        """
        expected = VARIABLES[self.name]
        if values.keys() != expected:
            raise PromptError(f"prompt '{self.name}' needs the values {_listed(expected)}; got {_listed(values)}")
        return self.template.format(**values)


def read_prompt(name: str, version: int, language: str, folder: Path = PROMPTS_DIR) -> Prompt:
    """Read and check `<name>.v<version>.<language>.txt`; the line break at its end is not part of the prompt.

    :raises PromptError: the name is unknown, the file is missing or no UTF-8 text, a brace is unbalanced, or
        its variables are not exactly those of `VARIABLES[name]`.
    """
    if name not in VARIABLES:
        raise PromptError(f"unknown prompt '{name}'; expected one of {_listed(VARIABLES)}")
    file = f"{name}.v{version}.{language}.txt"
    try:
        template = (folder / file).read_text("utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"prompt file {file} cannot be read: {error}") from error
    found = _variables(file, template)
    if found != VARIABLES[name]:
        raise PromptError(f"prompt file {file} uses {_listed(found)}; expected exactly {_listed(VARIABLES[name])}")
    return Prompt(name, version, language, template)


def _variables(file: str, template: str) -> set[str]:
    found = set()
    try:
        for _, field, spec, conversion in string.Formatter().parse(template):
            if field is None:
                continue
            if spec or conversion:
                raise ValueError(f"'{{{field}}}' carries a format")
            found.add(field)
    except ValueError as error:
        raise PromptError(f"prompt file {file}: {error}; write {{{{ and }}}} for literal braces") from error
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
