"""The command ``pelplug``, and the habits of all its errors: one sentence, an exit code, no traceback."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
import traceback
import warnings
from importlib import metadata

import click

from pelplug.cli.analyze import analyze
from pelplug.cli.engines import engines
from pelplug.cli.info import info
from pelplug.cli.models import models
from pelplug.cli.options import common, registry, values_of
from pelplug.cli.output import RunInterruptedError, note
from pelplug.cli.plot import plot
from pelplug.cli.plugins import plugins
from pelplug.cli.prepare import prepare
from pelplug.cli.quench import quench
from pelplug.cli.simulate import simulate
from pelplug.cli.study import study
from pelplug.core.offers import answering
from pelplug.core.outputs import DISK_FULL
from pelplug.errors import PelplugError
from pelplug.execution.device import tell_libraries
from pelplug.execution.ranks import rank_in_environment

__all__ = ["cli", "main"]

_OF_NUMPY = re.compile(r"encountered in |^Mean of empty slice|^Degrees of freedom|^All-NaN ")


class Group(click.Group):
    """The commands of pelplug and those of plugins, which are loaded only where they can be needed."""

    def list_commands(self, ctx):
        """Return all commands for ``--help``."""
        self._load_plugins(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx, cmd_name):
        """Return a command; plugins are asked only for a name that is not pelplug's own."""
        if cmd_name not in self.commands:
            self._load_plugins(ctx)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx):
        """Run a command, which reads files of the formats that its own plugins know."""
        with answering(lambda kind: registry().offers(kind)):
            return super().invoke(ctx)

    def _load_plugins(self, ctx):
        key = "pelplug.commands"
        if ctx.meta.get(key):
            return
        ctx.meta[key] = True
        # One process may run several commands (tests, notebooks): plugins add to a group of their own.
        group = click.Group(commands=dict(_OWN))
        if _third_party_entries():
            registry(ctx).add_commands(group)
        else:
            _add_bundled_commands(group)
        self.commands = {**_OWN, **group.commands}

    def main(self, args=None, prog_name="pelplug", complete_var=None, standalone_mode=True, **extra):
        """Run a command; `standalone_mode` False lets exceptions through."""
        args = sys.argv[1:] if args is None else [os.fspath(one) for one in args]
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        debug = "--debug" in args
        _prepare_process(args)
        code = 0
        with _one_line_warnings(debug), _one_voice(args):
            try:
                result = super().main(args, prog_name, complete_var, False, obj=args, **extra)
                code = result if isinstance(result, int) else 0
                sys.stdout.flush()
            except BaseException as error:
                code = _answer(error, debug)
        sys.exit(code)


def _prepare_process(args) -> None:
    """Give the process what a shell may have taken (standard output, letters, a way to draw), and its threads."""
    for name in ("stdout", "stderr"):
        if (stream := getattr(sys, name)) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif getattr(stream, "errors", "") == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Figures go to files; what a notebook has set for itself need not even be installed here.
    os.environ["MPLBACKEND"] = "Agg"
    for text in values_of("--threads", args):
        if text.isdigit() and int(text) > 0:  # what else it may be the command refuses
            tell_libraries(int(text))


def _answer(error: BaseException, debug: bool) -> int:
    """Tell the user what went wrong in one line and return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError):
        _give_up_stdout()  # whoever reads our output has seen enough
        return 1
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return error.exit_code
    if debug:
        traceback.print_exception(error)
    if isinstance(error, click.Abort) and isinstance(error.__cause__, EOFError):
        error = error.__cause__  # click takes every one for Ctrl-D at a prompt
    if isinstance(error, (RunInterruptedError, KeyboardInterrupt, click.Abort)):
        note(str(error) if isinstance(error, RunInterruptedError) else "interrupted; nothing was written.")
        return 130
    if isinstance(error, PelplugError):
        note(str(error))
        return error.exit_code
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx is not None else "pelplug"
        message = error.format_message().replace(". (", " (").rstrip(".")
        note(f"{message}; see `{where} --help`.")
        return error.exit_code
    if isinstance(error, click.ClickException):
        note(error.format_message())
        return error.exit_code
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        _give_up_stdout()
        note(f"The disk is full ({error}); free some space and run the same command again.")
        return 1
    if isinstance(error, EOFError) and "marshal" in str(error):
        note("A compiled file of Python is cut short; remove the __pycache__ folders of the installation.")
        return 1
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        note(f"There is not enough memory ({error or kind}); use fewer frames or workers, or a smaller system.")
    else:
        hint = "tell the developers what it shows" if debug else "run the same command with --debug and report it"
        note(f"internal error ({kind}: {error}); {hint}.")
    return 1


def _give_up_stdout() -> None:
    """Keep the interpreter from complaining, when it ends, about what it cannot write."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _one_line_warnings(debug: bool):
    """Show a warning as one line, without the source line Python prints with it."""

    def show(message, category, *_, **__):
        if category is RuntimeWarning and _OF_NUMPY.search(str(message)):
            return  # a NaN is told where it matters
        if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning)):
            note(f"warning: {message}")

    with warnings.catch_warnings():
        if not debug:
            warnings.simplefilter("default")  # whatever PYTHONWARNINGS asks for: a warning is a line, no end
            warnings.showwarning = show
        yield


@contextlib.contextmanager
def _one_voice(args):
    """Let only the first speak of several processes that mpirun has started for one command."""
    # "--device mpi" was the name of "--mpi".
    together = {"--mpi", "--device=mpi"} & set(args) or ("--device", "mpi") in itertools.pairwise(args)
    if together and rank_in_environment() > 0:
        with open(os.devnull, "w") as silence, contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            yield
    else:
        yield


def _third_party_entries() -> bool:
    """Whether any distribution but pelplug has plugins; reads metadata only."""
    try:
        entries = metadata.entry_points(group="pelplug")
        return any(entry.dist is None or entry.dist.name != "pelplug" for entry in entries)
    except Exception:  # unreadable metadata somewhere: the registry finds out what and says so
        return True


def _add_bundled_commands(group: click.Group) -> None:
    """Ask the bundled analyses alone: a registry would import the models too, and ``--help`` is to be quick."""
    for entry in metadata.entry_points(group="pelplug"):
        if entry.value.startswith("pelplug_"):
            with contextlib.suppress(Exception):  # `pelplug plugins` says why one does not load
                getattr(entry.load(), "pelplug_commands", lambda _: None)(group)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pelplug", prog_name="pelplug")
@common
def cli() -> None:
    """Study the potential energy landscape of glass-forming liquids with independent analysis plugins.

    \b
    pelplug analyze --plugin kappa traj.gsd     the main job: a result, a plot, fields for OVITO
    pelplug simulate kob-andersen -N 1000 -T 0.8 --steps 60000 -o traj.gsd
    pelplug plugins                             what can be computed
    pelplug models                              the model liquids
    """  # noqa: D301


for _command in (simulate, analyze, study, quench, prepare, plot, info, plugins, models, engines):
    cli.add_command(_command)
_OWN = dict(cli.commands)


def main() -> None:
    """Run ``pelplug`` with the arguments of the process."""
    cli.main()
