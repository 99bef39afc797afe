# Everything a developer runs. The virtual environment is made from the lock file once, and again when it changes
# (without warnings there: setuptools warns of every editable installation).
PYTHON ?= python3.11
BIN := .venv/bin
SETUP := .venv/.ready
# The oldest DuckDB that reads the published copy, beside ours.
OLDEST_READER := .venv/duckdb-1.4.0
MUTANTS ?= build/mutants
ROUNDS ?= 50
SEED ?= 7

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-kafka soak test-slow test-real-data mutants lint check-compose check lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

setup: $(SETUP) ## make .venv from the lock file

$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(SETUP)

$(OLDEST_READER): $(SETUP)
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ $(subst -,==,$(notdir $@))
	@touch $@

demo: $(SETUP) ## a synthetic season through every stage
	$(BIN)/onrecord demo

test: $(SETUP) $(OLDEST_READER) ## the tests
	$(BIN)/pytest -m "not kafka and not real_data and not slow"

test-kafka: $(SETUP) ## those that need a real Kafka: KAFKA_BOOTSTRAP_SERVERS, containers, or Java and Maven
	$(BIN)/pytest -m "kafka and not slow"

soak: $(SETUP) ## kill, freeze, damage and stop what runs on Kafka, at random: ROUNDS=50 SEED=7
	SOAK_ROUNDS=$(ROUNDS) SOAK_SEED=$(SEED) $(BIN)/pytest -s tests/kafka/test_soak.py

test-slow: $(SETUP) ## kill -9 rounds, several processes at once
	$(BIN)/pytest -m "slow and not kafka"

test-real-data: $(SETUP) ## the same promises on the data sets in ../shared/data
	$(BIN)/pytest -m "real_data and not kafka"

mutants: $(SETUP) ## what the tests of grading/ let live: half an hour or more, in a copy
	rm -rf $(MUTANTS) && mkdir -p $(MUTANTS)
	cp -r pyproject.toml schemas grading tests $(MUTANTS)
	cd $(MUTANTS) && nice -n 10 $(CURDIR)/$(BIN)/python -m mutmut run --max-children 2
	cd $(MUTANTS) && $(CURDIR)/$(BIN)/python -m mutmut results

lint: $(SETUP) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-compose: ## what Docker says of docker-compose.yml
	for profile in cluster single; do GRAFANA_PASSWORD=x docker compose --profile $$profile config --quiet || exit 1; done

check: lint test ## what a commit must pass

lock: ## renew requirements.lock from pyproject.toml
	$(BIN)/pip-compile --quiet --all-extras --allow-unsafe --generate-hashes --strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements.lock pyproject.toml

clean: ## remove what setup and tests made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
