"""Every metric family that the toolkit knows, declared once: name, help, labels, unit.

Alert rules, dashboards and the reference are checked against this list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One metric family; all are gauges, because each run of the command takes them anew.

    :param name: base unit at its end
    :param labels: names of the labels, in the order of a sample's values
    :param unit: base unit, or empty where things are counted
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Sample:
    """One value of a family.

    :param labels: values of the family's labels, in their order
    """

    family: Family
    value: float
    labels: tuple[str, ...] = ()


UP = Family("omero_up", "Whether the node and all servers that it is to run answer (1) or not (0).")
BUILD_INFO = Family("omero_build_info", "Version of the toolkit that made these metrics; always 1.", ("version",))
TAKEN = Family(
    "omero_metrics_timestamp_seconds",
    "When these metrics were taken, in seconds since 1970; a file that nobody replaces any more shows it.",
    unit="seconds",
)
PART_UP = Family(
    "omero_collector_success", "Whether a part of these metrics could be collected (1) or not (0).", ("collector",)
)
SERVER_UP = Family("omero_server_up", "Whether a server runs and says that it is ready.", ("server",))
SERVER_ENABLED = Family("omero_server_enabled", "Whether the node may start a server.", ("server",))
SERVER_STATE = Family(
    "omero_server_state", "State of a server in IceGrid's words: 1 for the present one.", ("server", "state")
)
SERVER_STARTED = Family(
    "omero_server_start_timestamp_seconds",
    "When a server's process was started, in seconds since 1970; each restart changes it.",
    ("server",),
    unit="seconds",
)
DATABASE_UP = Family("omero_database_up", "Whether the database takes the server's login.")
DATABASE_SIZE = Family("omero_database_size_bytes", "Size of the database on its disk.", unit="bytes")
IMAGES = Family("omero_images", "Images in the database.")
USERS = Family("omero_users", "Users, by whether they may log in.", ("active",))
GROUPS = Family("omero_groups", "Groups, the system's own among them.")
SESSIONS = Family("omero_sessions_active", "Sessions that are not closed.")
REPOSITORY_SIZE = Family(
    "omero_managed_repository_bytes", "Bytes of the files in the managed repository, as the database has them.",
    unit="bytes",
)  # fmt: skip
INDEXER_LAG = Family("omero_indexer_lag_events", "Entries of the event log that the indexer has not seen yet.")
CERTIFICATE_EXPIRY = Family(
    "omero_certificate_expiry_timestamp_seconds",
    "When the server's certificate ends, in seconds since 1970.",
    unit="seconds",
)
BACKUP_SNAPSHOTS = Family("omero_backup_snapshots", "Snapshots in the backup target, unusable ones among them.")
BACKUP_SUCCESS = Family(
    "omero_backup_last_success_timestamp_seconds",
    "When the newest consistent snapshot was finished, in seconds since 1970.",
    unit="seconds",
)
BACKUP_DURATION = Family(
    "omero_backup_last_duration_seconds", "How long the newest consistent snapshot took.", unit="seconds"
)
BACKUP_SIZE = Family(
    "omero_backup_last_size_bytes", "Bytes of the files in the newest consistent snapshot.", unit="bytes"
)
BACKUP_COPIED = Family(
    "omero_backup_last_copied_bytes", "Bytes that the newest consistent snapshot added to the target.", unit="bytes"
)
BACKUP_FILES = Family("omero_backup_last_files", "Files in the newest consistent snapshot.")
BACKUP_VERIFIED = Family(
    "omero_backup_last_verified_timestamp_seconds",
    "When a snapshot was last verified with success, in seconds since 1970.",
    unit="seconds",
)
BACKUP_DRILL = Family(
    "omero_backup_last_drill_timestamp_seconds",
    "When a drill last restored and used a snapshot with success, in seconds since 1970.",
    unit="seconds",
)
BACKUP_DRILL_RESTORE = Family(
    "omero_backup_last_drill_restore_duration_seconds", "How long the restore took in that drill.", unit="seconds"
)
LOG_ERRORS = Family("omero_log_errors", "Lines of level error in a log since it was last rotated.", ("log",))
LOG_WARNINGS = Family("omero_log_warnings", "Lines of level warning in a log since it was last rotated.", ("log",))
DISK_FREE = Family("omero_data_free_bytes", "Bytes that this user can still write below omero.data.dir.", unit="bytes")
DISK_SIZE = Family("omero_data_size_bytes", "Size of the file system of omero.data.dir.", unit="bytes")

FAMILIES: tuple[Family, ...] = (
    UP,
    BUILD_INFO,
    TAKEN,
    PART_UP,
    SERVER_UP,
    SERVER_ENABLED,
    SERVER_STATE,
    SERVER_STARTED,
    DATABASE_UP,
    DATABASE_SIZE,
    IMAGES,
    USERS,
    GROUPS,
    SESSIONS,
    REPOSITORY_SIZE,
    INDEXER_LAG,
    CERTIFICATE_EXPIRY,
    BACKUP_SNAPSHOTS,
    BACKUP_SUCCESS,
    BACKUP_DURATION,
    BACKUP_SIZE,
    BACKUP_COPIED,
    BACKUP_FILES,
    BACKUP_VERIFIED,
    BACKUP_DRILL,
    BACKUP_DRILL_RESTORE,
    LOG_ERRORS,
    LOG_WARNINGS,
    DISK_FREE,
    DISK_SIZE,
)
"""All families, in the order in which they are shown."""
