# Every command of the project. `make help` lists them.
PYTHON ?= python3
TOOLS  := .tools/bin
UV     := UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never $(TOOLS)/uv
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help install run test lint bench texts lock

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

install: .venv/installed  ## make the environment in .venv from the lock file

run: .venv/installed  ## serve the web chat on http://127.0.0.1:8080, and Telegram when a token is set
	.venv/bin/wegwijs serve

test: .venv/developing  ## run every test, on SQLite and PostgreSQL, and in Chromium where it is there
	.venv/bin/pytest -n 2 --dist loadfile

lint: .venv/developing  ## check style, types, message catalogues and knowledge
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/wegwijs knowledge check

bench: .venv/measuring  ## measure the answers beside search engines and classifiers, and the speed beside a bare echo bot
	.venv/bin/python -m benchmarks

texts: .venv/developing  ## bring locales/ in step with the interface texts in the code
	.venv/bin/pybabel extract -F pyproject.toml --no-wrap --no-location --omit-header -k text:1 -k button:2 -k marked:1 --ignore-dirs="knowledge console .*" -o locales/wegwijs.pot bot
	.venv/bin/pybabel extract -F pyproject.toml --no-wrap --no-location --omit-header --no-default-keywords -k problem:3 -k marked:1 -k say:1 -o locales/staff.pot bot/knowledge bot/console
	.venv/bin/pybabel update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -D wegwijs -i locales/wegwijs.pot -d locales
	.venv/bin/pybabel update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --init-missing -D staff -i locales/staff.pot -d locales -l nl

lock: $(TOOLS)/uv  ## renew uv.lock after a change in pyproject.toml
	$(UV) lock

$(TOOLS)/uv:
	$(PYTHON) -m venv .tools
	$(TOOLS)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/installed: uv.lock pyproject.toml | $(TOOLS)/uv
	$(UV) sync --frozen --inexact --no-dev --compile-bytecode --quiet --python $(PYTHON)
	@.venv/bin/python -m compileall -q bot
	@.venv/bin/wegwijs ask hello > /dev/null  # what is learnt now need not be learnt at the first start
	@touch $@

.venv/developing: .venv/installed
	$(UV) sync --frozen --inexact --compile-bytecode --quiet --python $(PYTHON)
	@touch $@

.venv/measuring: .venv/developing
	$(UV) sync --frozen --inexact --group bench --compile-bytecode --quiet --python $(PYTHON)
	@touch $@
