"""``admin rewrite`` and ``admin jvmcfg``: what the settings and the machine's memory make of the grid's files."""

from __future__ import annotations

from omeroadmin.errors import configuration_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.icegrid.programs import check_versions, registry_data_property
from omeroadmin.grid.rewrite import REGISTRY_DATA, plan_rewrite
from omeroadmin.memory.facts import system_memory_megabytes
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan
from omeroadmin.workflows.preconditions import refuse_foreign


def plan_templates(instance: Instance, settings: Settings, *, force: bool = False) -> Plan:
    """The files of the grid that differ from what the settings ask for.

    :param force: write also what is as it should be
    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``icegrid-missing``, ``icegrid-version``
    """
    memory = memory_options(settings, system_memory_megabytes())
    return plan_rewrite(instance, settings, memory, registry_data=_registry_data(instance, settings), force=force)


def _registry_data(instance: Instance, settings: Settings) -> str:
    """What the installed IceGrid calls its registry's directory; without one, what OMERO's own tools read."""
    if driver_for(instance, settings).name != "icegrid":
        return REGISTRY_DATA
    return registry_data_property(check_versions()[0])


def plan_admin_rewrite(instance: Instance, *, force: bool = False) -> Plan:
    """The plan of ``admin rewrite``; config.xml is put in order first, because the descriptor includes it.

    :param force: write also what is as it should be
    :raises AdminError: ``server-running``, ``distribution-unsupported``, and as :func:`plan_templates`
    """
    settings = load_settings(instance)
    refuse_foreign(instance, settings)
    if driver_for(instance, settings).node_process() is not None:
        raise configuration_error(
            "server-running", "Can't regenerate templates the server is running!", "stop it first: omero admin stop"
        )
    ensure_saved(instance.config_xml, cause="admin rewrite")
    return plan_templates(instance, settings, force=force)
