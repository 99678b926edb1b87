# Every target is complete from a bare clone: it makes the virtual environment and installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Each takes up to 1.6 GB of memory.
TEST_PROCESSES ?= 2

.PHONY: demo test test-install lint bench clean

$(VENV)/.installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev,train,tensorrt-rtx,cluster]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/unmask demo --out demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

test-install: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow tests/test_install.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo --no-cache

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks all

clean:
	rm -rf $(VENV) demo runs
