"""Options that take several values in one go, as OMERO's do: ``--sum-by user group``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperOption


class SeveralValues(TyperCommand):
    """A command whose options that may be given again also take further values after the first.

    Only values that an option lists are taken, so that arguments after them stay arguments.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the name of such an option before each of its values."""
        choices: dict[str, list[str]] = {
            name: [str(choice) for choice in getattr(parameter.type, "choices", ())]
            for parameter in self.params
            if isinstance(parameter, TyperOption) and parameter.multiple
            for name in parameter.opts
        }
        spread: list[str] = []
        name = ""
        for position, word in enumerate(args):
            if word == "--":
                spread += args[position:]
                break
            option = word.partition("=")[0]
            if option in choices:
                name = option
            elif word.startswith("-"):
                name = ""
            elif name and spread[-1] != name:
                if word in choices[name]:
                    spread.append(name)
                else:
                    name = ""
            spread.append(word)
        return super().parse_args(ctx, spread)
