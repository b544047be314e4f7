# Two commands need nothing but Python and make: `make serve` and `make test`.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: help serve test lock clean

help:  ## Show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(READY)  ## Run both services on SQLite until Ctrl-C
	@$(VENV)/bin/taskctl serve

test: $(READY)  ## Run the test suite on every core
	@$(VENV)/bin/python -m pytest --numprocesses auto

# Every package comes from the lock, checked against its hash; then ours, in place.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one by: make PYTHON=python3.x")'
	@echo "Setting up $(VENV) (once)..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

lock: $(READY)  ## Renew constraints.txt from pyproject.toml; UPGRADE=--upgrade takes newer versions
	$(VENV)/bin/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev pyproject.toml --output-file constraints.txt

clean:  ## Remove the environment and what the tests installed
	rm -rf $(VENV) .tox .tools
