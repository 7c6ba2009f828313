# Thin on purpose: what happens is in contrib/setup, contrib/demo and tests/run.py.
.PHONY: help venv demo demo-stop demo-clean test bench lint reference

help:
	@echo "make demo        set up, start, fill, diagnose and back up an instance below demo/"
	@echo "make demo-stop   stop it          make demo-clean  stop and remove it"
	@echo "make test        run the whole suite (as root with Debian's packages, else without)"
	@echo "make bench       measure what is claimed to be fast, beside its peers"
	@echo "make venv        only install, into .venv"
	@echo "make lint        ruff, mypy and import contracts"
	@echo "make reference   write the generated pages of docs/reference"

venv:
	@contrib/setup/venv.sh .venv

demo: venv
	@contrib/demo/demo.sh start

demo-stop:
	@contrib/demo/demo.sh stop

demo-clean:
	@contrib/demo/demo.sh clean

test:
	@contrib/setup/test.sh

.venv-test: pyproject.toml
	@contrib/setup/venv.sh .venv-test test

bench:
	@contrib/setup/bench.sh

lint: .venv-test
	@.venv-test/bin/ruff check && .venv-test/bin/ruff format --check && .venv-test/bin/mypy && .venv-test/bin/lint-imports

reference: .venv-test
	@.venv-test/bin/python -m tests.support.reference --write
