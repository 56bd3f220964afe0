# Everything a person or CI does with this project. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r
# Folders of extensions/ to serve: EXTENSIONS="calculator frames" make run; or all, or none.
EXTENSIONS ?=
# Options for pytest: make test ARGS="tests/services -k slug --database=sqlite"
ARGS ?=

# What only `check` runs, because it needs a browser, Node or minutes.
LONG := browser or node or clients or fuzz

.DEFAULT_GOAL := help
.PHONY: help run demo dev test check lint format types bench prove lock hooks clean serving developing

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: serving ## install what it needs and serve on http://127.0.0.1:8000
	@exec $(BIN)/python -m api.serve

demo: serving ## serve 40 posts and some users to try it with, and a web client of them
	@exec scripts/demo

dev: developing ## serve in development: reload on change, mail kept under /dev/mail
	@exec env ENV=development $(BIN)/python -m api.serve --reload

test: developing ## run the tests that need nothing but Python (ARGS="..." goes to pytest)
	@$(BIN)/python -m pytest -m "not ($(LONG))" $(ARGS)

check: lint types ## all that CI does: lint, types and every test, the long ones too
	@scripts/check

lint: developing ## look for mistakes and for other formatting than ours
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Formatting differs: run 'make format'."; exit 1; }

format: developing ## write every file in our formatting
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

types: developing ## check the types
	@$(BIN)/mypy .

bench: developing ## measure a server of its own; figures go to bench/results/
	@$(BIN)/python -m bench.run $(ARGS)

prove: developing ## the long proofs: crashes, races, fuzzing with large counts
	@PROVE=1 $(BIN)/python -m pytest $(ARGS)

lock: $(VENV)/.dev ## pin every dependency anew, with hashes, for all platforms
	@scripts/lock $(ARGS)

hooks: ## check every commit of this clone before it is made
	@git config core.hooksPath scripts/hooks
	@echo "Commits are checked by scripts/hooks/pre-commit."

clean: ## remove what was installed and cached; the data in instance*/ stays
	@rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov .coverage

serving: $(VENV)/.run
	@$(BIN)/python -m scripts.extensions $(EXTENSIONS)

developing: $(VENV)/.dev
	@$(BIN)/python -m scripts.extensions all

# Stamps: nothing is installed as long as the lock file is older than its stamp.
$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@test $(VENV)/.dev -nt $< || { echo "Installing requirements.txt ..."; $(INSTALL) $<; }
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing requirements-dev.txt ..."
	@$(INSTALL) $<
	@touch $(VENV)/.run $@

# An expansion, not a command: make then prints this one line and stops.
$(VENV)/bin/python:
	$(if $(shell $(PYTHON) -c 'import sys; print("good" if sys.version_info >= (3, 11) else "")'),,\
		$(error Signpost needs Python 3.11 or newer: make PYTHON=/path/to/python3))
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian: apt install python3-venv"; exit 1; }
