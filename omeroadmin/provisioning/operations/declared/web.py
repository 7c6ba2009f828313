"""Operations on web servers: nginx-site, certificate."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.declared.paths import GROUP, OWNER
from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType


def _site_fault(fields: dict[str, Any]) -> str:
    given = bool(fields["content"]) + bool(fields["source"]) + bool(fields["template"])
    if given > 1:
        return "content, source and template exclude one another"
    if (fields["state"] == "absent") == bool(given):
        return "a site has content, unless it shall be absent"
    return ""


def _certificate_fault(fields: dict[str, Any]) -> str:
    given = bool(fields["content"]) + bool(fields["source"]) + bool(fields["template"])
    if given > 1:
        return "content, source and template exclude one another"
    if bool(given) != bool(fields["key_content"]):
        return "an authority's certificate comes with its key in key_content, and the key with the certificate"
    return ""


NGINX_SITE = Declaration(
    "nginx-site",
    "A site of nginx, in `sites-available` or `conf.d`, as the distribution has it. nginx tests its configuration "
    "with it; one that it refuses is never put in place. Let it trigger a reload.",
    (
        Field("name", FieldType.NAME, "The site; its file is called so.", REQUIRED),
        Field("content", FieldType.TEXT, "What it holds."),
        Field("source", FieldType.LOCAL_PATH, "A file on the controller that it is a copy of."),
        Field("template", FieldType.LOCAL_PATH, "A Jinja2 template that its content is made from."),
        Field("enabled", FieldType.BOOLEAN, "Whether nginx reads it.", default=True),
        Field(
            "remove_default",
            FieldType.BOOLEAN,
            "Whether the distribution's default site is switched off.",
            default=False,
        ),
        Field("directory", FieldType.PATH, "Where nginx's configuration is.", "/etc/nginx"),
        Field("state", FieldType.CHOICE, "`absent` removes it.", "present", choices=("present", "absent")),
    ),
    undo=True,
    check=_site_fault,
    example="nginx-site: {name: omero-web, template: nginx/site.conf.j2, remove_default: true}",
)
CERTIFICATE = Declaration(
    "certificate",
    "A certificate and its private key: self-signed, with a key that never leaves the host and renewed in time; or a "
    "pair of an authority. What an authority has issued is never written over by a self-signed one.",
    (
        Field("path", FieldType.PATH, "The certificate, as PEM.", REQUIRED),
        Field("key_path", FieldType.PATH, "The private key, as PEM.", REQUIRED),
        Field(
            "names", FieldType.TEXTS, "Host names and addresses that it is for; by default the host's own full name."
        ),
        Field("days", FieldType.INTEGER, "Days that it is good for.", 365),
        Field("renew_days", FieldType.INTEGER, "Days before its end from which on it is made anew.", 30),
        Field("content", FieldType.TEXT, "The certificate that an authority has issued, with those between."),
        Field("source", FieldType.LOCAL_PATH, "A file on the controller that holds it."),
        Field("template", FieldType.LOCAL_PATH, "A Jinja2 template of it."),
        Field("key_content", FieldType.TEXT, "Its key, by `!file`.", secret=True),
        OWNER,
        GROUP,
        Field("key_mode", FieldType.MODE, "Permission bits of the key.", "0600"),
    ),
    undo=True,
    check=_certificate_fault,
    example="certificate: {path: /etc/ssl/omero.pem, key_path: /etc/ssl/private/omero.key, names: [omero.example.org]}",
)
DECLARED = (NGINX_SITE, CERTIFICATE)
