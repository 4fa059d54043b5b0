# `make demo` and `make test` set up all they need in .venv and run from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An unpinned torch would bring gigabytes of CUDA; the tests need the CPU build only.
CONSTRAINTS := tests/constraints.txt

.PHONY: demo test lint clean

demo: $(VENV)/.base
	$(BIN)/persona-lab score persona_lab/samples/dialogues.jsonl --explain

test: $(VENV)/.dev
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy persona_lab service

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base $(CONSTRAINTS)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[train,ray,service,redis,dev]'
	touch $@
