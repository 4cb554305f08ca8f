# Limen. `make run` serves the demonstration clinic; `make test` proves the product. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
VENDOR := src/limen/clinic/static/vendor

# Where it is set every start compiles every module anew: half a second a command, seconds a server.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev run test check fast soak bench docs lock wheel clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.run $(VENDOR)/.done ## Make .venv with the `limen` command, and the browser assets

setup-dev: .venv/.dev $(VENDOR)/.done

run: setup ## Serve the demonstration clinic on http://127.0.0.1:$(PORT)
	@exec $(BIN)/limen demo --port $(PORT)

test: setup-dev ## Set up and pass every test
	@scripts/test

check: setup-dev ## Style, types, laws and fast tests (under 90 s): before each commit
	@scripts/check

fast: setup-dev ## Fast tests only
	$(BIN)/pytest -q -n 2 -m "not slow and not browser and not postgres and not soak"

soak: setup-dev ## The long work: full kill counts and long runs
	LIMEN_SOAK=1 $(BIN)/pytest -q -m soak --override-ini addopts="--strict-markers -ra --import-mode=importlib"

bench: .venv/.bench $(VENDOR)/.done ## Benchmarks: medians, ratios in one run
	@scripts/bench

docs: setup-dev ## Write the reference pages that are made from data and tests
	$(BIN)/python scripts/reference.py

lock: .venv/.bootstrap ## Resolve the hashed lock files anew
	scripts/lock

wheel: setup-dev ## Build the wheel, browser assets inside
	$(BIN)/python -m hatchling build -t wheel

clean: ## Remove what set-up and runs made (the demonstration database too)
	rm -rf .venv node_modules $(VENDOR) var build dist

.venv/.bootstrap: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Limen needs Python 3.11 or later; PYTHON=/path/to/python3 make ... chooses one" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

# The project itself is installed without asking an index for anything: its build backend is in the lock file.
.venv/.run: .venv/.bootstrap requirements/run.txt pyproject.toml
	@echo "Setting up .venv"
	@$(BIN)/uv pip install --quiet --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@$(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# The peers that the benchmarks run beside our own work.
.venv/.bench: .venv/.dev requirements/bench.txt
	@$(BIN)/uv pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

$(VENDOR)/.done: .venv/.run package.json package-lock.json scripts/assets.py requirements/node.txt
	@scripts/assets
	@touch $@
