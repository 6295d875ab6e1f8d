"""What a file's numbers are in against what a model's are, and whether its particles can see each other at all."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np

from pelplug.core.units import REDUCED, Units
from pelplug.errors import InputError, PelplugError
from pelplug.models.given import GivenModel
from pelplug.potentials.interaction import nearest_distances
from pelplug.trajectories.opening import open_trajectory
from pelplug.trajectories.several import SeveralTrajectories

__all__ = ["can_be_of", "check_together", "matched", "read_start", "units_of", "with_units_of"]

_DENSEST = 0.2  # (V / N)**(1/d) over the size of a particle: less is a wrong unit
_CLOSEST = 0.3  # sizes of a particle between neighbours, at the least: nobody's liquid is denser
_ROUNDING = 0.01  # of a mass: tables of atomic masses differ by less


def units_of(model, trajectory) -> Units:
    """Return what the numbers of a calculation are in."""
    for owner in (model, trajectory):
        found = getattr(owner, "units", None)
        if isinstance(found, Units) and found.is_stated:
            return found
    return REDUCED if model is None or isinstance(model, GivenModel) else Units()


def matched(trajectory, model):
    """Return a trajectory in the units of a model, with the model's masses where it has none.

    Raises
    ------
    InputError
        If one is in reduced units and the other is not.
    """
    if model is None or not hasattr(trajectory, "in_units"):
        return trajectory
    if isinstance(trajectory, SeveralTrajectories):
        return trajectory.each(lambda one: matched(one, model))
    if not model.units.is_stated:
        return trajectory.in_units(trajectory.units, model)
    _refuse_other_kind(trajectory, model.units, f"the {model.noun} {model.name}")
    return trajectory.in_units(model.units, model)


def can_be_of(model, trajectory) -> bool:
    """Return whether a file can be of a model: by its units, and by how far apart its particles are."""
    try:
        configuration = matched(trajectory, model).configuration(0)
        potential = model.potential(configuration)
        if potential.shifted or configuration.n < 2:
            return True
        nearest = float(np.median(nearest_distances(configuration)))
    except PelplugError:
        return False
    reach = potential.reach(configuration)
    return _CLOSEST * model.largest_size < nearest and (reach is None or nearest <= reach)


def read_start(path, model):
    """Return the last frame of a file, from which a simulation is to start, its conditions, and the model.

    All in the model's units, and in those of the file where a potential that was given states none.

    Raises
    ------
    InputError
        As `matched`, and if the file cannot be read.
    """
    with open_trajectory(path) as trajectory:
        if isinstance(model, GivenModel):
            model = with_units_of(model, trajectory)
        trajectory = matched(trajectory, model)
        return trajectory.configuration(-1), trajectory.conditions_of([len(trajectory) - 1]), model


def _refuse_other_kind(trajectory, units: Units, owner: str) -> None:
    file = trajectory.units
    if not file.is_stated or file.is_reduced == units.is_reduced or (units.is_reduced and trajectory.any_length):
        return
    if file.is_reduced:
        raise InputError(
            f"{trajectory.path} is in reduced units and {owner} in real ones ({units}); choose a model in reduced "
            "units, or say what the numbers of the file are in, for example --units metal (units= in Python)."
        )
    words = ", ".join(text for text in (file.length, file.energy, file.time) if text is not None)
    if owner.startswith(f"the {GivenModel.noun} "):
        raise InputError(
            f"{trajectory.path} comes in {words} and {owner} is in reduced units; let the potential state its units (a "
            "fragment of LAMMPS's input by a line `units metal`), or, if the file was written in reduced units, pass "
            "--units lj (units= in Python)."
        )
    raise InputError(
        f"{trajectory.path} comes in {words} and {owner} is in reduced units; choose a model in real units "
        '(--model FILE.toml with units = "metal"; stillinger-weber and kob-andersen take --model-param sigma=... '
        "and epsilon=..., with units=metal where both are 1), or, if the file was written in reduced units, pass "
        "--units lj (units= in Python)."
    )


def with_units_of(model, trajectory):
    """Return a model that states no units in those of the file, where the file states all of them."""
    if model is None or model.units.is_stated or not hasattr(trajectory, "in_units"):
        return model
    units = trajectory.units
    return model.in_units(units) if units.is_complete and hasattr(model, "in_units") else model


def check_together(trajectory, model, configuration) -> None:
    """Look at the first frame before any work: whether anything interacts, and what model and file say otherwise.

    Raises
    ------
    InputError
        If no two particles are in range of each other.
    """
    owner, size = f"the {model.noun} {model.name}", model.largest_size
    if isinstance(model, GivenModel):
        with contextlib.suppress(Exception):  # it is told of where its answers are looked at
            sizes = model.given.sizes(configuration)
            size = size if sizes is None else float(np.max(sizes))
    _refuse_dense(trajectory, owner, size, configuration)
    _tell_masses(trajectory, model, configuration)
    missing = getattr(trajectory.reader, "missing_ids", 0)
    if missing > 0:
        warnings.warn(
            f"The ids of {trajectory.path} go up to {configuration.n + missing} and there are {configuration.n} "
            "particles: if the others were left out of the dump, as those of another group are, energies and forces "
            "are wrong; dump all particles.",
            stacklevel=2,
        )
    known = getattr(getattr(model, "given", None), "knows", ())
    ignored = {name: count for name, count in getattr(trajectory, "ignored", {}).items() if name not in known}
    if ignored:
        words = ", ".join(f"{number} {name}" for name, number in ignored.items())
        warnings.warn(
            f"{trajectory.topology or trajectory.path} has {words}, which {owner} does not know: energies and forces "
            "are without them.",
            stacklevel=2,
        )


def _refuse_dense(trajectory, owner: str, size: float, configuration) -> None:
    spacing = configuration.density ** (-1.0 / configuration.dimension)
    if spacing < _DENSEST * size:
        raise InputError(
            f"{trajectory.path} has a particle for every {spacing:.3g} of length, and particles of {owner} have the "
            f"size {size:.3g}: are the units of length the same? Say those of the file with --units "
            "(units= in Python), or give the model its length."
        )


def _tell_masses(trajectory, model, configuration) -> None:
    known = model.known_masses(configuration)
    if known is None or configuration.masses is None or getattr(trajectory, "given_masses", None):
        return
    for name in configuration.species_names:
        mine, theirs = (values[configuration.species == name].mean() for values in (configuration.masses, known))
        if not np.isclose(mine, theirs, rtol=_ROUNDING):
            warnings.warn(
                f"{trajectory.path} gives {name} the mass {mine:.6g}, and {model.name} {theirs:.6g}: that of the file "
                f"is taken; for the other pass --mass {name}={theirs:.6g} (masses= in Python).",
                stacklevel=2,
            )
