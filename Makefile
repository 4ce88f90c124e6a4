# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each makes .venv first where it is not there; `make env` does that alone.

PYTHON ?= python3
VENV ?= .venv
FORKS_VENV ?= .venv-forks
BIN := $(VENV)/bin
FORKS_BIN := $(FORKS_VENV)/bin
READY := $(VENV)/.ready
FORKS_READY := $(FORKS_VENV)/.ready
PIP_OPTIONS := --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help env demo test lint forks test-forks test-matrix

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

env: $(READY)  ## Make .venv with all that development needs (1 to 3 minutes)

demo: $(READY)  ## Train FCN + GloRe on made street scenes, evaluate, report, submit (3 minutes)
	@$(BIN)/python tools/demo.py demo_output

test: $(READY)  ## Run the tests (under 10 minutes on two cores)
	@echo "Running the tests in two processes: under 10 minutes on two cores."
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(READY)  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

forks: $(FORKS_READY)  ## Make .venv-forks with the maintained forks of OpenMMLab

test-forks: $(FORKS_READY)  ## Run the tests of compat and models on the forks (1 to 2 minutes)
	@OMP_NUM_THREADS=1 $(FORKS_BIN)/python -m pytest tests/compat tests/models

test-matrix:  ## Run the tests in several Pythons and sets of packages (an hour, 6 GB for each set)
	@.ci/matrix

$(READY): setup.cfg constraints.txt
	@echo "Setting up $(VENV): 2 GB, 1 to 3 minutes with a warm package cache; nothing is compiled."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --editable '.[lite,cls,video,hub,export,demo,dev]'
	@# Without its dependencies: decord has few wheels, opencv-contrib-python overwrites opencv-python.
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps mmaction2
	@touch $@
	@echo "$(VENV) is ready."

$(FORKS_READY): .ci/forks.txt constraints.txt
	@echo "Setting up $(FORKS_VENV) with the maintained forks of OpenMMLab: 1 to 2 minutes."
	@test -x $(FORKS_BIN)/python || $(PYTHON) -m venv $(FORKS_VENV)
	@$(FORKS_BIN)/python -m pip install $(PIP_OPTIONS) --requirement .ci/forks.txt
	@$(FORKS_BIN)/python -m pip install $(PIP_OPTIONS) --no-deps \
		onedl-mmengine onedl-mmsegmentation mmcv-lite
	@$(FORKS_BIN)/python -m pip install $(PIP_OPTIONS) --no-deps --no-build-isolation --editable .
	@touch $@
