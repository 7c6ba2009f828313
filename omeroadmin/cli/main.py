"""The Typer application: groups that import their commands when needed."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from omeroadmin.cli import boundary
from omeroadmin.cli.interruption import Interrupted
from omeroadmin.cli.registry import GROUPS, ORDER, module_of


class InterruptibleGroup(TyperGroup):
    """Commands whose interrupt keeps their name."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for.

        :raises Interrupted: Ctrl-C
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted(f"{ctx.command_path} {ctx.invoked_subcommand or ''}".rstrip()) from None


class CommandGroup(InterruptibleGroup):
    """A group such as ``omero admin``; its commands are modules of one package."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """Names of the commands, in the order of the help."""
        return list(GROUPS[cast("str", self.name)].commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command, imported now; ``None`` where there is none of the name."""
        group = cast("str", self.name)
        return load_command(group, cmd_name) if cmd_name in GROUPS[group].commands else None


class RootGroup(InterruptibleGroup):
    """``omero`` itself."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Groups and commands in the order of the help."""
        return list(ORDER)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """A group without its commands, or a command without a group."""
        if cmd_name in GROUPS:
            return load_group(cmd_name)
        return load_command("top", cmd_name) if cmd_name in ORDER else None


def load_command(group: str, name: str) -> TyperCommand:
    """Import one command."""
    module = importlib.import_module(module_of(group, name))
    function = module.command
    app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_CONTEXT)
    # The mark keeps the example's line as it is, to be copied in one piece.
    help_text = inspect.cleandoc(function.__doc__ or "").replace("\n\nExample:", "\n\n\b\nExample:")
    home = function.__module__.split(".")[-2]
    if home != group:
        # A command that is somewhere else as well, such as login.
        own, here = ("" if one == "top" else f"{one} " for one in (home, group))
        help_text = help_text.replace(f"Example: omero {own}{name}", f"Example: omero {here}{name}")
    app.command(name=name, help=help_text, cls=getattr(module, "COMMAND_CLASS", None))(function)
    return cast("TyperCommand", _with_any_file(typer.main.get_command(app)))


def _with_any_file(command: Any) -> Any:
    """The same command, whose files may be closed to this user: whoever reads one says so, as of one that is missing.

    Typer would call it a slip in the command line, and only where the file is there.
    """
    for parameter in command.params:
        if hasattr(parameter.type, "readable") and "FILE" in (parameter.metavar or ""):
            parameter.type.readable = False
    return command


def load_group(name: str) -> TyperGroup:
    """Make a group; nothing of its commands is imported."""
    app = typer.Typer(
        name=name,
        cls=CommandGroup,
        help=GROUPS[name].help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        context_settings=_CONTEXT,
    )
    options = GROUPS[name].options
    app.callback()(importlib.import_module(f"omeroadmin.cli.{options}").group_options if options else _no_options)
    return cast("TyperGroup", _with_any_file(typer.main.get_command(app)))


def _no_options() -> None:
    pass


def _show_version(wanted: bool) -> None:
    if wanted:
        from omeroadmin.version import VERSION

        typer.echo(VERSION)
        raise typer.Exit


def _root_options(
    omerodir: Annotated[
        str | None, typer.Option("--omerodir", metavar="DIR", help="The instance, instead of $OMERODIR.")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Run an OMERO server: install, configure, start, diagnose, back up, restore."""
    if omerodir is not None:
        os.environ["OMERODIR"] = omerodir
    if os.environ.get("OMERO_TMPDIR"):
        from omeroadmin.cli.context import use_temporary_directory

        use_temporary_directory()


_CONTEXT: dict[Any, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def build() -> TyperGroup:
    """The whole application."""
    app = typer.Typer(
        name="omero",
        cls=RootGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_CONTEXT,
    )
    app.callback()(_root_options)
    return cast("TyperGroup", typer.main.get_command(app))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit status."""
    return boundary.run(build(), list(arguments))
