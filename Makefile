# Everything that a person or a pipeline does with this repository. Needs Python 3.11+, git and make.
PYTHON ?= python3
VENV ?= .venv
DATA ?= olive-data
WORKERS ?= auto
BIN := $(VENV)/bin
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help run test chaos soak bench check style types contracts lock clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/.installed ## Install what the lock names, then start everything on this machine
	OLIVE_DATA_DIR=$(DATA) $(BIN)/olive up

test: $(VENV)/.installed-dev ## All tests except chaos and benchmarks
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

chaos: $(VENV)/.installed-dev ## Kill processes, cut connections: minutes
	$(BIN)/pytest tests/chaos $(ARGS)

soak: $(VENV)/.installed-dev ## Programmes of chance, tens of thousands of steps that nobody has seen before
	OLIVE_SOAK=1 $(BIN)/pytest tests/core/test_stateful.py -s $(ARGS)

bench: $(VENV)/.installed-dev ## Measure, print, assert nothing about speed
	$(BIN)/pytest bench -s $(ARGS)

check: style types contracts ## Style, types, direction of imports; `make -k check` finds all faults at once

style: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

lock: $(VENV)/.installed-dev ## Write both locks again after a change of pyproject.toml
	$(UV_COMPILE) pyproject.toml -o requirements.lock
	$(UV_COMPILE) -c requirements.lock --extra dev pyproject.toml -o requirements-dev.lock

clean: ## Forget the environment; data stays
	rm -rf $(VENV) build *.egg-info

# One stamp a lock: it is older than the lock exactly when there is something to install. The development
# lock contains the other, so a development environment also satisfies `make run`.
# Without build isolation, because an isolated build would fetch a setuptools that no lock names.
INSTALL_SELF = $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(INSTALL_SELF)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(INSTALL_SELF)
	@touch $@ $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
