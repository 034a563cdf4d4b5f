# `make` alone lists the targets. Every target can be the first command after `git clone`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup browser up dashboards-import dashboards-export dashboards-format down status logs reset uninstall demo bench test lint format lock env-example tracker prometheus drill

# The first Python 3.11 there is that can make environments; PYTHON=/path/to/python3.11 names another. The system's
# comes first: distributions build it with all optimizations; without them, as pyenv does, plain Python takes a fifth longer.
PYTHON ?= $(shell for python in /usr/bin/python3.11 python3.11 python3 python; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$python && break; done)
BOOTSTRAP = $(PYTHON) -I requirements/bootstrap.py
RUN = .venv/bin/python -m
IMAGE_LOCK = .venv-uv/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header --no-emit-index-url
DASHBOARDS = .venv-superset/bin/python -m dashboards

# Folders with Python of our own, those that exist.
CODE = $(wildcard api clickstream control_panel dashboards generator monitoring serving stack superset mage_project expectations benchmarks tests requirements/bootstrap.py)

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

setup: ## Make the Python environments that are missing or outdated
	@test -n "$(PYTHON)" || { echo "Python 3.11 with ensurepip is missing: install it (Debian, Ubuntu: apt-get install python3.11 python3.11-venv; else https://www.python.org/downloads/), or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(BOOTSTRAP)

up: setup ## Start the stack and wait until it is healthy
	@$(RUN) stack.prometheus install --optional
	@$(RUN) stack up

dashboards-import: setup ## Load edited asset files into the running Superset, without a restart
	@$(DASHBOARDS) import

dashboards-export: setup ## Write changes made in Superset to superset/assets (FORCE=1 overwrites edited files)
	@$(DASHBOARDS) export $(if $(FORCE),--force)

dashboards-format: setup ## Rewrite asset files in the form in which an export writes them
	@$(DASHBOARDS) format

down: setup ## Stop the stack
	@$(RUN) stack down

status: setup ## Show the services: state, address, memory, start, restarts, last failure
	@$(RUN) stack status

logs: setup ## Show the last log lines (SERVICE=api for one service, FOLLOW=1 to keep printing)
	@$(RUN) stack logs $(SERVICE) $(if $(FOLLOW),--follow)

reset: setup ## Stop the stack and delete its data; asks first unless YES=1
	@$(RUN) stack reset $(if $(YES),--yes)

uninstall: ## Stop the stack and delete its data, settings and programs; asks first unless YES=1
	@[ ! -x .venv/bin/python ] || $(RUN) stack uninstall $(if $(YES),--yes) || { code=$$?; [ $$code = 3 ] && exit 0; exit $$code; }; \
	for name in .venv-superset .venv-mage .kafka .prometheus data/generated mage_project/.ssh_tunnel \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info *.log .venv-uv .venv ; do \
		[ ! -e "$$name" ] || { echo "Deleting $$name …"; rm -rf "$$name" || exit 1; }; \
	done; \
	find . -name __pycache__ -type d -prune -exec rm -rf {} +; \
	echo "Everything is deleted. Caches that other programs share were kept: those of pip and uv in"; \
	echo "$${XDG_CACHE_HOME:-$$HOME/.cache}/pip and …/uv. So was Chromium, if make test installed it."

demo: ## Start the stack, send 250,000 events in all three ways, check every result (LIVE_MINUTES=480 for more than an hour of live events)
	@[ -z "$(PYTHON)" ] || $(BOOTSTRAP) --announce
	@$(MAKE) --no-print-directory setup
	@$(RUN) stack.prometheus install --optional
	@$(RUN) stack.demo $(if $(LIVE_MINUTES),--live-minutes $(LIVE_MINUTES))

bench: setup browser ## Measure the pipelines and the dashboards against minimal baselines
	@$(RUN) benchmarks

drill: setup prometheus ## Break a separate stack in many ways and check alerts and data (MINUTES=3 SEED=1 ONLY='stop kafka')
	@$(RUN) monitoring.drill $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

test: lint browser prometheus ## Check style and types and run all tests (PYTEST="-k kills" for some)
	@.venv/bin/pytest --numprocesses 3 --no-loadscope-reorder $(PYTEST)

browser: ## Install Chromium for the browser tests if it is missing
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
		echo "Chromium is missing: install it (Debian, Ubuntu: sudo apt-get install chromium), then run make test again" >&2; exit 1; \
	fi

prometheus: setup ## Download Prometheus and node exporter if they are missing; does not need root
	@$(RUN) stack.prometheus install

lint: setup ## Check style and types
	@.venv/bin/ruff check $(CODE)
	@.venv/bin/ruff format --check $(CODE)
	@.venv/bin/mypy

format: setup ## Format the code
	@.venv/bin/ruff format $(CODE)
	@.venv/bin/ruff check --fix $(CODE)

lock: setup ## Update the locks after a change of requirements/*.in (UPGRADE=1 for the newest versions)
	@$(BOOTSTRAP) --lock $(if $(UPGRADE),--upgrade)
	@$(IMAGE_LOCK) compose/project/requirements.in --constraints requirements/main.txt --override requirements/main.overrides --output-file compose/project/requirements.txt
	@$(IMAGE_LOCK) compose/superset/requirements.in --constraints requirements/superset.txt --output-file compose/superset/requirements.txt

env-example: setup ## Generate .env.example from the settings
	@$(RUN) stack env-example > .env.example

tracker: setup ## Build the tracker that browsers load from its source
	@$(RUN) api.minify_tracker
