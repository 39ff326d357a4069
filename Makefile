# Every target does its own set-up: a fresh Debian 12 with Python 3.11 and make is enough.
#
#   make demo                 the main job, live: a breach pauses redemption (ends by itself without a terminal)
#   make test [PYTEST=...]    all tests, on two cores; PYTEST='tests/core -k burn' narrows it
#   make lint                 style, types, import contracts
#   make bench [ONLY=name]    measures beside their peers, one JSON object a line
#   make sim [SEEDS=1000]     whole worlds in virtual time, with crashes and lies; then the long tests
#   make deb [VERSION=1.2-1]  a Debian package with its own environment inside, in dist/
#   make lock [UPGRADE=1]     resolve the dependencies anew into the lock files
#   make clean                remove what the other targets made

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Some machines ask for no bytecode; a command and a daemon would then compile all of it at each start.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST ?=
SEEDS ?= 1000
# Three on two cores: the long tests mostly wait.
TEST_WORKERS ?= 3

.PHONY: help demo test lint bench sim deb lock clean debian-packages

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

# The environment: what the lock file says, then this folder on top of it.
$(READY): requirements-dev.lock pyproject.toml deploy/environment.sh deploy/check_environment.py
	@echo "Setting up $(VENV) (the first time takes a minute)"
	@deploy/environment.sh $(VENV) requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	    --no-deps --no-index --no-build-isolation --editable .
	@touch $@

debian-packages:
	@deploy/debian-packages.sh tests/debian-packages.txt

demo: $(READY)
	@if [ -t 1 ]; then exec $(BIN)/slo-watchdog demo; else exec $(BIN)/slo-watchdog demo --once; fi

# tests/conftest.py says which tests share a worker, and that the long ones come first.
test: $(READY) debian-packages
	@$(BIN)/python deploy/check_environment.py requirements*.lock
	$(BIN)/pytest -m "not sim" -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST)

lint: $(READY)
	@status=0; \
	for check in "ruff check ." "ruff format --check ." "mypy" "lint-imports --no-logo"; do \
	    echo "== $$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

bench: $(READY) debian-packages
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

# Whole worlds in virtual time (tests/simulation), then the long tests that need real parts.
sim: $(READY) debian-packages
	@status=0; $(BIN)/python -m tests.simulation --seeds $(SEEDS) || status=1; \
	    $(BIN)/python -m tests.simulation --daemons 2 --seeds $$(($(SEEDS) / 4)) || status=1; \
	    $(BIN)/pytest -m sim -q -p no:randomly || { code=$$?; [ $$code -eq 5 ] || status=$$code; }; \
	    exit $$status

# Built on the Debian release that it is for; deploy/deb/build.sh says what is in it.
deb:
	@deploy/deb/build.sh $(if $(VERSION),--version $(VERSION))

# uv comes from PyPI into an environment of its own; it keeps the versions locked so far, unless UPGRADE=1.
lock:
	@deploy/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) .state dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./.git -prune -o -name __pycache__ -type d -exec rm -rf {} +
