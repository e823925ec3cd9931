# What a newcomer types: `make demo`, `make test`, `make serve`. Each installs what it needs into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-output

.PHONY: help demo test test-full serve lint check format unit docs screenshots locale site dist bench clean

help:
	@echo "make demo    the main job on a collection it makes itself"
	@echo "make test    lint, types and all tests (ARGS=\"tests/search -k limit\": only these tests)"
	@echo "make test-full  the same with the long tests, of benchmarks that time everything"
	@echo "make serve   the workbench and the HTTP API, on the demo's catalogue if there is one"
	@echo "make check   lint, spelling and types only"
	@echo "make docs    write the reference pages anew from the code"
	@echo "make screenshots  the pictures of the workbench in the docs anew, from the demo's catalogue"
	@echo "make locale  bring the catalogues of the pages' texts up to date; lists what lacks a translation"
	@echo "make site    the docs as a site with search, in build/site"
	@echo "make dist    wheel and source archive in dist/, the wheel tried in an empty environment"
	@echo "make bench   all benchmarks in small sizes (FULL=1: large; PICTURES=manifest.csv: those on real pictures too)"
	@echo "make format  let ruff put the code in shape"

$(VENV)/pip.stamp:
	@$(PYTHON) -c "import sys; sys.exit('dejafake needs Python 3.11 or newer: make PYTHON=python3.12 …') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/demo.stamp: $(VENV)/pip.stamp pyproject.toml constraints.txt
	@echo "Installing dejafake (torch is large: this takes a few minutes the first time) …"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[demo]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	@echo "Installing what the tests need …"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

demo: $(VENV)/demo.stamp
	$(BIN)/dejafake demo --folder $(DEMO)

serve: $(VENV)/demo.stamp
	$(BIN)/dejafake $(if $(wildcard $(DEMO)/home),--home $(DEMO)/home) serve

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

lint: check

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp
	$(BIN)/python docs/generate.py

screenshots: $(VENV)/dev.stamp
	@test -d $(DEMO)/home || $(MAKE) demo
	$(BIN)/python docs/screenshots.py $(DEMO)

locale: $(VENV)/dev.stamp
	$(BIN)/python -m search_api.web.locale.update

site: $(VENV)/dev.stamp
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs build/site
	@echo "Open build/site/index.html"

dist: $(VENV)/dev.stamp
	rm -rf dist build/wheel-trial
	$(BIN)/python -m pip install --quiet --constraint constraints.txt build
	$(BIN)/python -m build --outdir dist
	$(PYTHON) -m venv build/wheel-trial
	build/wheel-trial/bin/python -m pip install --quiet --constraint constraints.txt "$$(ls dist/*.whl)[demo]"
	cd build && wheel-trial/bin/dejafake --version && wheel-trial/bin/dejafake demo --folder wheel-demo

test-full: export DEJAFAKE_FULL_TESTS = 1
test-full: test

unit: $(VENV)/dev.stamp
	$(BIN)/pytest $(if $(ARGS),$(ARGS),-n 2 --dist loadscope)

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@echo "Installing the peers of the benchmarks …"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	@touch $@

bench: $(VENV)/bench.stamp
	$(BIN)/python -m benchmarks.suite $(if $(FULL),--full) $(if $(PICTURES),--pictures $(PICTURES))

test: $(if $(ARGS),,check) unit

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
