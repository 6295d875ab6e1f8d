"""Constraints: distances that are constant, as in rigid molecules; who has them has no Hessian."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.errors import InputError

if TYPE_CHECKING:
    from pelplug.configuration import Configuration
    from pelplug.potentials.base import Potential

__all__ = ["Constraints", "constraints_of", "refuse_constraints"]


@dataclasses.dataclass(frozen=True)
class Constraints:
    """Pairs of particles at a constant distance.

    Attributes
    ----------
    i, j : ndarray of int, shape (C,)
        Particle numbers; they are at nearest images of each other.
    lengths : ndarray, shape (C,)
        Their distance [length].
    """

    i: np.ndarray
    j: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.i)


def constraints_of(potential: Potential, configuration: Configuration) -> Constraints | None:
    """Return what a potential holds constant; None where it holds nothing.

    Raises
    ------
    InputError
        If what it gives is of another kind.
    """
    from pelplug.potentials.answers import asked
    from pelplug.potentials.base import Capability, potential_name

    if not potential.can(Capability.CONSTRAINTS):
        return None
    found: Any = asked(potential, "constraints", configuration)
    if not isinstance(found, Constraints):
        raise InputError(
            f"The potential {potential_name(potential)} gives as constraints() a {type(found).__name__}; return "
            "pelplug.Constraints, or leave CONSTRAINTS out of its capabilities."
        )
    both = np.concatenate([np.asarray(found.i), np.asarray(found.j)])
    fits = len(found.i) == len(found.j) == len(found.lengths) and both.dtype.kind in "iu"
    if len(both) and not (fits and both.min() >= 0 and both.max() < configuration.n and np.all(found.lengths > 0)):
        raise InputError(
            f"The constraints of the potential {potential_name(potential)} are not pairs of particles 0 to "
            f"{configuration.n - 1} with positive lengths; correct constraints()."
        )
    return found if len(found) else None


def refuse_constraints(potential: Potential, what: str = "a Hessian") -> None:
    """Refuse a potential that holds distances constant, for what is of particles that move freely.

    Raises
    ------
    InputError
        With the remedy.
    """
    from pelplug.potentials.base import Capability, potential_name

    if potential.can(Capability.CONSTRAINTS):
        raise InputError(
            f"The potential {potential_name(potential)} holds distances constant (rigid molecules), and {what} "
            f"needs flexible ones{potential.flexible}; inherent structures, energies and displacements can be had of "
            "rigid ones (--method fire, cg or lbfgs)."
        )
