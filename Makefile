# Needs make and Python 3.11 or newer; everything else is installed into .venv, once.

SUITS := -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python $(SUITS) && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := build/peers
INSTALL := -m pip --disable-pip-version-check install -qq

.PHONY: help digest test eval bench faults peers lint format constraints clean

help:  ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

digest: $(READY)  ## Write the digest of the sample day into digests/ (no key, no network)
	@$(BIN)/summarizer digest --sample --out digests

test: $(READY)  ## Run the tests
	@$(BIN)/python -m pytest

eval: $(READY)  ## Run the eval sets from their recordings and hold them against their gates
	@$(BIN)/summarizer eval

bench: $(READY)  ## Measure papers a second beside the shortest loop that could ask for them
	@$(BIN)/python -m benchmarks.throughput

faults: $(READY)  ## Try what is promised when things go wrong (some minutes)
	@$(BIN)/python -m benchmarks.faults

peers: $(PEERS)/.ready $(PEERS)/venv/.ready  ## Run the tests against programs of others (needs npm)
	@$(PEERS)/venv/bin/python -m pytest tests/peers tests/test_eval_sets.py \
		tests/test_eval_outputs.py tests/test_significance.py

lint: $(READY)  ## Check style, types and which module imports which
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(READY)  ## Put the code into the project's style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

constraints: PINS := build/constraints
constraints:  ## Pin the newest releases (PYTHON=… should be the oldest one supported)
	@$(PYTHON) -m venv --clear $(PINS)
	@$(PINS)/bin/python $(INSTALL) --upgrade pip hatchling
	@$(PINS)/bin/python $(INSTALL) --dry-run --ignore-installed --no-build-isolation \
		--report $(PINS)/report.json --editable '.[all]' --group dev pip
	@$(PINS)/bin/python .ci/constraints.py < $(PINS)/report.json > $(PINS)/constraints.txt
	@mv $(PINS)/constraints.txt constraints.txt
	@rm -r $(PINS)

clean:  ## Remove .venv, caches and builds; digests stay
	@rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# The build backend is installed first and used from .venv, so that no later run needs a network.
$(READY): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) $(SUITS) || { echo 'This needs Python 3.11 or newer, with venv and pip.' \
		'Install one, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Setting up $(VENV): a minute or two, and only when dependencies change.' >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@{ $(BIN)/python $(INSTALL) --constraint constraints.txt pip hatchling && \
		$(BIN)/python $(INSTALL) --constraint constraints.txt --no-build-isolation \
			--editable . --group dev; } || { echo 'The reason stands above.' \
		'Once it is mended, the same command goes on.' >&2; exit 1; }
	@touch $@

$(PEERS)/.ready: tests/peers/package.json tests/peers/package-lock.json
	@command -v npm >/dev/null || { echo 'This needs Node.js 20.15 or newer, with npm.' >&2; exit 1; }
	@mkdir -p $(PEERS)
	@cp $^ $(PEERS)
	@npm ci --prefix $(PEERS) --engine-strict --ignore-scripts --no-audit --no-fund >/dev/null
	@touch $@

# In an environment of their own: some of them want other versions than ours.
$(PEERS)/venv/.ready: pyproject.toml
	@$(PYTHON) -m venv --clear $(PEERS)/venv
	@$(PEERS)/venv/bin/python $(INSTALL) --upgrade pip
	@$(PEERS)/venv/bin/python $(INSTALL) --editable '.[all]' --group dev \
		inspect-ai junitparser sarif-tools signaltest
	@touch $@
