# Every target is complete from a bare clone: it makes the virtual environment and installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Python compiles a module when it is first imported; to compile all of them here takes half of the time.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

# The tests start a hundred processes, which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Each takes up to 1.6 GB of memory.
TEST_PROCESSES ?= 2

.PHONY: demo test test-install lint bench hashes clean

$(VENV)/.installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo,dev,train,tensorrt-rtx,cluster]'
	touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	$(BIN)/unmask demo --out demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

test-install: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow tests/test_install.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --threads 2
	$(BIN)/lint-imports --no-logo --no-cache

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks all

# For `pip install --require-hashes`; the package index is asked for the hashes of every file.
hashes: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.9'
	echo '# The versions of constraints.txt with the hashes of their files, made by `make hashes`:' > constraints-hashed.txt
	echo '# pip install --require-hashes -r constraints-hashed.txt && pip install --no-deps --no-build-isolation .' \
		>> constraints-hashed.txt
	$(BIN)/uv pip compile constraints.txt --no-deps --universal --generate-hashes --no-header --no-annotate --quiet \
		>> constraints-hashed.txt

clean:
	rm -rf $(VENV) demo runs
