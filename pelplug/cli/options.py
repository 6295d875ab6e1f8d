"""Options that several commands share, and those that come from the selected plugins."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable

import click

from pelplug.core.docstrings import default_of, explanation
from pelplug.core.outputs import near_name
from pelplug.errors import InputError

__all__ = [
    "PluginCommand",
    "common",
    "device_options",
    "frame_options",
    "input_options",
    "model_options",
    "open_input",
    "output_options",
    "parallel_options",
    "registry",
    "resolve_model",
    "trajectory_options",
    "trust_option",
    "where_to_run",
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


def _stack(*options) -> Callable:
    """Make one decorator of several, in the order they are to be listed."""
    return lambda function: functools.reduce(lambda inner, option: option(inner), reversed(options), function)


common = _stack(
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

trajectory_options = _stack(
    click.argument("file", type=click.Path()),
    click.option("--topology", type=click.Path(), help="Second file with species, masses or box (GRO, PDB, data)."),
    click.option("--format", "file_format", metavar="NAME", help="Format, where the ending does not tell."),
    click.option("--species", metavar="1=A,2=B", help="New names for the types or elements of the file."),
    click.option("--dt", metavar="TIME", help="Time of one simulation step; then time = dt * step."),
    click.option("--frame-interval", metavar="TIME", help="Time from frame to frame, where the file has no steps."),
    click.option(
        "--units", metavar="NAME", help="What the numbers of the file are in: metal, real, lj, gromacs, ..., if unsaid."
    ),
    click.option("--mass", "masses", metavar="A=1,B=2", help="Masses of the species, instead of the file's."),
    click.option(
        "--positions",
        type=click.Choice(["auto", "wrapped", "unwrapped"]),
        default="auto",
        help="Whether coordinates are put back into the cell or go on; auto: what the file says or shows.",
    ),
    click.option(
        "--order-is-kept", is_flag=True, help="Rows of a file without ids are the same particles in all frames."
    ),
)
_INPUT = (
    "topology",
    "file_format",
    "species",
    "dt",
    "frame_interval",
    "units",
    "masses",
    "positions",
    "order_is_kept",
)  # the keywords of `open_input`

frame_options = _stack(
    click.option("--start", type=int, metavar="FRAME", help="First frame; negative numbers count from the end."),
    click.option("--stop", type=int, metavar="FRAME", help="Frame to stop before."),
    click.option("--step", type=int, metavar="N", help="Take every N-th frame."),
)

model_options = _stack(
    click.option("--model", metavar="NAME", help="Model of the particles; `pelplug models` lists them."),
    click.option("--potential", type=click.Path(), metavar="FILE.toml", help="Your own pair potential instead."),
    click.option(
        "--model-param", "model_parameters", multiple=True, metavar="KEY=VALUE", help="Parameter of the model."
    ),
)

trust_option = click.option(
    "--trust-model", is_flag=True, help="Open files that the model recorded in FILE names (SHA-256 must agree)."
)

parallel_options = _stack(
    click.option(
        "--backend",
        type=click.Choice(["serial", "multiprocessing", "dask"]),
        help="Where frames are computed.  [default: serial; multiprocessing with --workers]",
    ),
    click.option("--workers", type=int, metavar="N", help="Number of processes."),
    click.option("--scheduler", metavar="ADDRESS", help="Running dask scheduler."),
)

device_options = _stack(
    click.option(
        "--device",
        metavar="auto|cpu|cuda",
        default="auto",
        show_default=True,
        help="What computes; gpu means cuda, auto is a GPU where the engine can use one.",
    ),
    click.option(
        "--threads", type=int, metavar="N", help="Threads of each process on a CPU.  [default: OMP_NUM_THREADS or all]"
    ),
)

output_options = _stack(
    click.option("--overwrite", is_flag=True, help="Replace existing output files."),
    click.option("--quiet", is_flag=True, help="No progress bar and no summary."),
)


def input_options(options: dict) -> dict:
    """Take the values of `trajectory_options` out of those of a command; they are the keywords of `open_input`."""
    return {key: options.pop(key) for key in _INPUT}


def open_input(file, *, species, file_format, masses=None, **given):
    """Open the trajectory named on the command line."""
    from pelplug.trajectories.opening import open_trajectory

    species, masses = _by_species(species, "--species 1=A,2=B"), _by_species(masses, "--mass A=1,B=2")
    return open_trajectory(file, species=species, format=file_format, masses=masses, **given)


def _by_species(text: str | None, example: str) -> dict[str, str] | None:
    return _pairs([part for part in text.split(",") if part.strip()], example) if text else None


def resolve_model(model, potential, model_parameters):
    """Return the model named on the command line, None if there is none."""
    if model is not None and potential is not None:
        raise InputError("Give either --model or --potential, not both.")
    values = _pairs(model_parameters, "--model-param truncation=smooth")
    if potential is not None:
        if not os.fspath(potential).endswith(".toml"):
            raise InputError(f"The potential {potential} must be a TOML file (name.toml); `--model` takes a name.")
        return registry().model(potential, **values)
    if model is None:
        if values:
            raise InputError("--model-param needs --model: it sets a parameter of a model that you name.")
        return None
    return registry().model(model, **values)


def where_to_run(backend, workers, scheduler) -> dict:
    """Return the arguments of `run_analyses` that say where frames are computed."""
    if backend is None and scheduler is not None:
        backend = "dask"
    elif backend is None and workers is not None and workers != 1:
        backend = "multiprocessing"
    return {"backend": backend, "n_workers": workers, "scheduler": scheduler}


def _pairs(texts: Iterable[str], example: str) -> dict[str, str]:
    """Read ``key=value`` texts."""
    pairs = {}
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not (key and sign and value):
            raise InputError(f"{text!r} is not of the form key=value; write for example {example}.")
        if key in pairs:
            raise InputError(f"{key} is given twice in {example.split()[0]}; give it once.")
        pairs[key] = value
    return pairs


class PluginCommand(click.Command):
    """A command whose options depend on the analyses that ``--plugin`` names."""

    def parse_args(self, ctx, args):
        """Look at ``--plugin`` first: the analyses it names say which other options there are."""
        names = plugin_names(_values_of("--plugin", args))
        if "--no-plugins" in args:
            ctx.meta[_NO_PLUGINS] = True
        ctx.meta["pelplug.options"] = self._plugin_options(ctx, names, args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx):
        """Return the command's own options and those of the plugins."""
        own = super().get_params(ctx)
        found = [option for _, options in ctx.meta.get("pelplug.options", ()) for option in options]
        return [*own[:-1], *found, own[-1]]

    def format_options(self, ctx, formatter):
        """Write the options of each analysis under its own heading."""
        found = ctx.meta.get("pelplug.options", ())
        from_plugins = {id(option) for _, options in found for option in options}
        own = [one for one in self.get_params(ctx) if isinstance(one, click.Option) and id(one) not in from_plugins]
        with formatter.section("Options"):
            formatter.write_dl([row for option in own if (row := option.get_help_record(ctx)) is not None])
        for name, options in found:
            rows = [row for option in options if (row := option.get_help_record(ctx)) is not None]
            if rows:
                with formatter.section(f"Options of {name} (or --{name}.OPTION for it alone)"):
                    formatter.write_dl(rows)
        if not found:
            formatter.write_paragraph()
            formatter.write_text("With --plugin NAME, --help shows the options of that analysis too.")

    def _plugin_options(self, ctx, names, args) -> list[tuple[str, list[click.Option]]]:
        if not names:
            return []
        if not {"--help", "-h"} & set(args):
            _refuse_missing_file(args)
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
                        options.append(_plugin_option(spec, plain, name, hidden=name != spec.name))
                    options.append(_plugin_option(spec, f"{cls.name}.{plain}", f"{cls.name}.{name}", hidden=True))
            found.append((cls.name, options))
        return found


def plugin_parameters(ctx: click.Context) -> dict:
    """Return what was given for the parameters of plugins, as `pelplug.host.functions.run_analyses` takes them."""
    options = [option for _, options in ctx.meta.get("pelplug.options", ()) for option in options]
    values = {option.key: ctx.params.get(option.name) for option in options}
    return {key: value for key, value in values.items() if value is not None and value != ()}


def plugin_names(values: Iterable[str]) -> list[str]:
    """Return the names of ``--plugin a --plugin b,c``, each once."""
    return list(dict.fromkeys(name for value in values for name in value.split(",") if name))


class _PluginOption(click.Option):
    def __init__(self, *arguments, key, **keywords):
        super().__init__(*arguments, **keywords)
        self.key = key


def _plugin_option(spec, name: str, key: str, hidden: bool) -> click.Option:
    default = default_of(spec) if spec.required else f"default: {default_of(spec)}"
    help_text = f"{explanation(spec)}.  [{default}]"
    # Values stay text: the analysis's own declaration reads them and words the refusal.
    dest = f"plugin_{key.replace('.', '__').replace('-', '_')}"
    if spec.is_flag:
        declaration = f"--{name}/--no-{name}"
        return _PluginOption([declaration, dest], default=None, help=help_text, hidden=hidden, key=key)
    return _PluginOption(
        [f"--{name}", dest],
        metavar=spec.metavar,
        type=str,
        multiple=spec.is_mapping,
        help=help_text,
        hidden=hidden,
        key=key,
    )


def _values_of(option: str, args: list[str]) -> list[str]:
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
    if len(candidates) == 1 and not os.path.exists(candidates[0]):
        raise InputError(f"There is no file {candidates[0]}; {near_name(candidates[0])}")
