"""TestDropBox: copies files into a temporary folder and imports what settles there, to try a server out."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.failure import misconfigured
from omeroadmin.runtime.services.dropbox.memory import Memory
from omeroadmin.runtime.services.dropbox.service import Importer
from omeroadmin.runtime.services.monitorserver.service import SETTLE_SETTING, watch
from omeroadmin.runtime.services.monitorserver.watch import Settling
from omeroadmin.system import files

SOURCES_SETTING = "omero.fstest.srcFile"
"""Files to import, separated by semicolons; none by default: then one copies files into the folder oneself."""
USER_SETTING = "omero.fstest.user"
"""Whose files they become; root by default."""


def run_test(context: ServiceContext) -> int:
    """Import until the server shall stop; the folder is gone then.

    :raises ServiceFailure: if a file to import is missing
    """
    sources = [Path(name.strip()) for name in context.settings.text(SOURCES_SETTING).split(";") if name.strip()]
    for source in sources:
        if not source.is_file():
            raise misconfigured(f"{SOURCES_SETTING} names {source}, which is no file")
    user = context.settings.text(USER_SETTING) or "root"
    files.make_directory(context.instance.temporary_directory, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="TestDropBox-", dir=context.instance.temporary_directory) as directory:
        root = Path(directory) / "DropBox"
        folder = files.inside(root, user)
        folder.mkdir(parents=True)
        context.log.info("Copy files into %s to import them as %s", folder, user)
        context.health.note("folder", str(folder))
        importer = Importer(context, Memory(Path(directory) / "imported"))
        try:
            for source in sources:
                shutil.copyfile(source, folder / source.name)
            settling = Settling(root, float(context.settings.number(SETTLE_SETTING)))
            watch(root, settling, threading.Lock(), context.stop, importer.take, on_watching=context.health.ready)
        finally:
            importer.close()
    return 0
