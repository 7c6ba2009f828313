"""``omero certificates``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.certificates.plan import CertificateWish
from omeroadmin.cli.confirm import show_plan
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.output import print_lines
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost


def command(
    days: Annotated[int, typer.Option("--days", metavar="N", help="Validity of a new certificate.")] = 365,
    renew: Annotated[bool, typer.Option("--renew", help="Replace a certificate that is still good.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", hidden=True)] = False,  # noqa: ARG001 - OMERO's files have it
) -> None:
    """Make a self-signed certificate.

    It encrypts connections; the properties that name it are set.

    What is set already stays; a key is kept, and a certificate until it ends within 30 days. Files that a
    certificate authority has issued are never touched. A running server needs a restart to use new ones.

    Example: omero certificates --days 730
    """
    from omeroadmin.workflows.certificates import plan_instance_certificates

    host = LocalHost()
    plan = plan_instance_certificates(require_instance(), CertificateWish(days, renew), host)
    if dry_run or not plan:
        show_plan(plan)
        return
    apply_plan(plan, host)
    print_lines(*plan.lines(), "certificates created; for a running server: omero admin restart")
