# `make help` lists the tasks. Needs only make and Python 3.11+; everything else comes from lock files.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
NODE := $(BIN)/python scripts/node.py
LOCKED := $(PIP) install --quiet --require-hashes
PORT ?= 8003
JOBS ?= 2
PYTEST_ARGS ?=
UV := uv==0.13.8

# Bytecode is kept: a suite that starts a thousand processes would compile the sources in each of them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint format bench dashboard node chromium javascript build lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run dashboard ## Serve the demo workspace on 127.0.0.1:8003 (PORT=...)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/antiphon serve --config examples/demo/antiphon.toml --port $(PORT)

test: $(VENV)/.dev dashboard javascript chromium ## Run the whole suite (PYTEST_ARGS="-k words", JOBS=2)
	$(NODE) --in clients/typescript npm test
	$(NODE) --in web npm test
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile $(PYTEST_ARGS)

check: lint test ## Lint, strict types, then the whole suite

lint: $(VENV)/.dev javascript ## ruff, mypy --strict, eslint, tsc --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(NODE) --in clients/typescript npm run check
	$(NODE) --in web npm run check

format: $(VENV)/.dev ## Let ruff format and mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.run ## Measure everything (about an hour, on a quiet machine); writes docs/benchmarks.md
	$(BIN)/python -m bench
	$(BIN)/python -m bench.delivery

dashboard: node ## Build the dashboard, if its sources changed
	@$(BIN)/python scripts/dashboard.py

build: $(VENV)/.run node ## Build the wheel and the source distribution into dist/
	$(BIN)/python -m hatchling build -d dist

lock: $(VENV)/.run node ## Refresh the lock files (UPGRADE=--upgrade for newer versions)
	$(PIP) install --quiet '$(UV)'
	$(COMPILE) requirements/dev.txt --group dev
	$(COMPILE) requirements/run.txt --constraints requirements/dev.txt
	$(COMPILE_GROUP) requirements/build.txt --group build --constraints requirements/dev.txt
	$(COMPILE_GROUP) requirements/node.txt --group node
	$(NODE) --in clients/typescript npm install --package-lock-only
	$(NODE) --in web npm install --package-lock-only
	$(NODE) --in examples/run-page npm install --package-lock-only
	$(NODE) --in tests/socket_io/node npm install --package-lock-only

clean: ## Remove what was built and installed here (data stays)
	rm -rf $(VENV) dist src/antiphon/static web/node_modules clients/typescript/node_modules clients/typescript/dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis

# What the tasks stand on -----------------------------------------------------------------------------------------

COMPILE_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(UPGRADE)
COMPILE_GROUP = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile $(COMPILE_OPTIONS) --output-file
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --all-extras $(COMPILE_OPTIONS) --output-file

$(BIN)/python:
	@PYTHON="$(PYTHON)" sh scripts/create-venv.sh $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing Antiphon into $(VENV)"
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@$(LOCKED) -r requirements/dev.txt
	@touch $@

# Node.js from PyPI, only where the machine has none that is new enough.
node: $(VENV)/.run
	@$(NODE) --check || { echo "Installing Node.js into $(VENV)"; $(LOCKED) -r requirements/node.txt; }

javascript: node
	@$(BIN)/python scripts/dashboard.py --install

chromium:
	@sh scripts/ensure-chromium.sh
