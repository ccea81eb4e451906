# The whole interface to the work. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# uv sets everything up. Where it is missing, it is put into .uv, with the Python at hand.
UV := $(shell command -v uv || echo .uv/bin/uv)
UV_VERSION := 0.13.8
PYTHON ?= python3
RUN := .venv/bin
ARGS ?=
ROWS ?=
SCALE ?=
MILLIONS ?= 1,10
REPORT ?=
COUNT ?= 1000
EDGE ?=
REQUESTS ?=
COMMONS ?=
FOLDER ?=
HOURS ?=

.PHONY: demo test lint docs bench bench-catalog bench-page bench-science bench-scale bench-thousand bench-tiles clean help

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: .venv/run  ## run the main job on the demonstration landscape and open the door (ARGS=--no-serve: end after the table)
	$(RUN)/datacommons demo $(ARGS)

test: CHOSEN = not long
test: run-tests  ## run the tests, but for those that take long

test-long: CHOSEN = long
test-long: run-tests  ## run the tests that take long: many kills, many sizes, the page in every state

.PHONY: run-tests test-long
run-tests: .venv/dev
	$(RUN)/pytest -m "$(CHOSEN)" --numprocesses logical --dist loadfile --ignore tests/page $(ARGS)
	$(RUN)/pytest -m "$(CHOSEN)" tests/page  # on its own: the browser's driver keeps an event loop running

lint: .venv/dev  ## style, types and import contracts
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

docs: .venv/dev  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build --strict

bench: .venv/dev  ## measure the kernels, and members by threads and processes beside writing maps (MILLIONS=1,10,100: these sizes; REPORT=docs/performance.md: write it)
	MILLIONS="$(MILLIONS)" $(RUN)/pytest tests/benchmarks --benchmark-enable --benchmark-only --benchmark-sort=name $(if $(REPORT),--benchmark-json=build/bench.json) $(ARGS)
	$(if $(REPORT),$(RUN)/python -m tests.benchmarks.performance_page build/bench.json $(REPORT))

bench-science: .venv/dev  ## measure how good the engine is on all data at hand, beside other tools and against the bars
	$(RUN)/python -m tests.benchmarks.science

bench-scale: .venv/dev  ## measure large landscapes against the bars (ROWS=1,memory: some rows; SCALE=0.01: smaller; REPORT=docs/performance.md: write it)
	ROWS="$(ROWS)" SCALE="$(SCALE)" REPORT="$(REPORT)" $(RUN)/python -m tests.benchmarks.scale

bench-thousand: .venv/dev  ## publish a thousand generated landscapes in one commons, which takes hours (COUNT=10: fewer; FOLDER=thousand HOURS=1: in several sittings)
	COUNT="$(COUNT)" FOLDER="$(FOLDER)" HOURS="$(HOURS)" $(RUN)/python -m tests.benchmarks.thousand

bench-tiles: .venv/dev  ## measure tiles beside stock TiTiler against the bars (REQUESTS=2000: a shorter endurance test; EDGE=1024: a smaller map)
	EDGE="$(EDGE)" REQUESTS="$(REQUESTS)" $(RUN)/python -m tests.benchmarks.tiles

bench-page: .venv/dev  ## measure the page in a browser, on a slow phone too, against the bars (COMMONS=demo-commons: an existing commons)
	COMMONS="$(COMMONS)" $(RUN)/python -m tests.benchmarks.page

bench-catalog: COUNT = 1000000
bench-catalog: .venv/dev  ## fill a catalog with a million items and ask it over HTTP, against the bars and beside pgSTAC; 15 minutes and more (COUNT=20000: fewer)
	COUNT="$(COUNT)" $(RUN)/python -m tests.benchmarks.catalog

clean:  ## remove what was built and installed
	rm -rf .venv .uv build dist site demo-commons .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tiles/viewer/dist tiles/viewer/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv==$(UV_VERSION)

.venv/bin/python: | $(if $(findstring .uv,$(UV)),.uv/bin/uv)
	$(UV) venv --quiet --python '>=3.11' .venv

# Versions and their hashes come from constraints.txt; `make lock` writes it anew.
INSTALL = $(UV) pip install --quiet --compile-bytecode --python .venv --constraints constraints.txt --build-constraints constraints.txt --editable .

PAGE := $(shell find tiles/viewer/src tiles/viewer/public tiles/viewer/*.json tiles/viewer/*.ts tiles/viewer/index.html -type f)
.venv/run: pyproject.toml constraints.txt hatch_build.py $(PAGE) | .venv/bin/python
	$(INSTALL)
	touch $@

.venv/dev: .venv/run | .venv/validator
	$(INSTALL) --group dev
	touch $@

# It wants other versions than the tests, so it has an environment of its own inside the other.
.venv/validator: | .venv/bin/python
	$(UV) venv --quiet --python .venv/bin/python .venv/validator
	$(UV) pip install --quiet --python .venv/validator stac-api-validator==0.6.8 stac-check==1.14.0 stac-validator==4.1.0 stac-valid==4.2.2 \
		|| { rm -rf .venv/validator; false; }

.PHONY: lock
lock: | .venv/bin/python  ## choose the newest versions that fit together
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --group build --group dev --upgrade --output-file constraints.txt pyproject.toml
