#!/bin/sh
# venv.sh DIRECTORY [EXTRAS]: a virtual environment with this checkout installed in it.
#
# With the extra "test", DIRECTORY/peers holds OMERO's own tools: outside of the environment's packages, because their
# program is called `omero` as well, and without the packages that they need to talk to a server.
#
# Does nothing where the environment is up to date. Started by root it picks a Python that the unprivileged account
# can run too: root's own (below /root, say) would leave the servers without an interpreter.
set -eu
. "$(dirname "$0")/account.sh"

directory=$1
extras=${2:-}
cd "$checkout"

fail() {
    echo "make: $1" >&2
    exit 3
}

usable() {
    command -v "$1" >/dev/null 2>&1 || return 1
    interpreter=$(cd / && "$1" -c 'import sys; print(sys.executable)' 2>/dev/null) || return 1
    (cd / && as_account "$interpreter" -c '
import sys, venv, ensurepip
sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1)
}

if [ "$(id -u)" -eq 0 ] && ! as_account test -r "$checkout/pyproject.toml"; then
    fail "user $account can't read $checkout: clone below a directory that everybody may enter, such as /opt, or name a user: make demo OMERO_DEMO_USER=NAME"
fi

if [ -z "$extras" ] && ! command -v postgres >/dev/null 2>&1 &&
    ! ls /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres >/dev/null 2>&1; then
    extras=postgresql
fi

stamp="$directory/installed"
wanted="$(cat pyproject.toml omeroadmin/version.py contrib/setup/peers.txt | cksum) $extras"
if [ -x "$directory/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] &&
    (cd / && as_account "$checkout/$directory/bin/python" -c '' 2>/dev/null); then
    exit 0
fi

chosen=
for candidate in ${PYTHON:-} python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.14 \
    /usr/local/bin/python3 /usr/bin/python3.12 /usr/bin/python3.11; do
    if usable "$candidate"; then
        chosen=$interpreter
        break
    fi
done
[ -n "$chosen" ] || fail "no Python 3.11 or newer with venv that user $account can run: apt-get install python3-venv, or make PYTHON=/path/to/python3"

echo "Installing into $directory with $chosen" >&2
rm -rf "$directory"
"$chosen" -m venv "$directory"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".${extras:+[$extras]}"
if [ "$extras" = test ]; then
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
        --target "$directory/peers" --requirement contrib/setup/peers.txt ||
        echo "make: without contrib/setup/peers.txt, tests beside OMERO's own tools can't run" >&2
fi
# The servers run as another user, who can't write compiled modules into the checkout.
"$directory/bin/python" -m compileall -q omeroadmin
echo "$wanted" > "$stamp"
