"""Properties that this toolkit adds to OMERO's."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, PATH, PORT, TEXT, duration, enum, optional, text_like, whole
from omeroadmin.schema.setting import Setting

_TOOLKIT = ("toolkit",)
_TARGET = r"ssh://[^/]+/.+|(?:restic|borg):.+|(?!~)(?![A-Za-z0-9+]+://)(?!(?:ssh|restic|borg):).+"
_NODE_HOST = r"[A-Za-z0-9._-]+=[A-Za-z0-9._:%-]+"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.backup.encryption.identity_file",
        "Toolkit",
        optional(PATH),
        "",
        "A file with private keys of age, or an SSH key, that opens snapshots for verify, drill and restore, unless "
        "--identity-file names another. Who reads it reads all backups; without it, verify --deep, drill and restore "
        "can't be done on this machine.",
        affects=_TOOLKIT,
        example="/root/omero-backup.key",
    ),
    Setting(
        "omero.backup.encryption.passphrase_file",
        "Toolkit",
        optional(PATH),
        "",
        "A file whose first line is the passphrase that seals dump, configuration and private keys of each snapshot, "
        "unless an option says otherwise, and that opens them again. Keep a copy on paper: without it nobody can "
        "restore. After a change, older snapshots still need the old one.",
        affects=_TOOLKIT,
        example="/etc/omero/backup.passphrase",
    ),
    Setting(
        "omero.backup.encryption.recipients",
        "Toolkit",
        text_like(r"[^\n]*", "public keys or files of them, with commas between"),
        "",
        "The public keys of age (age1… or ssh-ed25519 …) that dump, configuration and private keys of each snapshot are "
        "sealed for, or files with one in each line; commas between. Who holds one of the private keys can open them, "
        "this server can't. Empty, and without a passphrase, leaves them in the clear, with mode 0600.",
        affects=_TOOLKIT,
        example="age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    ),
    Setting(
        "omero.backup.hook.failure",
        "Toolkit",
        TEXT,
        "",
        "The program, with its arguments, that omero backup create runs after a failure or a snapshot that isn't "
        "consistent. Quotes count as in a shell, but no shell runs it. OMERO_BACKUP_STATUS, OMERO_BACKUP_CODE and "
        "OMERO_BACKUP_MESSAGE in its environment say what went wrong.",
        affects=_TOOLKIT,
        example="/usr/local/bin/page-admin --service omero",
    ),
    Setting(
        "omero.backup.hook.success",
        "Toolkit",
        TEXT,
        "",
        "The program, with its arguments, that omero backup create runs after a consistent snapshot. It finds the "
        "snapshot in OMERO_BACKUP_ID, with OMERO_BACKUP_BYTES, OMERO_BACKUP_FILES and OMERO_BACKUP_SECONDS. If it "
        "fails, so does the command, with status 5; the snapshot stays.",
        affects=_TOOLKIT,
        example="rclone sync /backup/omero offsite:omero",
    ),
    Setting(
        "omero.backup.physical.repository",
        "Toolkit",
        optional(PATH),
        "",
        "The directory where pgBackRest keeps physical backups and the archive of the database's log. Empty takes "
        "pgbackrest in omero.backup.target; a target that is no directory needs one here. After a change: omero backup "
        "archive.",
        affects=_TOOLKIT,
        example="/backup/pgbackrest",
    ),
    Setting(
        "omero.backup.target",
        "Toolkit",
        optional(text_like(_TARGET, "a directory, ssh://user@host/path, restic:REPOSITORY or borg:REPOSITORY")),
        "",
        "Where omero backup keeps its snapshots, unless --target names another place: a directory, "
        "ssh://user@host/path by SFTP, restic:REPOSITORY or borg:REPOSITORY. Take a directory on other disks than "
        "omero.data.dir, and outside of it. While it is empty, diagnostics warn that there is no backup.",
        affects=_TOOLKIT,
        example="/backup/omero",
    ),
    Setting(
        "omero.backup.password_file",
        "Toolkit",
        optional(PATH),
        "",
        "The file with the password of the repository, where omero.backup.target is one of restic or borg. Its owner "
        "alone should be able to read it. While it is empty, restic's and borg's own environment variables count. "
        "Without the password, nobody can restore: keep a copy elsewhere.",
        affects=_TOOLKIT,
        example="/etc/omero/backup.password",
    ),
    Setting(
        "omero.db.embedded",
        "Toolkit",
        BOOL,
        "false",
        "Whether the toolkit runs a PostgreSQL of the instance's own, with its files in var/postgresql; omero install "
        "sets it where no database is named. Changing it moves no data: make a backup and restore it into the other "
        "database.",
        affects=_TOOLKIT,
    ),
    Setting(
        "omero.db.embedded.bindir",
        "Toolkit",
        optional(PATH),
        "",
        "The directory of PostgreSQL's programs for omero.db.embedded and for dumps. Empty takes the newest of the "
        "distribution's, or those of the Python package. Its major version must be the one that made var/postgresql.",
        affects=_TOOLKIT,
        example="/usr/lib/postgresql/15/bin",
    ),
    Setting(
        "omero.dropbox.settle",
        "Toolkit",
        duration("seconds"),
        "2",
        "How long a file in DropBox must have stayed unchanged before it counts as whole and is imported; 0 doesn't "
        "wait. Raise it where instruments write with pauses and half files get imported.",
        affects=("MonitorServer", "TestDropBox"),
    ),
    Setting(
        "omero.grid.driver",
        "Toolkit",
        enum("embedded", "auto", "icegrid"),
        "embedded",
        "Who starts the servers and watches over them: embedded is the toolkit's own supervisor, which needs nothing "
        "installed; icegrid is ZeroC's IceGrid; auto leaves the choice to the toolkit, which takes embedded. A start "
        "says so where it can't use the one named. Stop the server before you change it.",
        affects=_TOOLKIT,
    ),
    Setting(
        "omero.grid.endpoint",
        "Toolkit",
        enum("auto", "always", "never"),
        "auto",
        "Whether OMERO.Glacier2 lets servers on other hosts in, at omero.master.host and omero.ports.grid, over TLS and "
        "with a token that only the grid's servers are given. auto does so where omero.grid.driver is icegrid, "
        "omero.server.nodedescriptors names a node beside the master, and omero.master.host is an address that other "
        "hosts reach.",
        affects=("OMERO.Glacier2", "PixelData", "Processor", "toolkit"),
    ),
    Setting(
        "omero.grid.hosts",
        "Toolkit",
        optional(text_like(rf"\s*{_NODE_HOST}(\s+{_NODE_HOST})*\s*", "hosts by node, such as worker1=192.168.0.2")),
        "",
        "Where the nodes of omero.server.nodedescriptors other than the master are reached, with spaces between them; "
        "etc/NODE.cfg is made with it. A node that isn't named is taken to be on the master's host where that is the "
        "loopback, else on the host that has the node's name, or Ice.Default.Host if it isn't the master's.",
        affects=_TOOLKIT,
        example="worker1=192.168.0.2 worker2=node2.example.org",
    ),
    Setting(
        "omero.grid.hung_timeout",
        "Toolkit",
        duration("seconds"),
        "60",
        "How long a server that was ready may give no sign of life before the embedded driver ends and restarts it; 0 "
        "never does. The answer takes a healthy server no time, and even a machine that swaps a few seconds. Set it to "
        "0 while you hold a server in a debugger.",
        affects=_TOOLKIT,
    ),
    Setting(
        "omero.ports.grid",
        "Toolkit",
        PORT,
        "4062",
        "The port of omero.grid.endpoint; omero.ports.prefix counts for it as for the others. The hosts of the grid "
        "must reach it, and nobody else need.",
        affects=("OMERO.Glacier2", "PixelData", "Processor", "toolkit"),
    ),
    Setting(
        "omero.scripts.lease",
        "Toolkit",
        duration("seconds", minimum=5),
        "120",
        "How long a script's job may go without a sign of life from its Processor. Then the job ends as an error, and "
        "the script is ended as soon as its Processor is heard of again. Raise it where the network between hosts "
        "fails for longer.",
        affects=("Blitz", "Processor"),
    ),
    Setting(
        "omero.scripts.memory",
        "Toolkit",
        whole(64, unit="MB"),
        "1024",
        "The memory of one script: Processor's heap, which it gives to the script that it runs. A script that needs "
        "more ends with an OutOfMemoryError in its job, and Processor starts anew. Each node runs one script at a time "
        "for each Processor that it has. Give scripts that hold whole images what these take without compression.",
        affects=("Processor",),
    ),
)
