# Two commands do all the set-up: `make demo` and `make test`. `make` alone lists the rest.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
PYTEST_ARGS ?=
WORKERS ?= 2
BENCH_ARGS ?=
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo test soak guards faults mutants sbom bench check format lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile
	@echo "PYTHON=... names the interpreter for $(VENV), PYTEST_ARGS=... goes to pytest, in WORKERS=2 processes."

demo: $(VENV)/.core  ## mirror example images inside a sandbox on loopback: no network, no AWS, no Docker
	$(BIN)/syncer demo

test: $(VENV)/.dev  ## run every test; as root, install what they need from Debian
	@.ci/need docker-registry skopeo dockerd strace faketime
	PATH="$$PATH:/usr/sbin:/sbin" $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(subst --tables ,--tables=,$(PYTEST_ARGS))

soak: $(VENV)/.dev  ## run the tests that take minutes: every point of a kill, gigabytes, ten thousand images
	@.ci/need docker-registry strace
	$(BIN)/python -m pytest -m soak --durations=0 $(PYTEST_ARGS)

faults: $(VENV)/.dev  ## what syncer, and skopeo beside it, make of sixteen faults of networks and registries
	@.ci/need docker-registry skopeo
	PYTHONPATH=. $(BIN)/python tests/sixteen.py

mutants: $(VENV)/.mutants  ## change the safety core in small ways, one at a time, and expect a test to fail
	$(BIN)/python tests/mutants.py $(MUTANTS_ARGS)

guards: $(VENV)/.dev  ## switch off each guard of the code in a copy, and see a test fail
	@.ci/need docker-registry skopeo
	$(BIN)/python tests/guards.py

bench: $(VENV)/.dev  ## measure syncer beside the peers found on PATH; BENCH_ARGS=... goes to it
	@.ci/need docker-registry
	$(BIN)/python -m bench $(BENCH_ARGS)

check: $(VENV)/.dev  ## format, lint, types, and the tests about the project itself
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet $(wildcard tests/test_*.py)

format: $(VENV)/.dev  ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.python  ## take the newest versions that pyproject.toml allows into the lock files
	$(PIP) install --upgrade uv
	$(LOCK) --upgrade pyproject.toml --output-file requirements.lock
	$(LOCK) --upgrade pyproject.toml --extra test --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(LOCK) --upgrade --group mutants --constraint requirements-dev.lock --output-file requirements-mutants.lock
	$(LOCK) --upgrade --group sbom --constraint requirements-dev.lock --output-file requirements-sbom.lock

sbom: $(VENV)/.sbom  ## list what the runtime lock brings, with licences, in dist/sbom.cdx.json (CycloneDX)
	rm -rf build/sbom && .ci/venv build/sbom && mkdir -p dist
	build/sbom/bin/python -m pip --quiet --quiet --disable-pip-version-check install --require-hashes -r requirements.lock
	build/sbom/bin/python -m pip --quiet --quiet uninstall --yes setuptools pip
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o dist/sbom.cdx.json build/sbom

clean:  ## remove the virtual environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build mutants

# The stamps lie in the environment that they speak of, so that removing it removes them.

$(VENV)/.python: .ci/venv
	@.ci/venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.python requirements.lock pyproject.toml
	@echo "Installing syncer and what it needs into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements-dev.lock
	@echo "Installing what tests and checks need into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.mutants: $(VENV)/.dev requirements-mutants.lock
	@echo "Installing mutmut into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-mutants.lock
	@touch $@

$(VENV)/.sbom: $(VENV)/.dev requirements-sbom.lock
	@echo "Installing cyclonedx-bom into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-sbom.lock
	@touch $@
