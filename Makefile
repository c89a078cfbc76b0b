# `make help` lists what there is.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run test chromium lint unit notebooks browser bench test-llm clean

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SAMPLE := sample/workbench.duckdb

# The first interpreter that really runs, is new enough and can make an environment.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

# Tests wait a good deal for processes and servers of their own: two workers more than cores keep the machine busy,
# one more where each has a browser or a kernel beside it.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$(( n > 6 ? 8 : n + 2 )))
PAIRED := $(shell echo $$(( $(WORKERS) > 2 ? $(WORKERS) - 1 : $(WORKERS) )))

# Hundreds of short processes: with this set, each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

# WORKBENCH_CHROMIUM names another browser.
export WORKBENCH_CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install the package and everything pinned into .venv

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 with venv was found. Install one, or name it: make PYTHON=/path/to/python3.11 setup" >&2; exit 1; }
	@echo "setup: $$($(PYTHON) --version) -> $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# The pins are all there is to resolve: the pip they name unpacks them side by side, then says whether they fit.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^pip==' requirements.lock)
	@grep -v '^#' requirements.lock | xargs -n 75 -P 3 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
	@$(BIN)/python -m pip check
	@# On all cores, where pip takes one; what others test themselves with is never imported, and of these next to nothing.
	@$(BIN)/python -m compileall -q -j 0 -x '/(tests?|mlflow|databricks|polars|pip|setuptools|debugpy|anthropic|google)/' $(VENV)/lib >/dev/null 2>&1 || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Make the sample workspace once, then open the dashboards
	@mkdir -p $(dir $(SAMPLE))
	@$(BIN)/workbench demo --database $(SAMPLE) $(ARGS)

test: chromium setup lint unit notebooks browser ## Run every check
	@echo "test: everything passed"

chromium:
	@test -x "$$(command -v "$(WORKBENCH_CHROMIUM)" 2>/dev/null)" || { echo "The browser tests need Chromium: install the Debian package chromium, or set WORKBENCH_CHROMIUM to a browser." >&2; exit 1; }

lint: setup ## Check style; the layers are checked with the tests
	@echo "== lint"
	@$(BIN)/ruff check .

unit: setup ## Run the tests that need no browser
	@echo "== unit"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not llm" --ignore tests/browser tests

notebooks: setup ## Run the notebooks and compare their checked cells
	@echo "== notebooks"
	@$(BIN)/python -m pytest -q -n $(PAIRED) --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout=180 notebooks

browser: setup chromium ## Drive the dashboards and JupyterLab in headless Chromium
	@echo "== browser"
	@$(BIN)/python -m pytest -q -n $(PAIRED) --dist loadfile --no-loadscope-reorder --timeout 400 tests/browser

bench: setup ## Measure: every figure is printed, none is asserted
	@$(BIN)/python -m pytest -q -s --benchmark-only tests/benchmarks

test-llm: ## Install the extra [llm] into .venv-llm and run its tests
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 with venv was found. Name one: make PYTHON=/path/to/python3.11 test-llm" >&2; exit 1; }
	@test -x .venv-llm/bin/python || $(PYTHON) -m venv .venv-llm
	@.venv-llm/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@.venv-llm/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[llm]'
	@.venv-llm/bin/python -m pytest -q -m llm tests

clean: ## Remove what was built; the sample workspace stays
	@rm -rf build dist .pytest_cache .ruff_cache .import_linter_cache
