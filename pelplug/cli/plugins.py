"""``pelplug plugins``: what is installed, and why something does not work; ``pelplug plugins check`` tries it."""

from __future__ import annotations

import collections

import click

from pelplug.cli.options import common, registry
from pelplug.cli.output import print_table, printable
from pelplug.core.docstrings import default_of, explanation
from pelplug.core.parameters import closest
from pelplug.core.python_files import split_file
from pelplug.errors import InputError

__all__ = ["plugins"]


@click.group(invoke_without_command=True)
@click.option("-v", "--verbose", is_flag=True, help="Show what each plugin offers, with the parameters of analyses.")
@common
@click.pass_context
def plugins(ctx, verbose):
    """List the plugins, and why one failed; or check one."""
    if ctx.invoked_subcommand is not None:
        return
    found = registry()
    records = found.plugins()
    if verbose:
        _load_commands(found)
    rows = [(one.name, one.distribution, one.version, one.status, one.summary) for one in records]
    print_table(("name", "distribution", "version", "status", "summary"), rows)
    failed = [one for one in records if one.errors]
    if failed:
        click.echo()
        print_table(("plugin", "what went wrong"), [(one.owner, " ".join(one.errors)) for one in failed])
    if verbose:
        for record in records:
            for kind, names in record.provides.items():
                click.echo(f"\n{record.name}: {kind} {', '.join(names)}")
            for name in record.provides.get("analyses", ()):
                _show_parameters(found.analysis(name))
            for name in record.provides.get("studies", ()):
                _show_parameters(found.study(name))
        _show_minimisers()
    elif not records:
        click.echo("No plugin is installed, not even pelplug's own; install pelplug again.")


@plugins.command()
@click.argument("name", metavar="NAME")
@click.option("--expect", multiple=True, metavar="CHECK=REASON", help="A check that fails, and why; may be repeated.")
@common
def check(name, expect):
    """Try what a plugin offers against every rule that applies to it.

    NAME is a plugin, an analysis, model, engine ... of one, or a Python file, mine.py or mine.py:NAME. Prints a line
    for each rule; the exit code is 1 if a rule is not kept, or one that was expected to be broken is kept.
    """
    from pelplug.host.discovery import offered_by
    from pelplug.testing.checks import checks_of, run_checks

    expected = dict(_reason(one) for one in expect)
    things = offered_by(registry(), _registered(name))
    chosen = [{one.name for one in checks_of(thing)} for thing in things]
    if strange := sorted(set(expected) - set.union(*chosen)):
        near = closest(strange[0], set.union(*chosen))
        raise InputError(f"No check {strange[0]!r} applies to {name}{near}.")
    counted: collections.Counter = collections.Counter()
    for thing, names in zip(things, chosen, strict=True):
        own = {key: reason for key, reason in expected.items() if key in names}
        for result in run_checks(thing, expected_failures=own):
            counted[result.outcome] += 1
            told = result.sentence or result.check.rule
            click.echo(printable(f"{result.outcome:10}  {thing.name}  {result.check.name}: {told}"))
    click.echo(", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items())))
    return int(bool(counted["failed"] + counted["unexpected"]))


def _registered(name: str) -> str:
    """Return what the registry calls a plugin or what it offers, a file after that is registered."""
    from pelplug.host.named_files import register_file, take_files

    if (found := split_file(name)) is None:
        return name
    if found[1]:
        return take_files([name], registry())[0]
    record = register_file(found[0], registry())
    if record.errors:
        raise InputError(f"{name} cannot be used as a plugin. {record.error}")
    return record.name


def _reason(text: str) -> tuple[str, str]:
    name, _, reason = text.partition("=")
    if not (name.strip() and reason.strip()):
        raise InputError(f"--expect takes CHECK=REASON, as check_rotation='it looks along x', not {text!r}.")
    return name.strip(), reason.strip()


def _load_commands(found) -> None:
    found.add_commands(click.Group(commands=dict(click.get_current_context().find_root().command.commands)))


def _show_parameters(cls) -> None:
    click.echo(f"\n  {cls.name}: {cls.summary}")
    if cls.uses:
        click.echo(f"  uses {', '.join(cls.uses)}")
    if taken := getattr(cls, "takes", ()):
        click.echo(f"  takes results of {', '.join(taken)}, and needs none")
    _table({f"--{spec.option}": spec for spec in cls.parameter_specs().values()})


def _show_minimisers() -> None:
    from pelplug.landscape import MINIMISERS

    for name, cls in MINIMISERS.items():
        click.echo(f"\n  {name}: {cls.summary}, by --method {name} where frames are quenched; with --minimiser-param:")
        _table(cls.parameter_specs())


def _table(specs: dict) -> None:
    rows = [(f"  {name}", spec.metavar, default_of(spec), explanation(spec)) for name, spec in specs.items()]
    if rows:
        print_table(("  parameter", "value", "default", "meaning"), rows)
