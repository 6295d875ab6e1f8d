"""LinearResponse: how a state at a minimum gives way to small forces."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, NotAMinimumError
from pelplug.landscape.hessian.solvers import factorise
from pelplug.potentials.base import Pairs, Potential, check_order

__all__ = ["LinearResponse", "find_rattlers", "require_response"]

# Largest force left in a minimum, in units of the mean |U'| of its pairs: float32 coordinates leave more.
FORCE_TOLERANCE = 1e-6


def find_rattlers(i: np.ndarray, j: np.ndarray, n: int, dimension: int) -> np.ndarray:
    """Return which particles have fewer than d + 1 contacts, not counting contacts with such particles.

    Parameters
    ----------
    i, j : ndarray of int, shape (P,)
        Interacting pairs.
    n, dimension : int
        N and d.

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    rattler = np.zeros(n, dtype=bool)
    holding = i != j
    while True:
        contacts = np.bincount(i[holding], minlength=n) + np.bincount(j[holding], minlength=n)
        loose = ~rattler & (contacts < dimension + 1)
        if not loose.any():
            return rattler
        rattler |= loose
        holding &= ~(loose[i] | loose[j])


class LinearResponse:
    """The factorised Hessian of a minimum, its rattlers taken out.

    Parameters
    ----------
    configuration : Configuration
        A minimum of the potential energy.
    potential : Potential
        Its interactions.
    solver : {"auto", "dense", "sparse", "cg"}
        How to invert the Hessian; ``"auto"`` decides by size, sparsity and memory.
    pairs : "all" or int
        How many dipoles will be asked for: only the choice of the solver depends on it.
    memory : float, optional
        Bytes that may be used; found out by default.

    Attributes
    ----------
    configuration : Configuration
        As given.
    rattlers : ndarray of bool, shape (N,)
        Particles with fewer than d + 1 contacts, found repeatedly until none is left.
    backbone : Configuration
        The particles that remain.
    members : ndarray of int
        Their numbers in ``configuration``.
    pairs : Pairs
        The interacting pairs of the backbone, with the backbone's particle numbers.
    hessian : bsr_matrix
        The backbone's Hessian [energy / length**2].
    factor : HessianFactor
        Its factorisation; ``factor.solver`` says which.

    Raises
    ------
    NotAMinimumError
        If forces are left, or the Hessian has a negative eigenvalue or a zero mode besides the translations.
    InputError
        If the solver would not fit in memory, or there is one particle only.
    """

    def __init__(
        self,
        configuration: Configuration,
        potential: Potential,
        *,
        solver: str = "auto",
        pairs: str | int = "all",
        memory: float | None = None,
    ):
        check_order("LinearResponse", configuration, potential)
        if configuration.n < 2:
            raise InputError(
                "One particle has no pairs, and no vibrations besides the translations; give a state of two or more."
            )
        self.configuration = configuration
        self.potential = potential
        found = potential.pairs(configuration)
        self.rattlers = find_rattlers(found.i, found.j, configuration.n, configuration.dimension)
        self.members = np.flatnonzero(~self.rattlers)
        if self.members.size == 0:
            raise NotAMinimumError(
                f"All {configuration.n} particles are rattlers (fewer than {configuration.dimension + 1} contacts), so "
                "nothing is rigid; use a denser state."
            )
        self.backbone = configuration if self.members.size == configuration.n else _subset(configuration, self.members)
        self.pairs: Pairs = found if self.backbone is configuration else potential.pairs(self.backbone)
        self._check_forces()
        self.hessian = potential.hessian(self.backbone)
        self.factor = factorise(
            self.hessian,
            self.backbone.fractional(),
            self.backbone.heights,
            solver=solver,
            sample=None if pairs == "all" else int(pairs),
            memory=memory,
        )

    @property
    def n_rattlers(self) -> int:
        """Number of particles taken out."""
        return int(np.count_nonzero(self.rattlers))

    def _check_forces(self) -> None:
        left = float(np.abs(self.potential.forces(self.backbone)).max())
        # In a state without stress pairs exert nothing: there a displacement by 1e-5 of their length is the measure.
        pairs = self.pairs
        typical = float(np.maximum(np.abs(pairs.first), 1e-5 * np.abs(pairs.second) * pairs.distances).mean())
        if not left <= FORCE_TOLERANCE * typical:
            raise NotAMinimumError(
                f"This state is not a minimum: a force of {left:.2g} is left where a pair exerts {typical:.2g}; quench "
                "it in double precision first."
            )


def _subset(configuration: Configuration, members: np.ndarray) -> Configuration:
    """Return the configuration of some particles only, in the same cell."""
    arrays = ("positions", "species", "diameters", "masses", "velocities", "images")
    values = {name: getattr(configuration, name) for name in arrays}
    return configuration.replace(**{name: value[members] for name, value in values.items() if value is not None})


def require_response(response) -> None:
    """Refuse what is no `LinearResponse`, such as the configuration that one is made of.

    Raises
    ------
    InputError
        With the remedy.
    """
    if not isinstance(response, LinearResponse):
        kind = type(response).__name__
        raise InputError(f"{kind} is no linear response; pelplug.LinearResponse(configuration, potential) makes one.")
