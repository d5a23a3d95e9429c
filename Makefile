# `make` lists the commands. The same names run in CI.
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
TORCH := torch==2.13.0
SLOTS ?= 2

.PHONY: help demo up test test-long lint soak story load mutants bench bench-train bench-ui screenshots web client browser clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/.ready web ## start everything and train the built-in experiment
	@$(PY) -m depthboard.cli demo --slots $(SLOTS)

up: $(VENV)/.ready web ## start everything, submit nothing
	@$(PY) -m depthboard.cli up --slots $(SLOTS)

# Tests wait for processes and browsers a third of their time: three of them share two cores.
test: WORKERS ?= $(shell $(PYTHON) -c 'import os; print(max(1, min(6, os.cpu_count() * 3 // 2)))')
test: $(VENV)/.ready-dev web browser ## every test but the long ones, file by file
	$(PY) -m pytest -n $(WORKERS) --dist loadfile

test-long: $(VENV)/.ready-dev web browser ## the tests that make test leaves out, one after the other (an hour and more)
	$(PY) -m pytest -m long

soak: $(VENV)/.ready-dev ## random faults over a running product: make soak MINUTES=15 SEED=7
	@MINUTES=$(or $(MINUTES),15) SEED=$(SEED) $(PY) -m tests.faults.soak

story: $(VENV)/.ready-dev ## forty runs under random kills, then undisturbed: every sum and figure equal, bit for bit
	@MINUTES=$(or $(MINUTES),10) SEED=$(SEED) $(PY) -m tests.faults.story

load: $(VENV)/.ready-dev ## 200 clients, 20,000 points a second, three kills of the API
	@$(PY) -m tests.faults.load

mutants: $(VENV)/.ready-dev ## take one safeguard out at a time: the tests must notice
	@$(PY) -m tests.faults.mutants

lint: $(VENV)/.ready-dev web ## style, types, import contracts, the browser's types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	cd frontend && npm run lint

bench: $(VENV)/.ready-dev ## the benchmarks, side by side; PEERS=trackio,mlflow installs the trackers to compare with
	$(PY) -m bench
	$(PY) -m bench.tracking $(if $(PEERS),--peers $(PEERS))

bench-train: $(VENV)/.ready-dev ## the training step against a plain loop: images a second, ratio, waiting for data
	$(PY) -m bench.train

bench-ui: $(VENV)/.ready-dev web browser ## how long a person waits in the browser, page by page: writes docs/ui-speed.md
	@$(PY) -m bench.ui $(if $(BESIDE),--beside $(BESIDE))

screenshots: $(VENV)/.ready-dev web browser ## pictures of every page into docs/screens/: make screenshots HOME_DIR=… takes a record that is there
	@$(PY) -m bench.screens $(if $(HOME_DIR),--home $(HOME_DIR))

web: $(VENV)/.ready ## build the dashboard if its sources changed
	@$(PY) hatch_build.py

client: $(VENV)/.ready-dev ## generate the browser's typed client from the API
	cd frontend && npm run api

browser: $(VENV)/.ready-dev ## find or install Chromium (tests, figure export) and docker-compose (tests)
	@sh scripts/chromium.sh $(PY)
	@sh scripts/docker-compose.sh

clean: ## remove what was built here
	rm -rf $(VENV) backend/_web frontend/node_modules

# torch first and pinned: any later or looser request takes gigabytes of CUDA packages.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Depthboard needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing (the first time takes some minutes) …"
	@$(PIP) install $(TORCH)
	@$(PIP) install -c constraints.txt -e '.[worker]'
	@$(PY) -m compileall -q depthboard backend worker # a fifth of the API's start, where Python may not keep its bytecode
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@$(PIP) install -c constraints.txt -e '.[worker,dev]'
	@touch $@
