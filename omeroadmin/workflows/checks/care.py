"""What keeps a server healthy in the long run: certificate, database, search index, backup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from omeroadmin.backups.engines.address import is_directory
from omeroadmin.certificates.expiry import certificate_expiry
from omeroadmin.certificates.plan import RENEWAL
from omeroadmin.database import connection as database
from omeroadmin.database import embedded
from omeroadmin.database.physical.facts import HINT_FAILING, archiver, archiver_words
from omeroadmin.errors import AdminError
from omeroadmin.repository import fulltext
from omeroadmin.schema.settings import Settings
from omeroadmin.system import clock
from omeroadmin.workflows.backup_record import known_facts
from omeroadmin.workflows.backup_target import TARGET_PROPERTY
from omeroadmin.workflows.checks.model import Category, Item, Status, Subject, plain_size

READ_INDEX_BYTES = 256 * 2**20
"""A larger index isn't read, which would take more than a moment; omero admin reindex --status does."""
OLD_BACKUP_HOURS = 26
"""A daily backup that takes its time is not older than this."""


def certificate(subject: Subject) -> Category:
    """How long the certificate of the encrypted port is still good."""
    return Category("certificate", "Certificate", (_certificate(subject.settings, clock.utc_now()),))


def _certificate(settings: Settings, now: datetime) -> Item:
    found = certificate_expiry(settings)
    if found is None:
        return Item("none", Status.WARN, "clients connect without a certificate", "omero certificates")
    days = found.days_left(now)
    kind = "self-signed" if found.is_self_signed else "issued by an authority"
    evidence = f"valid until {found.not_after:%Y-%m-%d}, {days:.0f} days ({kind})"
    renewal = "omero certificates, then restart: omero admin restart"
    if not found.is_self_signed:
        renewal = f"get a new one from its issuer, put it at {found.path}, and restart: omero admin restart"
    if days <= 0:
        return Item(found.path.name, Status.FAIL, f"ended on {found.not_after:%Y-%m-%d} ({kind})", renewal)
    if days < RENEWAL.days:
        return Item(found.path.name, Status.WARN, evidence, renewal)
    return Item(found.path.name, Status.OK, evidence)


def database_answer(subject: Subject) -> Category:
    """Whether the database takes the server's login, and which versions it has."""
    address = database.DatabaseAddress.from_settings(subject.settings)
    return Category("database", "Database", tuple(_database(subject, address)))


def _database(subject: Subject, address: database.DatabaseAddress) -> Iterator[Item]:
    if embedded.is_embedded(subject.settings) and not embedded.status(subject.instance).running:
        yield Item(str(address), Status.SKIP, "not started (the instance's own PostgreSQL)", "omero admin start")
        return
    try:
        with database.connect(address) as connection:
            major, minor = database.server_version(connection)
            schema = database.schema_version(connection)
            archive = archiver(connection)
    except AdminError as error:
        yield Item(str(address), Status.FAIL, error.message, error.hint)
        return
    server = f"PostgreSQL {major}.{minor}"
    if schema is None:
        yield Item(str(address), Status.FAIL, f"{server}, no OMERO schema", "omero db init")
    else:
        yield Item(str(address), Status.OK, f"{server}, {schema}")
    if archive.failing:
        yield Item("archive", Status.WARN, archiver_words(archive), HINT_FAILING)
    elif archive.enabled:
        yield Item("archive", Status.OK, archiver_words(archive))


def search_index(subject: Subject) -> Category:
    """Whether the full-text index is what was written, as far as it can be read in a moment."""
    return Category("search-index", "Search", (_search_index(fulltext.index_directory(subject.settings)),))


def _search_index(directory: Path) -> Item:
    facts = fulltext.inspect_index(directory, most_bytes=READ_INDEX_BYTES)
    if facts.problems:
        return Item(fulltext.NAME, Status.FAIL, f"DAMAGED: {facts.problems[0]}", "omero admin reindex --all")
    if not facts.exists:
        return Item(fulltext.NAME, Status.SKIP, "there is no index yet")
    evidence = f"{facts.documents} objects, {plain_size(facts.size)}" if facts.segments else plain_size(facts.size)
    return Item(fulltext.NAME, Status.OK, f"{evidence}{', as it was written' if facts.is_read else ''}")


def backup(subject: Subject) -> Category:
    """When the last snapshot was taken and verified."""
    return Category("backup", "Backup", (_backup(subject, clock.utc_now()),))


def _backup(subject: Subject, now: datetime) -> Item:
    name = subject.settings.text(TARGET_PROPERTY).strip()
    if not name:
        return Item("none", Status.WARN, "omero.backup.target is not set", "omero config set omero.backup.target DIR")
    if is_directory(name) and not subject.settings.path(TARGET_PROPERTY).exists():
        return Item(name, Status.WARN, "not there: not mounted, or no snapshot taken yet", "omero backup create")
    facts = known_facts(subject.instance, subject.settings)
    if facts is None:
        return Item(name, Status.WARN, "no snapshot was taken from here yet", "omero backup create")
    if facts.last_success is None:
        evidence = f"{facts.snapshots} snapshots, none of them consistent"
        return Item(name, Status.WARN, evidence, "omero backup create")
    last = datetime.fromtimestamp(facts.last_success, UTC)
    hours = (now - last).total_seconds() / 3600
    evidence = f"last snapshot {clock.utc_stamp(last)}, {hours:.0f} h ago, {plain_size(facts.size)}; "
    if facts.verified is None:
        evidence += "never verified"
    else:
        evidence += f"verified {clock.utc_stamp(datetime.fromtimestamp(facts.verified, UTC))}"
    if hours > OLD_BACKUP_HOURS:
        return Item(name, Status.WARN, evidence, "omero backup create")
    return Item(name, Status.OK, evidence)
