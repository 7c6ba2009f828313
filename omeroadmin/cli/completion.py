"""What a shell offers for names and values of properties; nothing heavy is imported for it."""

from __future__ import annotations

import typer

from omeroadmin.schema.catalog import all_names, find_setting, settings
from omeroadmin.schema.kinds import Kind


def complete_key(incomplete: str) -> list[str]:
    """Names of declared properties."""
    return [name for name in all_names() if name.startswith(incomplete)]


def complete_list_key(incomplete: str) -> list[str]:
    """Names of declared properties whose value is JSON, as lists are."""
    return [name for name, setting in settings().items() if setting.kind is Kind.JSON and name.startswith(incomplete)]


def complete_value(ctx: typer.Context, incomplete: str) -> list[str]:
    """Values of the property that the command line names, where there are few."""
    setting = find_setting(str(ctx.params.get("name") or ""))
    if setting is None:
        return []
    words = ("true", "false") if setting.kind is Kind.BOOL else ()
    choices = setting.type.choices if setting.kind is Kind.ENUM else words
    return [word for word in choices if word.startswith(incomplete)]
