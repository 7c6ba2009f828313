"""A real nginx for one test: checks a configuration, or serves by it until the block ends."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.ports import free_port


def check(configuration: Path) -> None:
    """``nginx -t`` must pass."""
    done = subprocess.run(
        [require_program("nginx"), "-t", "-q", "-e", "stderr", "-p", configuration.parent, "-c", configuration],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def like_debian(root: Path) -> Path:
    """A configuration with ``sites-available`` and a default site, as Debian has it, for a user's own nginx.

    :return: the directory
    """
    require_program("nginx")
    for name in ("sites-available", "sites-enabled", "conf.d"):
        (root / name).mkdir(parents=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"  {kind}_temp_path {root}/{kind};\n" for kind in kinds)
    (root / "nginx.conf").write_text(
        f"pid {root}/pid;\nerror_log {root}/error.log;\nevents {{}}\nhttp {{\n  access_log off;\n{temporary}"
        f"  include {root}/conf.d/*.conf;\n  include {root}/sites-enabled/*;\n}}\n"
    )
    (root / "sites-available" / "default").write_text("server { listen 8087 default_server; }\n")
    (root / "sites-enabled" / "default").symlink_to(root / "sites-available" / "default")
    return root


def wrap(directory: Path, inner: str, *, server: bool) -> Path:
    """A whole configuration around blocks for its ``http`` part, or for a server block.

    :param server: whether the blocks need a server block around them
    """
    if server:
        inner = f"server {{ listen 127.0.0.1:{free_port()};\n" + inner + "\n}\n"
    temporary = "".join(
        f'    {kind}_temp_path "{directory}/{kind}";\n' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "wrapped.conf"
    head = f'pid "{directory}/pid";\nerror_log stderr;\nevents {{}}\n'
    configuration.write_text(f"{head}http {{\n    access_log off;\n{temporary}{inner}\n}}\n")
    return configuration


@contextlib.contextmanager
def serving(configuration: Path, port: int) -> Iterator[str]:
    """nginx in the foreground, as this user.

    :return: URL of its root
    """
    program = require_program("nginx")
    command: list[str | Path] = [program, "-e", "stderr", "-g", "daemon off;"]
    command += ["-p", configuration.parent, "-c", configuration]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            up = wait_until(lambda: process.poll() is None and answer(f"{url}/")[0] > 0, timeout=20)
            assert up, process.communicate(timeout=1)[0] if process.poll() is not None else "nginx does not answer"
            yield url
        finally:
            process.terminate()
            process.wait(20)


def answer(url: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers; status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode(), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)
    except OSError:
        return 0, "", {}
