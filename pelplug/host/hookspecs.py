"""The hooks a plugin may implement; write ``@pelplug.hookimpl`` above a function of the same name.

A plugin is a module named by an entry point: ``[project.entry-points.pelplug]  foo = "pelplug_foo"``.
Import heavy libraries inside the hooks, so that ``pelplug --help`` stays quick. Every hook is optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pelplug.engines.engine import Engine
    from pelplug.models.base import Model
    from pelplug.potentials.form import Form
    from pelplug.potentials.provider import Provider
    from pelplug.tasks.analysis import Analysis
    from pelplug.tasks.study import Study
    from pelplug.trajectories.readers.reader import Reader

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("pelplug")
hookimpl = pluggy.HookimplMarker("pelplug")


@hookspec
def pelplug_analyses() -> list[type[Analysis]]:
    """Return a list of analyses: functions under `pelplug.analysis`, or `pelplug.Analysis` subclasses.

    >>> @pelplug.hookimpl
    ... def pelplug_analyses():
    ...     from pelplug_foo.foo import Foo
    ...     return [Foo]
    """


@hookspec
def pelplug_studies() -> list[type[Study]]:
    """Return a list of `pelplug.Study` subclasses: what is computed from results of analyses, or from a theory.

    >>> @pelplug.hookimpl
    ... def pelplug_studies():
    ...     from pelplug_foo.arrhenius import Arrhenius    # pelplug study arrhenius *.nc
    ...     return [Arrhenius]
    """


@hookspec
def pelplug_models() -> list[type[Model]]:
    """Return a list of `pelplug.Model` subclasses (`name`, `aliases` and `summary` are class attributes).

    >>> @pelplug.hookimpl
    ... def pelplug_models():
    ...     from pelplug_foo.models import Wahnstrom
    ...     return [Wahnstrom]
    """


@hookspec
def pelplug_forms() -> list[Form]:
    """Return a list of `pelplug.Form`: functional forms, each one Python function for U, U', U''.

    >>> @pelplug.hookimpl
    ... def pelplug_forms():
    ...     from pelplug_foo.forms import yukawa
    ...     return [pelplug.Form("yukawa", yukawa, ("epsilon", "screening"), "epsilon exp(-screening x) / x")]
    """


@hookspec
def pelplug_potentials() -> list[type[Provider]]:
    """Return a list of `pelplug.Provider` subclasses: each makes potentials of somebody else's files.

    >>> @pelplug.hookimpl
    ... def pelplug_potentials():
    ...     from pelplug_foo.tables import Tables    # --potential tables:FILE
    ...     return [Tables]
    """


@hookspec
def pelplug_engines() -> list[type[Engine]]:
    """Return a list of simulation engines: subclasses of `pelplug.Engine` with `name` and `summary`.

    >>> @pelplug.hookimpl
    ... def pelplug_engines():
    ...     from pelplug_foo.engine import Gromacs
    ...     return [Gromacs]
    """


@hookspec
def pelplug_exporters() -> list[Any]:
    """Return a list of exporters: objects with `name`, `summary`, `suffixes` and `export(datasets, trajectory, path)`.

    >>> @pelplug.hookimpl
    ... def pelplug_exporters():
    ...     from pelplug_foo.export import VTK        # VTK.suffixes = (".vtk",)
    ...     return [VTK()]
    """


@hookspec
def pelplug_readers() -> list[type[Reader]]:
    """Return a list of `pelplug.Reader` subclasses: each reads a file format that pelplug does not know.

    >>> @pelplug.hookimpl
    ... def pelplug_readers():
    ...     from pelplug_foo.reader import Foo        # pelplug analyze traj.foo, or --format foo
    ...     return [Foo]
    """


@hookspec
def pelplug_commands(group: Any) -> None:
    """Add commands to the click `group` of ``pelplug``; return nothing.

    >>> @pelplug.hookimpl
    ... def pelplug_commands(group):
    ...     from pelplug_foo.cli import foo           # a click command
    ...     group.add_command(foo)
    """
