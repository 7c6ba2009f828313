"""The nginx of a host: where its sites are, and what it says of a configuration before it gets it."""

from __future__ import annotations

import contextlib
import glob
import os
import re

from omeroadmin.provisioning.agent.change import HostError, system_failure
from omeroadmin.provisioning.agent.files import write_whole
from omeroadmin.provisioning.agent.running import find_program, run

_CANDIDATE = ".omeroadmin-candidate.conf"
_MAIN = ".omeroadmin-nginx.conf"


class SitePlace:
    """Where a site's file is, and what makes nginx read it.

    :param root: directory of nginx's configuration
    :param name: name of the site
    """

    def __init__(self, root: str, name: str) -> None:
        available = os.path.join(root, "sites-available")
        self.root = root
        # Before nginx is installed, the distribution says what will be there.
        self.by_link = os.path.isdir(available) or (not os.path.isdir(root) and find_program("dpkg") is not None)
        if self.by_link:
            self.file = os.path.join(available, name)
            self.read = os.path.join(root, "sites-enabled", name)
            self.default = os.path.join(root, "sites-enabled", "default")
        else:
            self.file = os.path.join(root, "conf.d", f"{name}.conf")
            self.read = self.file
            self.default = os.path.join(root, "conf.d", "default.conf")

    @property
    def pattern(self) -> str:
        """What nginx's main file includes."""
        return os.path.join(self.root, "sites-enabled", "*") if self.by_link else f"{self.root}/conf.d/*.conf"


def check_site(place: SitePlace, content: "str | None", with_default: bool) -> None:
    """Let nginx test its configuration as it would be, beside the present one, which stays.

    :param content: what the site shall hold; ``None``: without it
    :param with_default: whether the distribution's default site is read
    :raises HostError: ``host-nginx-missing``, ``host-nginx-invalid``, ``host-file-not-written``
    """
    program = find_program("nginx")
    main = os.path.join(place.root, "nginx.conf")
    if program is None or not os.path.isfile(main):
        raise HostError("host-nginx-missing", "nginx is not installed", "install the package nginx before")
    candidate, trial = os.path.join(place.root, _CANDIDATE), os.path.join(place.root, _MAIN)
    left_out = {place.read} if with_default else {place.read, place.default}
    files = [path for path in sorted(glob.glob(place.pattern)) if path not in left_out]
    try:
        if content is not None:
            write_whole(candidate, content.encode(), 0o600)
            files.append(candidate)
        with open(main, encoding="utf-8", errors="surrogateescape") as stream:
            text = _with_includes(stream.read(), place, files)
        write_whole(trial, text.encode(errors="surrogateescape"), 0o600)
        done = run([program, "-q", "-t", "-c", trial], timeout=60)
    except OSError as error:
        raise system_failure("read", main, error) from error
    finally:
        for path in (candidate, trial):
            with contextlib.suppress(OSError):
                os.unlink(path)
    if done.status != 0:
        lines = [line for line in done.error_output.splitlines() if "[emerg]" in line]
        words = re.sub(r"^.*\[emerg\] (?:\d+#\d+: )?", "", lines[0]) if lines else done.last_words()
        words = words.replace(candidate, place.file).replace(trial, main)
        raise HostError("host-nginx-invalid", f"nginx refuses it: {words}", "the present configuration stays as it is")


def _with_includes(text: str, place: SitePlace, files: "list[str]") -> str:
    """The main file, with the files themselves in place of the pattern that finds them.

    :raises HostError: ``host-nginx-elsewhere``
    """
    patterns = {place.pattern, os.path.relpath(place.pattern, place.root)}
    found = False

    def replaced(match: "re.Match[str]") -> str:
        nonlocal found
        if match[2].strip("\"'") not in patterns:
            return match[0]
        found = True
        return match[1] + "".join(f'include "{path}"; ' for path in files)

    text = re.sub(r"(?m)^(\s*)include\s+([^;]+?)\s*;", replaced, text)
    if not found:
        raise HostError(
            "host-nginx-elsewhere",
            f"{place.root}/nginx.conf doesn't include {place.pattern}: the site would have no effect",
            f"add it in the block http: include {place.pattern};",
        )
    return text
