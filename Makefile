# Two commands: `make run` serves everything, `make test` installs what the tests need and runs them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml
# Two files at a time: most tests keep one core busy. Each process holds the models that its files need, up to 9 GB.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=15

.PHONY: run test test-quick check format clean

run: $(VENV)/.installed
	$(BIN)/duet models pull qwen2.5-coder-0.5b-instruct
	$(BIN)/duet db upgrade
	$(BIN)/duet db seed
	$(BIN)/duet serve

test: $(VENV)/.installed-test
	$(BIN)/duet models pull smollm2-135m-instruct
	$(BIN)/duet models pull qwen2.5-coder-0.5b-instruct
	$(PYTEST)

test-quick: $(VENV)/.installed-test
	$(BIN)/duet models pull smollm2-135m-instruct
	$(BIN)/duet models pull qwen2.5-coder-0.5b-instruct
	$(PYTEST) -m "not slow and not browser"

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Duet needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --progress-bar off torch==2.13.0
	$(BIN)/python -m pip install --quiet --progress-bar off --editable .
	touch $@

$(VENV)/.installed-test: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --progress-bar off torch==2.13.0
	$(BIN)/python -m pip install --quiet --progress-bar off --editable ".[test]"
	touch $@ $(VENV)/.installed
