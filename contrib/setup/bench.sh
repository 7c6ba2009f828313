#!/bin/sh
# Measures what is claimed to be fast; arguments go to tests/benchmarks/bench.py. Started by root it measures as the
# unprivileged account, because PostgreSQL and the servers refuse root; roll-outs come last, as root.
set -eu
. "$(dirname "$0")/account.sh"
cd "$checkout"
contrib/setup/venv.sh .venv-test test

work=$(mktemp -d "${TMPDIR:-/tmp}/omeroadmin-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
[ "$(id -u)" -ne 0 ] || chown "$account" "$work"
status=0
as_account env HOME="$work" TMPDIR="$work" .venv-test/bin/python -m tests.benchmarks.bench "$@" || status=$?
if [ "$(id -u)" -eq 0 ]; then
    .venv-test/bin/python -m tests.benchmarks.bench "$@" || status=$?
else
    echo "Roll-outs aren't measured: only root can make the hosts for them" >&2
fi
exit "$status"
