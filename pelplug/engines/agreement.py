"""Whether an engine computes the forces that it was asked for: looked at once, where a session begins.

An engine that uses forms of its own, or a table, was told of the potential in words (`Potential.native`). What it makes
of them is compared with the potential's own energy and forces before the first step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pelplug.errors import InputError
from pelplug.models.given import GivenModel
from pelplug.potentials.answers import energy_and_forces
from pelplug.potentials.base import potential_name
from pelplug.potentials.constraints import refuse_constraints
from pelplug.potentials.neighbours import build_neighbour_list

if TYPE_CHECKING:
    from pelplug.configuration import Configuration
    from pelplug.engines.engine import Engine, Session
    from pelplug.potentials.base import Potential

__all__ = ["check_agreement", "compared", "summed_error"]

_MOVED = 1e-3  # mean distances that particles are moved to see of what forces that cancel are made
_SOFT = 0.01  # mean distances by which a force is less than stiffness times distance, or more: rounding is far less


def compared(take_up: Callable[..., Session]) -> Callable[..., Session]:
    """Have `Engine.session` want velocities and compare what it begins with the potential, whatever the engine."""

    @functools.wraps(take_up)
    def begin(self, configuration, model, dynamics, *arguments, **keywords):
        if configuration.velocities is None and not dynamics.minimises:
            raise InputError(
                f"The ensemble {dynamics.method} needs velocities; thermalise the configuration first "
                "(pelplug.thermalised)."
            )
        if dynamics.pressure is not None and not self.holds_pressure:
            raise InputError(
                f"The engine {self.name} holds no pressure; leave out --pressure, or use --engine lammps or hoomd."
            )
        if isinstance(model, GivenModel):  # no other has any, and the engine speaks first of what it cannot do
            refuse_constraints(model.potential(configuration), "a simulation")
        session = take_up(self, configuration, model, dynamics, *arguments, **keywords)
        if not getattr(session, "own_forces", False) or session.agreement is not None:
            return session
        try:
            with self.device:
                check_agreement(self, session, configuration, model.potential(configuration))
        except BaseException:
            session.close()
            raise
        return session

    return begin


def check_agreement(engine: Engine, session: Session, configuration: Configuration, potential: Potential) -> None:
    """Refuse a session whose energy or forces are not the potential's.

    Parameters
    ----------
    engine : Engine
        For the sentence.
    session : Session
        At its start; ``agreement`` is set.
    configuration : Configuration
        Where it is.
    potential : Potential
        What it should compute.

    Raises
    ------
    InputError
        If they differ by more than the session states, with both numbers.
    """
    exact, pulls = energy_and_forces(potential, configuration)
    energy, forces = session.energy_forces()
    apart = float(np.abs(forces - pulls).max(initial=0.0))
    largest = float(np.abs(pulls).max(initial=0.0))
    relative, (more_energy, more_force) = session.relative_error, session.table_error
    allowed, allowed_energy = relative * largest + more_force, relative * abs(exact) + more_energy
    if not (apart <= allowed and abs(energy - exact) <= allowed_energy):
        # At a minimum or in a crystal forces cancel, and energies may: rounding goes by the parts.
        parts, distance = _parts(potential, configuration, pulls)
        allowed += relative * parts
        allowed_energy += relative * parts * distance * configuration.n
    session.agreement = (float(abs(energy - exact)), apart)
    if apart <= allowed and abs(energy - exact) <= allowed_energy:
        return
    raise InputError(
        f"What the engine {engine.name} computes by {session.route!r} is not this potential "
        f"({potential_name(potential)}): at the start its energy is {energy:.10g} and the potential's own is "
        f"{exact:.10g}, and forces differ by up to {apart:.3g} where the largest is {largest:.3g} and an error of "
        f"{max(allowed, 0.0):.1g} is stated; {_remedy(engine, session)}."
    )


def summed_error(
    configuration: Configuration, reach: float, errors: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> tuple[float, float]:
    """Return how far the errors of pairs add up to at most: of the total energy [energy] and of a force component.

    Parameters
    ----------
    configuration : Configuration
        The particles.
    reach : float
        Within which pairs interact [length].
    errors : callable
        ``errors(i, j, distances)`` returns those of the energy [energy] and force [energy / length] of pairs, shape
        (P,); every pair is there in both directions.
    """
    groups = np.zeros(configuration.n, dtype=np.int64)
    near = build_neighbour_list(
        configuration.positions, np.array(configuration.cell), groups, 1, np.array([[reach]]), 1e-9 * reach
    )
    first = near.start[:, 0]
    count = near.start[:, -1] - first
    places = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
    sites, homes = near.neighbours[places], np.repeat(near.row_site, count)
    distances = np.linalg.norm(near.site_positions[sites] - near.site_positions[homes], axis=1)
    i = near.owner[homes]
    energy, force = errors(i, near.owner[sites], distances)
    return 0.5 * float(energy.sum()), float(np.bincount(i, force, configuration.n).max(initial=0.0))


def _parts(potential: Potential, configuration: Configuration, forces: np.ndarray) -> tuple[float, float]:
    """Return of what size the forces are that add up to those of a particle, and the mean distance of particles."""
    distance = (configuration.volume / configuration.n) ** (1.0 / configuration.dimension)
    step = _MOVED * distance * np.random.default_rng(0).standard_normal(forces.shape)
    moved = configuration.replace(positions=configuration.positions + step, frame=None)
    change = float(np.abs(energy_and_forces(potential, moved)[1] - forces).max())
    return change / _MOVED * _SOFT, distance


def _remedy(engine: Engine, session: Session) -> str:
    if "route" not in engine.parameter_specs():
        return "correct what the potential or the engine says of it, or use another engine"
    alone = " without --mpi" if session.device.startswith("mpi") else ""
    return f"say --route kernel{alone}, or correct what the potential answers to native()"
