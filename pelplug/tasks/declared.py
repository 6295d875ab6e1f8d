"""Parameters as an analysis declares them: names they may not have, their check, their part of the docstring."""

from __future__ import annotations

import functools

from pelplug.core.docstrings import with_parameters
from pelplug.core.parameters import validate_parameters

__all__ = ["RESERVED", "documented", "validated"]

_BASE = ("potential", "model", "inputs", "store", "verbose")
# A parameter of one of these names could not be told from an argument of analyze() or an option of the command.
_SELECTION = (
    "trajectory",
    "topology",
    "species",
    "dt",
    "frame_interval",
    "positions",
    "order_is_kept",
    "format",
    "units",
    "mass",
    "masses",
    "model_param",
    "start",
    "stop",
    "step",
    "frames",
)
_RUN = ("names", "plugin", "backend", "workers", "n_workers", "scheduler", "command", "registry", "trust_model")
_SWITCHES = ("no_plugins", "debug", "quiet")
_OUTPUT = ("output", "plot", "export", "csv", "overwrite", "help")
RESERVED = frozenset((*_BASE, *_SELECTION, *_RUN, *_SWITCHES, *_OUTPUT))


def validated(init):
    """Wrap ``__init__`` so that every way of making an analysis checks its parameters."""

    @functools.wraps(init)
    def __init__(self, trajectory=None, **values):  # noqa: N807
        specs = type(self).parameter_specs()
        given = {name: value for name, value in values.items() if name not in _BASE}
        if "parameters" not in self.__dict__:
            self.parameters = validate_parameters(specs, given, f"the {self._owner}")
            checked = {name: self.parameters[name] for name in given}
        else:  # a base class: some values are set by the subclass
            checked = {n: specs[n].validate(v, f"the {self._owner}") if n in specs else v for n, v in given.items()}
            self.parameters.update((name, value) for name, value in checked.items() if name in specs)
        init(self, trajectory, **{**values, **checked})

    return __init__


def documented(cls: type) -> str:
    """Return the docstring of an analysis with its parameters described."""
    own = cls.__dict__.get("__doc__") or f"{cls.summary.rstrip('.')}."
    first, last = ["trajectory : Trajectory\n    What to analyse."], ["**base\n    Of `pelplug.Analysis`."]
    return with_parameters(own, cls.parameter_specs(), first, last)
