"""Options that several commands share, and those that come from the selected plugins."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable

import click

from pelplug.cli.declared import declared, described, stack, taken
from pelplug.core.outputs import near_name
from pelplug.core.python_files import split_file
from pelplug.errors import InputError
from pelplug.tasks.interactions import Interactions

__all__ = [
    "EngineCommand",
    "FurtherCommand",
    "PluginCommand",
    "common",
    "file_argument",
    "files_argument",
    "further_option",
    "further_options",
    "model_argument",
    "model_options",
    "named",
    "output_options",
    "quiet_option",
    "registry",
    "values_of",
]

_NO_PLUGINS = "pelplug.no-plugins"
_REGISTRY = "pelplug.host.registry"


def registry(ctx: click.Context | None = None):
    """Return the registry of plugins of this command."""
    from pelplug.host import functions as host
    from pelplug.host.registry import Registry

    meta = (ctx or click.get_current_context()).meta
    if _REGISTRY not in meta:
        meta[_REGISTRY] = Registry(third_party=False) if meta.get(_NO_PLUGINS) else host.default_registry()
    return meta[_REGISTRY]


def _no_plugins(ctx, param, value):
    if value:
        ctx.meta[_NO_PLUGINS] = True


common = stack(
    click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."),
    click.option(
        "--no-plugins",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_no_plugins,
        help="Leave third-party plugins out.",
    ),
)

file_argument = click.argument("trajectory", metavar="FILE", type=click.Path())

files_argument = click.argument("trajectory", metavar="FILE...", nargs=-1, required=True, type=click.Path())

model_argument = click.argument("named", metavar="[MODEL]", required=False)

model_options = declared(Interactions, only=("model", "model_parameters"))

quiet_option = click.option("--quiet", is_flag=True, help="No progress bar and no summary.")

output_options = stack(
    click.option("--overwrite", is_flag=True, help="Replace existing output files."),
    quiet_option,
)


def named(options: dict) -> Interactions:
    """Take what a command is told of the interactions out of its options: MODEL in the place of ``--model`` too."""
    if (name := options.pop("named")) is not None:
        if other := options.get("model") or options.get("potential"):
            raise InputError(f"Say once by what the particles interact: either {name} or {other}.")
        options["model"] = name
    return taken(Interactions, options)


class FurtherCommand(click.Command):
    """A command with options besides its own, which are known when it is called."""

    alone = ""  # what else may be written for such an option, with {name} for its owner's name
    hint = ""  # what --help says where there are none

    def further(self, ctx, args) -> list[tuple[str, list[click.Option]]]:
        """Return the options by the name of their owner."""
        raise NotImplementedError

    def parse_args(self, ctx, args):
        """Look which options there are first."""
        if "--no-plugins" in args:
            ctx.meta[_NO_PLUGINS] = True
        ctx.meta["pelplug.options"] = self.further(ctx, args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx):
        """Return the command's own options and the others."""
        own = super().get_params(ctx)
        found = [option for _, options in ctx.meta.get("pelplug.options", ()) for option in options]
        return [*own[:-1], *found, own[-1]]

    def format_options(self, ctx, formatter):
        """Write the options of each owner under its own heading."""
        found = ctx.meta.get("pelplug.options", ())
        others = {id(option) for _, options in found for option in options}
        own = [one for one in self.get_params(ctx) if isinstance(one, click.Option) and id(one) not in others]
        with formatter.section("Options"):
            formatter.write_dl([row for option in own if (row := option.get_help_record(ctx)) is not None])
        for name, options in found:
            rows = [row for option in options if (row := option.get_help_record(ctx)) is not None]
            if rows:
                with formatter.section(f"Options of {name}{self.alone.format(name=name)}"):
                    formatter.write_dl(rows)
        if not found and self.hint:
            formatter.write_paragraph()
            formatter.write_text(self.hint)


class EngineCommand(FurtherCommand):
    """A command with the options of every simulation engine."""

    def further(self, ctx, args):
        """Return the options of all engines; one that several have is written for the first."""
        taken = {text for option in self.params for text in option.opts}
        found = []
        for name, engine in registry(ctx).engines().items():
            specs = [spec for spec in engine.parameter_specs().values() if f"--{spec.option}" not in taken]
            taken.update(f"--{spec.option}" for spec in specs)
            found.append((name, [further_option(spec, spec.option, spec.name, hidden=False) for spec in specs]))
        return found


class PluginCommand(FurtherCommand):
    """A command whose options depend on the analyses that ``--plugin`` names."""

    alone = " (or --{name}.OPTION for it alone)"
    hint = "With --plugin NAME, --help shows the options of that analysis too."

    def further(self, ctx, args):
        """Look at ``--plugin``: the analyses it names say which other options there are."""
        if not (named := values_of("--plugin", args)):
            return []
        if not {"--help", "-h"} & set(args):
            _refuse_missing_file(args)  # before a plugin is loaded
        names = plugin_names(named, ctx)
        from pelplug.host.pipeline import order

        taken = {text for option in self.params for text in option.opts}
        found = []
        for cls in order(names, registry(ctx)):
            options = []
            for spec in cls.parameter_specs().values():
                before = [(name.replace("_", "-"), name) for name in spec.param.formerly]
                for plain, name in ((spec.option, spec.name), *before):
                    if f"--{plain}" not in taken:
                        taken.add(f"--{plain}")
                        options.append(further_option(spec, plain, name, hidden=name != spec.name))
                    options.append(further_option(spec, f"{cls.name}.{plain}", f"{cls.name}.{name}", hidden=True))
            found.append((cls.name, options))
        return found


def further_options(ctx: click.Context) -> dict:
    """Return what was given for the options of a `FurtherCommand`, by the names of the parameters."""
    options = [option for _, options in ctx.meta.get("pelplug.options", ()) for option in options]
    values = {option.key: ctx.params.get(option.name) for option in options}
    return {key: value for key, value in values.items() if value is not None and value != ()}


def plugin_names(values: Iterable[str], ctx: click.Context | None = None) -> list[str]:
    """Return the names of ``--plugin a --plugin b,c``, each once; files among them are registered."""
    names = list(dict.fromkeys(name for value in values for name in _split(value)))
    if not names:
        return names
    from pelplug.host.named_files import take_files

    return take_files(names, registry(ctx))


def _split(value: str) -> list[str]:
    found = split_file(value)
    return [value] if found and os.path.exists(found[0]) else [name for name in value.split(",") if name]


class _FurtherOption(click.Option):
    def __init__(self, *arguments, key, **keywords):
        super().__init__(*arguments, **keywords)
        self.key = key


def further_option(spec, name: str, key: str, hidden: bool) -> click.Option:
    """Return the option of a parameter; `further_options` gives what was typed by `key`."""
    dest = f"further_{key.replace('.', '__').replace('-', '_')}"
    flags = [f"--{name}/--no-{name}" if spec.is_flag else f"--{name}"]
    return _FurtherOption([*flags, dest], hidden=hidden, key=key, **described(spec))


def values_of(option: str, args: list[str]) -> list[str]:
    """Return what a command line gives for an option, before click reads it."""
    values = []
    for position, text in enumerate(args):
        if text == "--":
            break
        if text == option and position + 1 < len(args):
            values.append(args[position + 1])
        elif text.startswith(f"{option}="):
            values.append(text.partition("=")[2])
    return values


def _refuse_missing_file(args: list[str]) -> None:
    """Find a wrong file name before any plugin is loaded, where the command line leaves no doubt which it is."""
    words = [text for text in args if not text.startswith("-")]
    values = {args[index + 1] for index, text in enumerate(args[:-1]) if text.startswith("-") and "=" not in text}
    candidates = [text for text in words if text not in values]
    if len(candidates) == 1 and not os.path.exists(candidates[0]) and not glob.has_magic(candidates[0]):
        raise InputError(f"There is no file {candidates[0]}; {near_name(candidates[0])}")
