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
.PHONY: help run install test check checks format bench pins chromium clean

help:
	@sed -n 's/^# //p' Makefile

run:
	@$(BOOTSTRAP) local
	@$(PY) manage.py up --port $(PORT) --host $(HOST) $(if $(DATA),--data $(DATA))

install:
	@$(BOOTSTRAP) local dev

chromium:
	@sh oms/runtime/chromium.sh

# Both parts run, the checks in what time the tests leave; one report shows everything, and pytest's closing line last.
test: install chromium
	@said=$$(mktemp -d); trap 'rm -rf "$$said"' EXIT; \
	{ nice -n 10 $(MAKE) --no-print-directory checks >"$$said/checks" 2>&1; echo $$? >"$$said/checked"; } & \
	{ $(PY) -m pytest -n 3 --dist worksteal $(TESTS); echo $$? >"$$said/tested"; } | tee "$$said/tests"; \
	wait; \
	cat "$$said/checks"; \
	tail -n 1 "$$said/tests"; \
	[ "$$(cat "$$said/tested" "$$said/checked" | sort -u)" = 0 ]

check: install checks

# All four speak, also when the first complains.
checks: export OMS_SERVERS := off
checks:
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
