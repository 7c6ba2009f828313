"""``omero db script``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.password import NoSaltOption, PasswordFileOption, PasswordOption, new_password


def command(
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="Where to save the script; - is stdout.")
    ] = None,
    password: PasswordOption = None,
    password_file: PasswordFileOption = None,
    no_salt: NoSaltOption = False,
) -> None:
    """Write the SQL script that makes an OMERO database.

    It is for psql.

    By default it is saved in the working directory under the name of the schema's version, mode 0600: it holds the
    hash of the password of the server's user root.

    Example: omero db script --password-file root_password -f - | psql -h localhost -U omero omero
    """
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines, say
    from omeroadmin.database.script import SchemaVersion, database_script, root_hash, schema_directory
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.system import files

    instance = require_instance()
    version = SchemaVersion.from_settings(load_settings(instance))
    directory = schema_directory(instance, version)
    say(f"Using {version.version} for version")
    say(f"Using {version.patch} for patch")
    given = new_password("OMERO root user", password, password_file)
    say(f"Using password from {given.source}")
    hashed = root_hash(given.text, salt=not no_salt)
    script = database_script(hashed, version=version, directory=directory)
    if file == "-":
        print_lines(script.rstrip("\n"))
        return
    target = Path(file).absolute() if file is not None else Path.cwd() / f"{version}.sql"
    print_lines(f"Saving to {target}")
    files.write_atomically(target, script, mode=files.SECRET_MODE)
