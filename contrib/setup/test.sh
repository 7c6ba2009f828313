#!/bin/sh
# The whole suite. Root installs the Debian packages that tests need; the tests themselves run unprivileged, because
# PostgreSQL and the servers refuse root, and those marked "root" run as root afterwards.
set -eu
. "$(dirname "$0")/account.sh"
cd "$checkout"

work=$(mktemp -d "${TMPDIR:-/tmp}/omeroadmin-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"

if [ "$(id -u)" -eq 0 ] && ! as_account test -r "$checkout/pyproject.toml"; then
    # The account can't enter this checkout: test a copy that it can.
    mkdir "$work/checkout"
    tar -C "$checkout" --exclude ./.venv --exclude ./.venv-test --exclude ./demo -cf - . | tar -C "$work/checkout" -xf -
    cd "$work/checkout"
    chmod -R a+rX .
    contrib/setup/venv.sh .venv-test test
    exec .venv-test/bin/python -m tests.run --account "$account" --work "$work" "$@"
fi

contrib/setup/venv.sh .venv-test test
.venv-test/bin/python -m tests.run --account "$account" --work "$work" "$@"
