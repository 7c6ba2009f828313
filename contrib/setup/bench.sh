#!/bin/sh
# Measures what is claimed to be fast; arguments go to tests/benchmarks/bench.py. Started by root it measures as the
# unprivileged account, because PostgreSQL and the servers refuse root.
set -eu
. "$(dirname "$0")/account.sh"
cd "$checkout"
contrib/setup/venv.sh .venv-test test

work=$(mktemp -d "${TMPDIR:-/tmp}/omeroadmin-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
[ "$(id -u)" -ne 0 ] || chown "$account" "$work"
as_account env HOME="$work" TMPDIR="$work" .venv-test/bin/python -m tests.benchmarks.bench "$@"
