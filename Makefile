# `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PYTEST := $(BIN)/python -P -m pytest
# The suite mostly waits for its own processes: two workers a core, as far as memory goes.
WORKERS ?= $(shell n=$$((2 * $$(nproc))); echo $$((n < 12 ? n : 12)))

# 3.13 where it is present: on PATH, or as a pyenv version.
PYTHON_313 ?= $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null \
	|| PYENV_VERSION=$$(pyenv versions --bare 2>/dev/null | grep -E '^3\.13\.' | tail -n 1) \
	   python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null)

.PHONY: help setup run test check types lint imports pytest pytest-3.13 soak bench snap picture clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else f"SeedStorm needs Python 3.11 to 3.13; {sys.executable} is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(STAMP) ## open the console on the embedded world (ARGS="--players 100")
	@$(BIN)/seedstorm run $(ARGS)

test: check pytest pytest-3.13 ## every check CI runs

check: $(STAMP) lint types imports ## lint, types, import contracts

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

pytest: $(STAMP) ## the tests (ARGS="tests/unit -k name", ARGS="-n 0" for one after another)
	$(PYTEST) -n $(WORKERS) --dist worksteal $(ARGS)

pytest-3.13: ## the suite on Python 3.13, where that interpreter is present
ifeq ($(strip $(PYTHON_313)),)
	@echo 'skipped: the suite on Python 3.13 (no python3.13 on this machine)'
else
	@$(MAKE) --no-print-directory pytest VENV=.venv-3.13 PYTHON='$(PYTHON_313)'
endif

soak: $(STAMP) ## what takes minutes: 1,000 kills, 200 simulated runs from a fresh seed
	$(PYTEST) -m soak -n 2 --dist worksteal $(ARGS)

bench: $(STAMP) ## every figure beside its budget, also to bench.json (ONLY=name for one)
	$(BIN)/python -P -m tests.bench $(if $(ONLY),--only $(ONLY))

snap: $(STAMP) ## accept the console's pictures as they are now
	$(PYTEST) tests/ui --snapshot-update

picture: $(STAMP) ## take the README's picture from a real run
	$(BIN)/python -P -m tests.ui.picture docs/console.svg

clean: ## remove what setup and the checks made
	rm -rf .venv .venv-3.13 .mypy_cache .ruff_cache .hypothesis bench.json
