# make run     everything up, on http://localhost:8000/ (PORT=…, HOST=0.0.0.0, DATA=folder, PYTHON=…)
# make test    the whole test suite, browser tests included
# make check   format, lint, types, import directions
# make bench   the benchmarks' table

PORT ?= 8000
HOST ?= 127.0.0.1
DATA ?=
PYTHON ?=
PY := .venv/bin/python
BOOTSTRAP := PYTHON='$(PYTHON)' sh oms/runtime/bootstrap.sh
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help run install test check format bench pins chromium clean

help:
	@sed -n 's/^# //p' Makefile

run:
	@$(BOOTSTRAP) local
	@$(PY) manage.py up --port $(PORT) --host $(HOST) $(if $(DATA),--data $(DATA))

install:
	@$(BOOTSTRAP) local dev

chromium:
	@sh oms/runtime/chromium.sh

# Both parts run, so that one report shows everything; pytest's closing line is the last.
test: install chromium
	@status=0; \
	$(MAKE) --no-print-directory check || status=1; \
	$(PY) -m pytest -n 2 --dist worksteal $(TESTS) || status=1; \
	exit $$status

# All four speak, also when the first complains.
check: export OMS_SERVERS := off
check: install
	@status=0; \
	.venv/bin/ruff format --check --quiet . || { status=1; .venv/bin/ruff format --check . | tail -n 20; }; \
	.venv/bin/ruff check . || status=1; \
	.venv/bin/lint-imports || status=1; \
	.venv/bin/mypy . || status=1; \
	exit $$status

format: install
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: install
	@$(PY) -m bench

# After a change of pyproject.toml's dependencies: install them, then write down their versions.
pins:
	@$(PY) -m oms.runtime.pins

clean:
	rm -rf .mypy_cache .ruff_cache .import_linter_cache .pytest_cache staticfiles
