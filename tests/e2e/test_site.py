"""A site from nothing, by the playbooks of the package: what it can do, what a second run does, and what mends it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.support.checkout import ROOT
from tests.support.rolled_site import (
    DATABASE,
    OMERODIR,
    SECRETS,
    SERVER,
    WEB,
    WORKER,
    RolledSite,
    difference,
    provide_version,
    rolled_site,
)

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces"),
]
SCRIPT = """
import json, socket, sys
json.load(sys.stdin)
print("runs on", socket.gethostname())
"""

VISIT = """
import ssl, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], context=ssl.create_default_context(cafile="/tmp/web.pem"))
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""

BROKEN = """
import typer

def command(no_logs: bool = False, strict: bool = False) -> None:
    \"\"\"Say that nothing works.\"\"\"
    raise typer.Exit(1)
"""
UPGRADE = """
BEGIN;
INSERT INTO dbpatch (currentversion, currentpatch, previousversion, previouspatch, message)
VALUES ('OMERO5.4', 1, 'OMERO5.4', 0, 'Updating.');
CREATE TABLE spoiled (id bigint);
UPDATE experimenter SET lastname = 'spoiled';
UPDATE dbpatch SET message = 'Database updated.', finished = clock_timestamp() WHERE currentpatch = 1;
COMMIT;
"""
ROWS = "SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM {} AS t"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RolledSite]:
    """The hosts; the first test installs what the others use."""
    with rolled_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_from_nothing_to_a_server_that_works(site: RolledSite) -> None:
    before = site.files()
    planned = site.words("site.yml")
    assert difference(before, site.files()) == []
    assert set(planned) == {DATABASE, SERVER, WORKER, WEB}
    done = site.ok("apply", "site.yml", "--yes")
    assert "4 changed" in done
    shown = f"{done}{planned}"
    assert not [secret for secret in SECRETS.values() if secret in shown]
    assert site.words("site.yml") == {}


def test_visitors_get_the_maintenance_page_over_tls(site: RolledSite) -> None:
    web = site.hosts[WEB]
    certificate = web.run("cat", "/etc/nginx/tls/omero-web.pem").stdout
    database = site.hosts[DATABASE]
    database.run("tee", "/tmp/web.pem", input=certificate)
    answer = database.run("python3", "-c", VISIT, f"https://{WEB}/").stdout
    assert answer.startswith("502 ")
    assert "OMERO" in answer


def test_the_timers_command_takes_a_backup(site: RolledSite) -> None:
    unit = (site.hosts[SERVER].root / "etc/systemd/system/omero-backup.service").read_text()
    commands = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        site.hosts[SERVER].run("env", f"OMERODIR={OMERODIR}", *shlex.split(command), account="omero-server")
    site.hosts[SERVER].run("/opt/omero/server/backup", account="omero-server")
    assert len(site.omero("backup", "list", "--style", "plain").stdout.splitlines()) == 2


def test_diagnostics_find_no_fault(site: RolledSite) -> None:
    shown = site.omero("admin", "diagnostics").stdout
    assert re.search("^Problems: +none$", shown, re.MULTILINE), shown
    assert re.search(r"Processor-0 +active", shown)
    assert "inactive" not in shown


def test_a_plan_changes_nothing_and_there_is_nothing_to_do(site: RolledSite) -> None:
    before = site.files(quiet=True)
    assert site.ok("plan", "site.yml", "--detailed-exitcode").endswith(
        "0 changes on 0 hosts; nothing to do on 4 hosts\n"
    )
    assert difference(before, site.files(quiet=True)) == []


def test_what_somebody_has_changed_is_shown_and_mended(site: RolledSite) -> None:
    server, web = site.hosts[SERVER], site.hosts[WEB]
    (server.root / OMERODIR.lstrip("/") / "lib/scripts/where.py").write_text(SCRIPT)
    server.run("chmod", "777", "/OMERO/ManagedRepository")
    site.omero("config", "set", "omero.db.poolsize", "7")
    server.run("service", "omero-server", "stop")
    page = web.run("grep", "-rl", "maintainance", "/etc/nginx").stdout.split()[0]
    web.run("sed", "-i", "s/listen/listen  /", page)
    planned = site.plan("site.yml")
    assert set(planned) == {DATABASE, SERVER, WORKER, WEB}
    assert [host for host in planned if planned[host]] == [SERVER, WEB]
    by_words = {change["words"]: change for change in planned[SERVER]}
    assert "change mode of /OMERO/ManagedRepository" in by_words
    [config] = [change for words, change in by_words.items() if "omero.db.poolsize" in words]
    assert config["diff"][-2:] == ["-omero.db.poolsize=7", "+omero.db.poolsize=25"]
    assert [words for words in by_words if "omero-server" in words and "start" in words]
    assert [change for change in planned[WEB] if "omero-web" in change["words"]]
    assert "2 unchanged, 2 changed" in site.ok("apply", "site.yml", "--yes")
    assert site.words("site.yml") == {}
    site.omero("admin", "status")
    assert site.omero("config", "get", "omero.db.poolsize").stdout == "25\n"


def test_a_script_runs_on_the_worker(site: RolledSite) -> None:
    # The server looks for new ones at its start, which was just now.
    job = site.job("/where.py")
    assert (job["status"], job["stdout"]) == ("Finished", f"runs on {WORKER}\n"), job


def test_secrets_are_where_they_belong(site: RolledSite) -> None:
    server, secret = site.hosts[SERVER], SECRETS["omero_server_dbpassword"]
    found = server.run("grep", "-rlF", secret, "/etc", "/opt", "/var/lib", "/root", "/home", "/tmp", check=False)
    paths = found.stdout.split()
    assert f"{OMERODIR}/etc/grid/config.xml" in paths
    assert [path for path in paths if not path.startswith(f"{OMERODIR}/")] == []
    readable = server.run("grep", "-rlF", secret, OMERODIR, "/etc", account="nobody", check=False)
    assert readable.stdout == ""


def data(site: RolledSite) -> list[str]:
    """What the database and the repository hold, in short."""
    rows = [
        site.hosts[DATABASE].run("psql", "-XAtq", "-c", ROWS.format(table), "omero", account="postgres").stdout
        for table in ("dbpatch", "experimenter", "originalfile", "job")
    ]
    files = site.hosts[SERVER].run("find", "/OMERO", "-path", "/OMERO/FullText", "-prune", "-o", "-type", "f", "-print")
    return [*rows, *sorted(files.stdout.split())]


def test_an_upgrade_that_fails_its_check_is_taken_back(site: RolledSite) -> None:
    # It wants a newer database, too, has it upgraded, and runs with that before it is found to be no good.
    declared = "omeroadmin/schema/declared/database.py"
    wanted = re.sub(r'("omero.db.patch",.*?)"0"', r'\1"1"', (ROOT / declared).read_text(), count=1, flags=re.DOTALL)
    provide_version(
        site.hosts.dist,
        "0.1.1.1",
        {
            "omeroadmin/cli/commands/admin/diagnostics.py": BROKEN,
            "omeroadmin/_templates/sql/OMERO5.4__1/OMERO5.4__0.sql": UPGRADE,
            declared: wanted,
        },
    )
    before = data(site)
    arguments = ("upgrade.yml", "--limit", SERVER, "--set", "omero_toolkit_version=0.1.1.1")
    assert "link /opt/omero/server/venv3 to venv3-0.1.1.1" in site.words(*arguments)[SERVER]
    done = site.run("apply", *arguments, "--yes")
    assert done.returncode == 5, f"{done.stdout}\n{done.stderr}"
    assert "admin diagnostics" in done.stderr, done.stderr
    assert "db restore" in done.stdout, done.stdout
    link = site.hosts[SERVER].run("readlink", "/opt/omero/server/venv3")
    assert link.stdout == "venv3-newest\n", f"{done.stdout}\n{done.stderr}"
    site.omero("admin", "status")
    assert data(site) == before
    assert site.words("site.yml") == {}


def test_an_upgrade_that_works_stays(site: RolledSite) -> None:
    provide_version(site.hosts.dist, "0.1.1.2")
    before = data(site)
    version = ("--set", "omero_toolkit_version=0.1.1.2")
    site.ok("apply", "upgrade.yml", "--yes", "--limit", f"{SERVER},{WORKER}", *version)
    assert site.omero("version").stdout == "0.1.1.2\n"
    site.omero("admin", "status")
    assert data(site) == before
    assert site.words("upgrade.yml", *version) == {}
    assert site.words("site.yml", *version) == {}
    assert site.job("/where.py")["stdout"] == f"runs on {WORKER}\n"
