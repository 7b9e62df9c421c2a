# What there is to do here; `make help` lists it. ARGS="..." is handed on to the command.
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-slow test-all check format drift generate requirements set-up clean

ARGS ?=
# Test processes beside each other; each takes a ROS domain and ports of its own.
WORKERS ?= 2
BIN := .venv/bin
# Any Python 3 can run the set-up, which then looks for a suitable one (or takes the one that PYTHON names).
STARTER := $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c "" >/dev/null 2>&1 && echo $$p && break; done)
ifeq ($(STARTER),)
$(error No python3 found. Install Python 3.11 to 3.13 and its venv package, on Debian or Ubuntu: apt-get install python3 python3-venv)
endif
export PYTHON
SET_UP := @$(STARTER) tools/set_up.py
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadgroup

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: ## Set up and run the demo hospital, e.g. ARGS="--headless"
	$(SET_UP) robots
	@$(BIN)/wardporter demo $(ARGS)

serve: ## Set up and run the service alone (no robots)
	$(SET_UP) service
	@$(BIN)/wardporter serve $(ARGS)

test: ## Set up and run the tests that fit into minutes
	$(SET_UP) dev
	@status=0; $(PYTEST) $(ARGS) || status=$$?; \
	echo; \
	echo "The rest: make test-slow (tests that take minutes), make check (format, lint, types, layers)."; \
	echo "One part: make test ARGS=\"tests/unit -k drawer\", or $(BIN)/pytest as you like."; \
	exit $$status

test-slow: ## Run the tests that take minutes
	$(SET_UP) dev
	@$(PYTEST) -m slow $(ARGS)

test-all: ## Run every test
	$(SET_UP) dev
	@$(PYTEST) -m "slow or not slow" $(ARGS)

check: ## Format, lint, types, layers, drift of committed schemas
	$(SET_UP) dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory drift

drift: ## Whether committed schemas and OpenAPI are what the code says
	$(SET_UP) dev
	$(BIN)/pytest -q tests/integration/tools/test_drift.py

generate: ## Write committed schemas, OpenAPI and AsyncAPI anew from the code
	$(SET_UP) dev
	$(BIN)/python -m orchestrator.adapters.config.schemas
	$(BIN)/python -m orchestrator.http.openapi
	$(BIN)/python -m orchestrator.http.access_paper
	$(BIN)/python -m orchestrator.adapters.config.hazard_papers
	$(BIN)/python -m orchestrator.devices.asyncapi
	$(BIN)/python -m orchestrator.adapters.site_report.form

format: ## Put files into the house's format
	$(SET_UP) dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: ## Compile requirements/*.txt from pyproject.toml again
	$(STARTER) tools/compile_requirements.py $(ARGS)

set-up: ## Only set up
	$(SET_UP) dev

clean: ## Remove what the set-up and the tests made
	rm -rf .venv .make .pytest_cache .hypothesis .ruff_cache .import_linter_cache dist
