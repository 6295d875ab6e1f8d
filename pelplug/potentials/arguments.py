"""Whether a function was given a configuration and its potential, in this order."""

from __future__ import annotations

from typing import Any

from pelplug.errors import InputError

__all__ = ["check_order"]


def check_order(who: str, configuration: Any, potential: Any) -> None:
    """Refuse what is no configuration and its potential, or the two as in an earlier order of arguments.

    Parameters
    ----------
    who : str
        The function, for the sentence.
    configuration, potential
        What it was given.

    Raises
    ------
    InputError
        If they are the wrong way round, or of another kind.
    """
    if hasattr(configuration, "energy_forces") and hasattr(potential, "positions"):
        raise InputError(f"A configuration comes before its potential: {who}(configuration, potential).")
    if not hasattr(configuration, "positions"):
        raise InputError(f"{configuration!r} is no configuration; pelplug.read_configuration(FILE) reads one.")
    if not hasattr(potential, "energy_forces"):
        maker = "model.potential(configuration)" if hasattr(potential, "potential") else "pelplug.model(NAME).potential"
        if isinstance(potential, str) or callable(potential):  # a name of one, or what one can be made of
            maker = "pelplug.potential(...)"
        raise InputError(f"{potential!r} is no potential; {maker} gives one.")
