"""kill -9 of an agent that sets up a site or an environment: nginx can start at any moment, the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.clock import wait_until
from tests.support.agents import Worker, telling_pid, with_own_state, worker
from tests.support.components import require_program
from tests.support.killing import kill_and_complete
from tests.support.nginx import check, like_debian
from tests.support.small_wheels import small_wheel


def test_site_with_its_certificate_and_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    root = like_debian(tmp_path / "nginx")
    pem, key, openssl = root / "site.pem", root / "site.key", str(require_program("openssl"))
    tls = f'ssl_certificate "{pem}"; ssl_certificate_key "{key}";'

    def wishes(found: Worker, number: int) -> list[dict[str, Any]]:
        site = f"server {{ listen {8100 + number % 50} ssl; {tls} }}\n" + f"# {number}\n" * 2000
        unit = f"[Service]\nExecStart=/bin/true\nNice={number % 19}\n"
        return [
            found.wish("certificate", path=str(pem), key_path=str(key), names=[f"host{number}"]),
            found.wish("nginx-site", name="site", directory=str(root), content=site, remove_default=number % 2 == 0),
            found.wish("unit", name="sample.service", directory=str(tmp_path), content=unit),
        ]

    def whole(number: int) -> None:
        check(root / "nginx.conf")
        subprocess.run([openssl, "x509", "-in", pem, "-noout"], check=True, timeout=30)
        assert key.stat().st_mode & 0o777 == 0o600
        nice = (tmp_path / "sample.service").read_text().partition("Nice=")[2]
        assert nice in (f"{number % 19}\n", f"{(number - 1) % 19}\n")

    kill_and_complete(wishes, lambda: worker((*telling_pid(tmp_path / "pid"), *with_own_state())), tmp_path, whole)
    assert not list(root.rglob(".omeroadmin*"))


def test_environment_that_is_half_made_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    path = tmp_path / "venv"
    packages = [str(small_wheel(tmp_path, "sample", "1.0", "value = 1\n"))]
    fields: dict[str, Any] = {"path": str(path), "packages": packages, "options": ["--no-index"]}

    def kill() -> None:
        if wait_until((path / "pyvenv.cfg").exists, timeout=60):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    with worker((*telling_pid(tmp_path / "pid"), *with_own_state())) as found:
        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(AdminError) as caught:
            found.messages(found.wish("virtualenv", **fields))
        killer.join()
    assert caught.value.code == "host-lost"
    with worker(with_own_state()) as found:
        wish = found.wish("virtualenv", **fields)
        assert found.apply(wish) == [
            f"make the virtual environment {path} anew: an earlier run was interrupted in it",
            f"install 1 package in {path}",
        ]
        assert found.apply(wish) == []
    subprocess.run([path / "bin" / "python", "-c", "import sample"], check=True, timeout=60)
