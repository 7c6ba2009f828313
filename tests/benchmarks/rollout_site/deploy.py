"""What the roll-outs of three tools have in common, for pyinfra; run by its program only."""

from pyinfra import host  # type: ignore[import-not-found]
from pyinfra.facts.files import File  # type: ignore[import-not-found]
from pyinfra.operations import apt, files, server, sysvinit  # type: ignore[import-not-found]

DATA = "/OMERO"
OURS = {"user": "omero-server", "group": "omero"}
ROOTS = {"user": "root", "group": "root", "mode": "644"}
VALUES = {
    "server_name": "omero.example.org",
    "datadir": DATA,
    "database_host": "db.example.org",
    "pool_size": 25,
    "heap": "2G",
}

apt.packages(packages=["acl", "logrotate", "redis-server", "tree", "unzip"], no_recommends=True)
server.group(group="omero", system=True)
server.user(  # noqa: S604 (an account's shell)
    user="omero-server", system=True, group="omero", home="/opt/omero/server", shell="/bin/bash", ensure_home=False
)
files.directory(path="/opt/omero", user="root", group="root", mode="755")
files.directory(path="/opt/omero/server", mode="755", **OURS)
files.directory(path="/opt/omero/server/config", mode="750", **OURS)
files.directory(path=DATA, mode="755", **OURS)
files.directory(path=f"{DATA}/ManagedRepository", mode="2775", **OURS)
files.directory(path=f"{DATA}/log", mode="755", **OURS)
files.link(path="/opt/omero/server/data", target=DATA)
files.template(
    src="templates/server.omero.j2",
    dest="/opt/omero/server/config/00-omero-server.omero",
    mode="640",
    **OURS,
    **VALUES,
)
files.template(src="templates/site.conf.j2", dest="/etc/omero.conf", user="root", group="omero", mode="640", **VALUES)
files.template(src="templates/logrotate.j2", dest="/etc/logrotate.d/omero", **ROOTS, **VALUES)
files.put(src="templates/profile.sh", dest="/etc/profile.d/omero.sh", **ROOTS)
files.put(src="templates/60-omero.conf", dest="/etc/sysctl.d/60-omero.conf", **ROOTS)
files.put(src="templates/limits.conf", dest="/etc/security/limits.d/omero.conf", **ROOTS)
files.put(src="templates/omero-backup", dest="/etc/cron.d/omero-backup", **ROOTS)
files.line(path="/etc/login.defs", line="^UMASK.*", replace="UMASK 027")
files.block(path="/etc/bash.bashrc", content="umask 0002", marker="# {mark} omero umask", begin="BEGIN", end="END")
limit = files.line(path="/etc/redis/redis.conf", line="^maxmemory .*", replace="maxmemory 64mb")
sysvinit.service(service="redis-server", restarted=True, _if=limit.did_change)
sysvinit.service(service="redis-server", running=True, enabled=True)
server.shell(commands=f"touch {DATA}/.ready", _if=lambda: host.get_fact(File, path=f"{DATA}/.ready") is None)
