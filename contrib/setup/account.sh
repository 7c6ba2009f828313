# Which unprivileged account does the work when root starts it. Sourced by the other scripts.
#
# OMERO_DEMO_USER names one; else the owner of the checkout, else omero-server, else nobody.

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)

if [ "$(id -u)" -ne 0 ]; then
    account=$(id -un)
elif [ -n "${OMERO_DEMO_USER:-}" ]; then
    account=$OMERO_DEMO_USER
elif [ "$(stat -c %u "$checkout")" -ne 0 ]; then
    account=$(stat -c %U "$checkout")
elif id omero-server >/dev/null 2>&1; then
    account=omero-server
else
    account=nobody
fi

# Run a command as that account; root's own PATH may lead through directories that it can't enter.
as_account() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        runuser -u "$account" -- env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    fi
}
