# make run: set up and open the demo clinic. make test: set up and pass the tests. Nothing else is needed but Python 3.11.
PYTHON ?= python3.11
ifeq ($(shell command -v $(PYTHON) 2>/dev/null),)
PYTHON := python3
endif
BIN := .venv/bin

.PHONY: run test check setup setup-dev lock wheel pictures clean

run: setup
	@$(BIN)/biflora demo --serve

setup: .venv/.runtime
setup-dev: .venv/.development

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "biflora needs Python 3.11 or newer; this one is %d.%d. Install it, or name it: make PYTHON=/path/to/python3.11 run" % v[:2])'
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/biflora warm-up
	@touch $@

.venv/.development: requirements-dev.lock .venv/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

test: setup-dev
	$(BIN)/python -m pytest

check: setup-dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy

# Renews both lock files (needs uv; the files name no index host).
lock:
	uv pip compile pyproject.toml setup-requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml setup-requirements.in --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements-dev.lock

wheel: setup-dev
	$(BIN)/python -m build --wheel --no-isolation

# Renews the pictures in the README and the docs from the program itself.
pictures: setup
	$(BIN)/python docs/pictures.py

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache
