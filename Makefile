# make run: set up and open the demo clinic. make test: set up and pass the tests. Nothing else is needed but Python 3.11.
PYTHON ?= python3.11
ifeq ($(shell command -v $(PYTHON) 2>/dev/null),)
PYTHON := python3
endif
BIN := .venv/bin

.PHONY: run test check setup lock wheel pictures clean

run: setup
	@$(BIN)/biflora demo --serve

setup: .venv/.done

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "biflora needs Python 3.11 or newer; this one is %d.%d. Install it, or name it: make PYTHON=/path/to/python3.11 run" % v[:2])'
	$(PYTHON) -m venv .venv

# One environment for running, testing and measuring: witnesses and peers of tests and benchmarks are in it too.
.venv/.done: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/biflora warm-up
	@touch $@

test: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy

# Renews the lock file (needs uv; the file names no index host).
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock

wheel: setup
	$(BIN)/python -m build --wheel --no-isolation

# Renews the pictures in the README and the docs from the program itself.
pictures: setup
	$(BIN)/python docs/pictures.py

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache
