"""Properties that this toolkit adds to OMERO's."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, HOST, PATH, SECRET, TEXT, whole
from omeroadmin.schema.setting import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.backup.target",
        "Toolkit",
        PATH,
        "",
        "Directory where `omero backup` keeps its snapshots, unless --target says otherwise.",
    ),
    Setting(
        "omero.db.embedded",
        "Toolkit",
        BOOL,
        "false",
        "Whether the toolkit runs a PostgreSQL of its own below OMERODIR/var/postgresql.",
    ),
    Setting(
        "omero.db.embedded.bindir",
        "Toolkit",
        PATH,
        "",
        "Directory of PostgreSQL's programs; empty: the distribution's, else those of the Python package.",
    ),
    Setting(
        "omero.dropbox.settle",
        "Toolkit",
        whole(),
        "2",
        "Seconds without a change after which a file in DropBox counts as whole and is imported.",
    ),
    Setting(
        "omero.grid.driver",
        "Toolkit",
        TEXT,
        "embedded",
        "Who supervises the servers; this version knows `embedded`.",
    ),
    Setting(
        "omero.master.host",
        "Toolkit",
        HOST,
        "",
        "Host of the grid's registry; empty: 127.0.0.1.",
    ),
    Setting(
        "Ice.Default.Host",
        "Toolkit",
        HOST,
        "",
        "Address that the servers bind where they name none.",
    ),
    Setting(
        "omero.glacier2.IceSSL.DefaultDir",
        "Toolkit",
        PATH,
        "",
        "Directory of the certificate files.",
    ),
    Setting(
        "omero.glacier2.IceSSL.CertFile",
        "Toolkit",
        TEXT,
        "",
        "PKCS#12 file with key and certificate.",
    ),
    Setting(
        "omero.glacier2.IceSSL.CAs",
        "Toolkit",
        TEXT,
        "",
        "PEM file of the certificate authorities.",
    ),
    Setting(
        "omero.glacier2.IceSSL.Password",
        "Toolkit",
        SECRET,
        "",
        "Password of the PKCS#12 file.",
    ),
    Setting(
        "omero.certificates.commonname",
        "Toolkit",
        HOST,
        "",
        "Host name in the certificate.",
    ),
    Setting(
        "omero.certificates.owner",
        "Toolkit",
        TEXT,
        "",
        "Other parts of the certificate's subject.",
    ),
    Setting(
        "omero.certificates.key",
        "Toolkit",
        TEXT,
        "",
        "File name of the private key.",
    ),
)
