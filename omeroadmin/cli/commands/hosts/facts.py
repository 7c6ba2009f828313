"""``omero hosts facts``."""

from __future__ import annotations

from omeroadmin.cli.hosts_options import AcceptNew, BecomeRoot, Forks, InventoryFile, Json, Limit, Local, QuietResult


def command(
    inventory: InventoryFile = None,
    limit: Limit = "",
    forks: Forks = 10,
    become: BecomeRoot = None,
    accept_new: AcceptNew = False,
    local: Local = False,
    quiet: QuietResult = False,
    as_json: Json = False,
) -> None:
    """Ask hosts what they are, as playbooks have it in base.

    Distribution, Python, memory and the like.

    Example: omero hosts facts --limit web --json
    """
    from omeroadmin.cli.hosts_options import inventory_path, limited, wished_rights
    from omeroadmin.cli.rollout_options import finish
    from omeroadmin.cli.views.host_facts import print_facts, print_facts_json
    from omeroadmin.cli.views.rollouts import PlanProgress
    from omeroadmin.provisioning.rollout_plan import exit_status_of
    from omeroadmin.workflows.rollout import Way, gather_facts, hosts_of

    hosts = hosts_of(inventory if local else inventory_path(inventory), limit, local=local)
    with PlanProgress(quiet=quiet) as progress:
        found = gather_facts(
            hosts, limited(hosts, limit), Way(local, forks, accept_new, wished_rights(become)), progress
        )
    if as_json:
        print_facts_json(found)
    else:
        print_facts(found)
    finish(exit_status_of([host.state for host in found]), changes=False, detailed=False)
