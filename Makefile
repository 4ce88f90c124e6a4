# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each makes .venv first where it is not there; `make env` does that alone.

PYTHON ?= python3
VENV ?= .venv
CAMVID ?= ../shared/camvid
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help env demo test lint forks-env test-forks

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

env: $(READY)  ## Make .venv with everything that development needs (1 to 3 minutes)

demo: $(READY)  ## Train FCN + GloRe on made street scenes, evaluate, draw (about 6 minutes)
	@$(BIN)/python tools/demo.py demo_output

test: $(READY)  ## Run the tests (under 10 minutes on two cores)
	@echo "Running the tests on two processes; this takes under 10 minutes."
	@GLORE_CAMVID=$(CAMVID) $(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(READY)  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(READY): setup.cfg constraints.txt
	@echo "Setting up $(VENV): about 1.5 GB, 1 to 3 minutes with a warm package cache; nothing is compiled."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --editable '.[lite,cls,dev]'
	@touch $@
	@echo "$(VENV) is ready."
