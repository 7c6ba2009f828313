"""``omero certificates``: properties that are still empty, and the files they name, as one plan."""

from __future__ import annotations

from omeroadmin.certificates import facts as certificate_facts
from omeroadmin.certificates.plan import CertificateWish, plan_certificates
from omeroadmin.profiles.plan import plan_properties
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.plan import Plan
from omeroadmin.system.host import Host


def plan_instance_certificates(instance: Instance, wish: CertificateWish, host: Host) -> Plan:
    """What is missing for encrypted connections; nothing where all is good.

    :raises AdminError: as :func:`omeroadmin.certificates.plan.plan_certificates` and
        :func:`omeroadmin.certificates.facts.collect_facts`
    """
    settings = load_settings(instance)
    properties = certificate_facts.missing_properties(settings)
    complete = certificate_facts.with_properties(settings, properties)
    certificates = plan_certificates(certificate_facts.collect_facts(complete, host), wish)
    return Plan(
        certificates.title,
        (*plan_properties(settings.explicit(), properties, instance.config_xml, "certificates"), *certificates),
    )
