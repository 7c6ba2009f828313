"""Properties of security and policy."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, SECRET, TEXT, whole
from omeroadmin.schema.setting import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.policy.bean",
        "Policy",
        TEXT,
        "defaultPolicyService",
        "",
    ),
    Setting(
        "omero.policy.binary_access",
        "Policy",
        TEXT,
        "+read,+write,+image",
        "",
    ),
    Setting(
        "omero.security.chmod_strategy",
        "Security",
        TEXT,
        "groupChmodStrategy",
        "",
    ),
    Setting(
        "omero.security.filter.bitand",
        "Security",
        TEXT,
        "(int8and(permissions,%s) = %s)",
        "",
    ),
    Setting(
        "omero.security.keyStore",
        "Security",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.security.keyStorePassword",
        "Security",
        SECRET,
        "",
        "",
    ),
    Setting(
        "omero.security.login_failure_throttle_count",
        "Security",
        whole(),
        "1",
        "",
    ),
    Setting(
        "omero.security.login_failure_throttle_time",
        "Security",
        whole(),
        "3000",
        "",
    ),
    Setting(
        "omero.security.password_provider",
        "Security",
        TEXT,
        "chainedPasswordProvider",
        "",
    ),
    Setting(
        "omero.security.password_required",
        "Security",
        BOOL,
        "true",
        "",
    ),
    Setting(
        "omero.security.trustStore",
        "Security",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.security.trustStorePassword",
        "Security",
        SECRET,
        "",
        "",
    ),
)
