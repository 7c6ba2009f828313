"""``admin rewrite`` and ``admin jvmcfg``: what the settings and the machine's memory make of the grid's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.icegrid.processes import node_process
from omeroadmin.grid.icegrid.programs import check_versions, registry_data_property
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.rewrite import REGISTRY_DATA, plan_rewrite
from omeroadmin.memory.facts import system_memory_megabytes
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import ensure_saved, load_settings
from omeroadmin.profiles.writer import is_in_order
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan
from omeroadmin.system.host import Host
from omeroadmin.workflows.grid_endpoint import EndpointPlan, plan_endpoint
from omeroadmin.workflows.preconditions import refuse_foreign


def plan_templates(instance: Instance, settings: Settings, *, force: bool = False, of_master: bool = True) -> Plan:
    """The files of the grid that differ from what the settings ask for.

    :param of_master: whether the master is to run here; the hosts of other nodes have no certificate and no token
    :param force: write also what is as it should be
    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``icegrid-missing``, ``icegrid-version``,
        ``certificate-missing``, ``certificate-unreadable``
    """
    memory = memory_options(settings, system_memory_megabytes())
    has_endpoint = of_master or instance.grid_token_file.exists()
    endpoint = plan_endpoint(instance, settings) if has_endpoint else EndpointPlan()
    plan = plan_rewrite(
        instance,
        settings,
        memory,
        registry_data=_registry_data(instance, settings),
        endpoint=endpoint.properties,
        force=force,
    )
    return Plan(plan.title, (*endpoint.steps, *plan.steps))


def _registry_data(instance: Instance, settings: Settings) -> str:
    """What the installed IceGrid calls its registry's directory; without one, what OMERO's own tools read."""
    if driver_for(instance, settings).name != "icegrid":
        return REGISTRY_DATA
    return registry_data_property(check_versions()[0])


@dataclass(frozen=True)
class SaveProfiles:
    """Put config.xml in order, because the descriptor includes it."""

    config_xml: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"write {self.config_xml} with the active profile where the servers read it"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - profiles are changed where the toolkit runs
        """Make the change.

        :raises AdminError: ``locked``, ``config-read-only``, ``file-not-written``
        """
        ensure_saved(self.config_xml, cause="admin rewrite")


def plan_admin_rewrite(instance: Instance, *, force: bool = False) -> Plan:
    """The plan of ``admin rewrite``: config.xml in order, and the files of the grid.

    :param force: write also what is as it should be, and while the server runs
    :raises AdminError: ``server-running``, ``environment-unset``, and as :func:`plan_templates`
    """
    settings = load_settings(instance)
    if not instance.is_distribution:
        refuse_foreign(instance, settings)
    if not force and _runs(instance, settings):
        raise configuration_error(
            "server-running",
            "Can't regenerate templates the server is running!",
            "stop it first: omero admin stop; or rewrite all the same: omero admin rewrite --force",
        )
    plan = plan_templates(instance, settings, force=force)
    saving = () if is_in_order(instance.config_xml) else (SaveProfiles(instance.config_xml),)
    return Plan(plan.title, (*saving, *plan.steps))


def _runs(instance: Instance, settings: Settings) -> bool:
    """Whether a node of the instance runs; a distribution's is started by its own programs, too."""
    if driver_for(instance, settings).node_process() is not None:
        return True
    return instance.is_distribution and node_process(NodeLayout(instance)) is not None
