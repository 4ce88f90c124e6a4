# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each makes .venv first where it is not there; `make env` does that alone. Variables:
#   PYTHON=python3.12      the Python to make .venv with
#   TORCH_BACKEND=cpu      torch's build, as of uv's --torch-backend; default: pip's choice
#   DEMO_OPTIONS=...       options of tools/demo.py

PYTHON ?= python3
VENV ?= .venv
FORKS_VENV ?= .venv-forks
BIN := $(VENV)/bin
FORKS_BIN := $(FORKS_VENV)/bin
READY := $(VENV)/.ready
FORKS_READY := $(FORKS_VENV)/.ready
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup
PIP_OPTIONS := --quiet --disable-pip-version-check --constraint constraints.txt
# pip unpacks gigabytes into TMPDIR, and /tmp lies in memory on many machines.
PIP_INSTALL = TMPDIR=$(abspath $(1))/tmp $(1)/bin/python -m pip install $(PIP_OPTIONS)

.DEFAULT_GOAL := help
.PHONY: help env demo test test-all docs lint forks test-forks test-matrix missing

export TORCH_BACKEND

help:  ## Say what can be made
	@sed -n '3,/^$$/s/^#   //p' $(MAKEFILE_LIST)
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

env: $(READY)  ## Make .venv with all that development needs (1 to 3 minutes)

demo: $(READY)  ## Train FCN + GloRe on synthetic street scenes, evaluate, report, submit (5 minutes)
	@$(BIN)/python -m projects.synthetic_data.demo demo_output $(DEMO_OPTIONS)

test: $(READY)  ## Run the quick tests (6 minutes on two cores)
	@echo "Running the quick tests in two processes: 6 minutes on two cores."
	@$(PYTEST) -m "not slow"

test-all: $(READY)  ## Run all tests: mutated inputs, kills, the browser, the docs' examples too
	@$(PYTEST)

docs: $(READY)  ## Build the site with the API reference in site/
	@$(call PIP_INSTALL,$(VENV)) --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html is ready."

lint: $(READY)  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

forks: $(FORKS_READY)  ## Make .venv-forks with the maintained forks of OpenMMLab

test-forks: $(FORKS_READY)  ## Run the tests of compat, models and training on the forks (2 minutes)
	@OMP_NUM_THREADS=1 $(FORKS_BIN)/python -m pytest tests/compat tests/models tests/tools/test_train.py

test-matrix:  ## Run the tests in several Pythons and sets of packages (an hour, 6 GB for each set)
	@.ci/matrix

$(READY): setup.cfg constraints.txt $(if $(wildcard $(BIN)/python),,missing)
	@.ci/venv $(PYTHON) $(VENV)
	@echo "Setting up $(VENV): 2 GB with a CPU build of torch, 6 GB with a CUDA build. It takes" \
		"2 minutes where the packages are in pip's cache, else as long as the download."
	@mkdir -p $(VENV)/tmp
ifdef TORCH_BACKEND
	@$(call PIP_INSTALL,$(VENV)) uv
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --constraint constraints.txt \
		--torch-backend $(TORCH_BACKEND) torch torchvision
endif
	@$(call PIP_INSTALL,$(VENV)) --editable '.[lite,cls,video,hub,export,demo,dev]'
	@# Without its dependencies: decord has few wheels, opencv-contrib-python overwrites opencv-python.
	@$(call PIP_INSTALL,$(VENV)) --no-deps mmaction2
	@# Over opencv-python, which mmengine requires by name: the same cv2 without system libraries.
	@$(call PIP_INSTALL,$(VENV)) --no-deps --force-reinstall opencv-python-headless
	@rm -r $(VENV)/tmp
	@touch $@
	@echo "$(VENV) is ready."

$(FORKS_READY): .ci/forks.txt constraints.txt
	@echo "Setting up $(FORKS_VENV) with the maintained forks of OpenMMLab: 1 to 2 minutes."
	@.ci/venv $(PYTHON) $(FORKS_VENV)
	@mkdir -p $(FORKS_VENV)/tmp
	@$(call PIP_INSTALL,$(FORKS_VENV)) --requirement .ci/forks.txt
	@$(call PIP_INSTALL,$(FORKS_VENV)) --no-deps \
		onedl-mmengine onedl-mmsegmentation mmcv-lite
	@$(call PIP_INSTALL,$(FORKS_VENV)) --no-deps --no-build-isolation --editable .
	@rm -r $(FORKS_VENV)/tmp
	@touch $@
