"""The root file system of test hosts, the packages that they can install without network, and an older Python."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.support.testhosts_apt import ARCHIVE, OLD_RELEASE, RELEASE, Apt, index, mirrors, proxies
from tests.support.testhosts_parts import CannotMake, Part, command

ADMIN = "admin"
"""An account with sudo without a password."""
KEEPER = "keeper"
"""An account whose sudo wants :data:`SUDO_PASSWORD`."""
SUDO_PASSWORD = "not-a-secret-7431"
PACKAGES, WHEELS, DIST = "/srv/packages", "/srv/wheels", "/srv/dist"
"""Where hosts see packages, wheels, and what the test has built."""

IN_BASE = (
    "acl", "ca-certificates", "init-system-helpers", "iproute2", "kmod", "less", "netbase", "openssh-server",
    "openssh-sftp-server", "openssl", "procps", "python3", "sudo",
)  # fmt: skip
"""What every host has from the start, beyond Debian's smallest system."""
OFFERED = (
    "age", "anacron", "borgbackup", "bzip2", "cron", "curl", "gnupg", "libpq5", "locales", "logrotate", "nftables",
    "nginx-light", "pgbackrest", "postgresql", "postgresql-client", "postgresql-contrib", "python3-apt", "python3-venv",
    "redis-server", "restic", "rsync", "ssl-cert", "tree", "tzdata", "ufw", "unzip", "xz-utils", "zeroc-ice-utils",
    "zeroc-icegrid", "zip",
)  # fmt: skip
"""What hosts can install, with all that it needs. One that is added here is there after the next preparation."""
_OLD_PYTHON = ("python3.9-minimal", "libpython3.9-minimal", "libpython3.9-stdlib", "libssl1.1", "libffi7")
_FILES = {
    # What is installed is thrown away soon: dpkg needn't wait for the disk, and nobody reads the documentation.
    "etc/dpkg/dpkg.cfg.d/tests": "force-unsafe-io\n"
    "path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n",
    "etc/apt/sources.list": f"deb [trusted=yes] file:{PACKAGES} ./\n",
    "etc/apt/apt.conf.d/tests": 'Acquire::Languages "none";\n',
    "etc/pip.conf": f"[global]\nno-index = true\nfind-links = {WHEELS} {DIST}\ndisable-pip-version-check = true\n",
    "etc/ssh/sshd_config.d/tests.conf": "UseDNS no\n",
    "etc/resolv.conf": "# There is no name server.\n",
    "etc/hostname": "host\n",
    "etc/default/locale": "LANG=C.UTF-8\n",
    # Services may be started, as on a machine with System V's init, whose part testhosts_boot.sh plays.
    "usr/sbin/init": "#!/bin/sh\nexit 1\n",
    "usr/sbin/runlevel": "#!/bin/sh\necho N 2\n",
    f"etc/sudoers.d/{ADMIN}": f"{ADMIN} ALL=(ALL:ALL) NOPASSWD: ALL\n",
}
_WRITTEN_BY_LOGINS = ("var/log/btmp", "var/log/lastlog", "var/log/wtmp")
_REMOVED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache/apt/archives")


def _make_base(directory: Path) -> None:
    include = ",".join(IN_BASE)
    command("debootstrap", "--variant=minbase", f"--include={include}", RELEASE, directory, mirrors()[RELEASE],
            env=proxies())  # fmt: skip
    for name in _REMOVED:
        shutil.rmtree(directory / name)
        (directory / name).mkdir()
    for name, text in _FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o440 if "sudoers" in name else 0o755 if text.startswith("#!") else 0o644)
    for path in (*directory.glob("etc/ssh/ssh_host_*"), directory / "usr/sbin/policy-rc.d"):
        path.unlink(missing_ok=True)
    for name in _WRITTEN_BY_LOGINS:
        (directory / name).touch()
    for name in (PACKAGES, WHEELS, DIST):
        (directory / name[1:]).mkdir()
    for account in (ADMIN, KEEPER):
        command("chroot", directory, "useradd", "--create-home", "--shell=/bin/bash", account)
    command("chroot", directory, "usermod", "--append", "--groups=sudo", KEEPER)
    command("chroot", directory, "chpasswd", input=f"{KEEPER}:{SUDO_PASSWORD}\n")


BASE = Part(
    "base",
    {
        "release": RELEASE,
        "packages": IN_BASE,
        "files": _FILES,
        "removed": _REMOVED,
        "accounts": [ADMIN, KEEPER, SUDO_PASSWORD],
        "version": 1,
    },
    _make_base,
)


POOL, LISTED = "pool", "listed"
"""Of :data:`OFFERED_PACKAGES`: the packages, and a layer above the base with the list of them, as after an update."""


def _make_packages(directory: Path) -> None:
    pool = directory / POOL
    pool.mkdir()
    with tempfile.TemporaryDirectory(prefix="omeroadmin-apt-") as work:
        fetched = Apt(Path(work), BASE.path / "var/lib/dpkg/status", mirrors()).fetch(*OFFERED)
        for path in fetched.glob("*.deb"):
            shutil.move(path, pool)
    index(pool)
    lists = directory / LISTED / "var/lib/apt/lists"
    lists.mkdir(parents=True)
    name = f"{PACKAGES}/./Packages".replace("/", "_")
    shutil.copy(pool / "Packages", lists / name)


OFFERED_PACKAGES = Part("packages", {"base": BASE.path.name, "packages": OFFERED, "version": 2}, _make_packages)


def _make_old_python(directory: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="omeroadmin-apt-") as work:
        try:
            files = _old_packages(Path(work) / "mirror", mirrors()[RELEASE])
        except CannotMake:
            files = _old_packages(Path(work) / "archive", ARCHIVE)
        for path in files:
            command("dpkg-deb", "--extract", path, directory)
    shutil.rmtree(directory / "usr/share")
    (directory / "usr/bin/python3").symlink_to("python3.9")
    # Debian's system has these directories in /usr, and links to them.
    if (directory / "lib").is_dir():
        shutil.copytree(directory / "lib", directory / "usr/lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(directory / "lib")


def _old_packages(directory: Path, site: str) -> list[Path]:
    directory.mkdir()
    return Apt(directory, BASE.path / "var/lib/dpkg/status", {OLD_RELEASE: site}).fetch_alone(*_OLD_PYTHON)


OLD_PYTHON = Part("python39", {"base": BASE.path.name, "packages": _OLD_PYTHON, "version": 1}, _make_old_python)
"""A layer above the base, whose ``python3`` is 3.9."""
