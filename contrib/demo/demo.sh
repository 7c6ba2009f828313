#!/bin/sh
# demo.sh start|stop|clean: the demonstration below demo/, as an unprivileged user even when root asks for it.
set -eu
. "$(dirname "$0")/../setup/account.sh"
cd "$checkout"

python=$checkout/.venv/bin/python
demo=$checkout/demo

case "${1:-}" in
start)
    mkdir -p "$demo"
    if [ "$(id -u)" -eq 0 ]; then
        echo "Started by root: the instance runs as user $account." >&2
        [ "$(stat -c %U "$demo")" = "$account" ] || chown -R "$account" "$demo"
    fi
    as_account env HOME="$demo" "$python" "$checkout/contrib/demo/demo.py" "$demo"
    ;;
stop | clean)
    if [ -f "$demo/env.sh" ] && [ -d "$demo/OMERO.server" ] && [ -x "$python" ]; then
        as_account env HOME="$demo" OMERODIR="$demo/OMERO.server" OMERO_USERDIR="$demo/user" \
            "$python" -m omeroadmin admin stop
    fi
    [ "$1" = stop ] || rm -rf "$demo"
    ;;
*)
    echo "usage: demo.sh start|stop|clean" >&2
    exit 2
    ;;
esac
