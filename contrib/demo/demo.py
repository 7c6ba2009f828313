"""Takes an instance from nothing to running, filled, diagnosed and backed up, by the commands that an admin types.

Run by ``make demo``. Every step may be repeated: what is done already is left as it is.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from omeroadmin.system.sockets import port_holder, port_is_free

CHECKOUT = Path(__file__).resolve().parents[2]
PORTS = (4064, 4063, 4061)
"""Ports of the clients (TLS, plain) and of the grid's registry."""


class Demo:
    """The instance below one directory, and the commands that make it.

    :param directory: ``demo/`` of the checkout
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.omerodir = directory / "OMERO.server"
        self.data = directory / "OMERO"
        self.samples = directory / "samples"
        self.environment = {
            "OMERODIR": str(self.omerodir),
            "OMERO_USERDIR": str(directory / "user"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        }

    def omero(self, *arguments: str, quiet: bool = False, check: bool = True) -> int:
        """Run ``omero`` and show what was typed.

        :return: exit status
        """
        if not quiet:
            print(f"\n$ omero {shlex.join(arguments)}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "omeroadmin", *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else None,
            stderr=subprocess.DEVNULL if quiet else None,
            check=False,
        )
        if check and done.returncode != 0:
            sys.exit(f"demo: omero {shlex.join(arguments)} ended with status {done.returncode}")
        return done.returncode

    def write_environment(self) -> Path:
        """The file to source before using ``omero``."""
        bin_directory = Path(sys.executable).parent
        lines = [f"export {name}={shlex.quote(self.environment[name])}" for name in ("OMERODIR", "OMERO_USERDIR")]
        lines.append(f'export PATH={shlex.quote(str(bin_directory))}:"$PATH"')
        path = self.directory / "env.sh"
        path.write_text("\n".join(lines) + "\n")
        return path

    def ports_prefix(self) -> str:
        """Prefix for the ports: none where the usual ones are free, else the first that frees all three.

        An instance that is installed keeps its own.
        """
        if (self.omerodir / "etc" / "grid" / "config.xml").exists():
            return self.configured("omero.ports.prefix")
        taken = [port for port in PORTS if not port_is_free(port)]
        if not taken:
            return ""
        for prefix in "12345":
            if all(port_is_free(int(f"{prefix}{port}")) for port in PORTS):
                holders = ", ".join(f"{port} by {port_holder(port)}" for port in taken)
                print(f"Taken: {holders}. The demo uses omero.ports.prefix={prefix}: TLS port {prefix}4064.")
                return prefix
        return sys.exit("demo: all prefixes of the ports 4061, 4063 and 4064 are taken")

    def configured(self, key: str) -> str:
        """Value of a property of the installed instance."""
        done = subprocess.run(
            [sys.executable, "-m", "omeroadmin", "config", "get", key],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def make_samples(self) -> None:
        """Write the sample images."""
        script = CHECKOUT / "contrib" / "samples" / "make_samples.py"
        print(f"\n$ python contrib/samples/make_samples.py {self.samples}", flush=True)
        subprocess.run([sys.executable, str(script), str(self.samples)], check=True)

    def run(self) -> None:
        """All of it, from installing to the verified backup."""
        began = time.monotonic()
        prefix = self.ports_prefix()
        install = ["install", "--dir", str(self.omerodir), "--data-dir", str(self.data), "--db", "embedded", "--yes"]
        self.omero(*install, *(["--ports-prefix", prefix] if prefix else []))
        environment_file = self.write_environment()
        self.omero("config", "set", "omero.backup.target", str(self.directory / "backup"))
        if self.omero("admin", "status", quiet=True, check=False) != 0:
            self.omero("admin", "start")
        password_file = str(self.omerodir / "etc" / "root_password")
        self.omero("login", f"root@localhost:{prefix}4064", "--password-file", password_file)
        self.make_samples()
        self.omero("import", "--exclude", "clientpath", str(self.samples))
        self.omero("fs", "images")
        self.omero("admin", "diagnostics")
        self.omero("backup", "create")
        self.omero("backup", "verify")
        seconds = time.monotonic() - began
        print(
            f"\nThe demo is up ({seconds:.0f} s).\n"
            f"  use it:   . {environment_file}; omero -h\n"
            f"  log in:   omero login root@localhost:{prefix}4064 --password-file {password_file}\n"
            f"  where:    {self.omerodir} (server), {self.data} (images), {self.directory / 'backup'} (snapshots)\n"
            f"  stop it:  make demo-stop      remove it: make demo-clean"
        )


if __name__ == "__main__":
    Demo(Path(sys.argv[1]).resolve()).run()
