# The commands of the README. Nothing here needs a network once the Python packages are installed, and nothing is left
# behind outside .venv and .tox.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# the newest Python of this machine that the package supports; PYTHON=... takes another
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
VENV := .venv
TOX := .tox/driver/bin/tox
SOURCES := $(shell find rkt conformance bin -type f ! -name '*.pyc') pyproject.toml

# pyenv's interpreters are found by tox when they are on PATH under their own names
PYENV := $(wildcard $(HOME)/.pyenv/versions/3.1[123].*/bin)
empty :=
space := $(empty) $(empty)
TOX_PATH := $(subst $(space),:,$(PYENV) $(PATH))

# without root the packages cannot be installed and the integration tests cannot run: then skips are not failures
SKIP_RULES := $(if $(filter 0,$(shell id -u)),--allowed-skips=tests/allowed_skips.txt)

# bytecode makes a start of rkt three times as fast, so it is wanted whatever the caller's environment says
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

.PHONY: help run test lint bench packages clean
help:
	@echo 'make run       run the signed two-app pod of fixtures/aci (root)'
	@echo 'make test      run every test through tox (as root: integration tests, too)'
	@echo 'make lint      ruff, mypy --strict and the import rules'
	@echo 'make bench     rkt beside podman, runc, crun, bwrap, pigz and tar (root)'
	@echo 'make packages  install the Debian packages that the tests need (root)'
	@echo 'make clean     remove everything that these commands made'

run:
	@$(PYTHON) fixtures/aci/preflight.py || { echo 'make run: cannot run a pod here; see above' >&2; exit 1; }
	@.ci/packages run
	@$(MAKE) $(VENV)/installed
	@$(VENV)/bin/python -I fixtures/aci/run_pod.py

test:
	@.ci/packages test
	@$(MAKE) $(TOX)
	@rm -rf build
	PATH="$(TOX_PATH)" SKIP_RULES="$(SKIP_RULES)" $(TOX) run $(if $(ENV),-e $(ENV))

lint:
	@.ci/packages run
	@$(MAKE) $(TOX)
	@rm -rf build
	PATH="$(TOX_PATH)" $(TOX) run -e lint

bench: $(VENV)/installed
	$(VENV)/bin/python benchmarks

packages:
	.ci/packages test

# setuptools lies in the environment itself, so that a changed source is installed again without a network
$(VENV)/installed: $(SOURCES)
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -c 'import setuptools, sys; sys.exit(int(setuptools.__version__.split(".")[0]) < 77)' 2>/dev/null \
		|| $(VENV)/bin/pip install --quiet --upgrade 'setuptools>=77'
	@rm -rf build
	$(VENV)/bin/pip install --quiet --no-build-isolation .
	@rm -rf build
	@touch $@

$(TOX):
	$(PYTHON) -m venv .tox/driver
	.tox/driver/bin/pip install --quiet 'tox>=4.16'

clean:
	rm -rf .venv .tox build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
