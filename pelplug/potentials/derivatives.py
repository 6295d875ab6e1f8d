"""Potentials that are not pelplug's own, their derivatives checked by differences at their first use.

A wrong second derivative ends no run and leaves no trace but wrong numbers.
"""

from __future__ import annotations

import inspect
import itertools
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.core.python_files import is_pelplugs
from pelplug.errors import InputError, PelplugError
from pelplug.potentials.answers import (
    check_answers,
    check_told_apart,
    check_what_is_declared,
    energy_and_forces,
    is_foreign,
)
from pelplug.potentials.base import Capability, potential_name
from pelplug.potentials.constraints import refuse_constraints
from pelplug.potentials.differences import STEPS, WRONG, key_of, known, remember, settled
from pelplug.potentials.from_forces.displaced import deformed, spacing
from pelplug.potentials.from_forces.hessian import own_hessian
from pelplug.potentials.from_forces.potential import FromForces

if TYPE_CHECKING:
    from pelplug.configuration import Configuration
    from pelplug.potentials.base import Potential

__all__ = ["check_derivatives", "check_potential"]

_LOOKS = 3  # frames that are tried
_FEW = 0.005  # of all components: pairs that cross a jump within the step


def check_potential(potential: Potential, configuration: Configuration, hessian: bool = False) -> None:
    """Refuse a third party's potential whose forces, Hessian or strain derivatives are not those of its energy.

    Parameters
    ----------
    potential : Potential
        Those of pelplug are believed: tests check them.
    configuration : Configuration
        Where to look.
    hessian : bool
        Whether second derivatives are going to be used.

    Raises
    ------
    InputError
        With what is wrong, and by how much.
    """
    if hessian and isinstance(potential.capabilities, Capability):  # what else it may be is refused below
        refuse_constraints(potential)
    if isinstance(potential, FromForces):  # what it finds it checks itself
        potential = potential.potential
    if hessian and potential.rough:
        raise InputError(f"Second derivatives need smooth forces: {potential.rough}.")
    if not is_foreign(potential) or _looked_at.get((id(potential), hessian)) is potential:
        return
    if not check_answers(potential, configuration):
        return  # the run says where particles overlap
    key = key_of("potential", [_content(potential), hessian])
    differences = None if known(key) else _Differences(potential, configuration)
    if differences is not None:
        differences.check_forces()
    check_what_is_declared(potential, configuration, hessian)
    if differences is not None and hessian:
        differences.check_second(*(potential.can(one) for one in (Capability.HESSIAN, Capability.STRAIN)))
    check_told_apart(potential, configuration)
    remember(key)
    _looked_at[id(potential), hessian] = potential


_looked_at: weakref.WeakValueDictionary[tuple[int, bool], Any] = weakref.WeakValueDictionary()
"""What was looked at in this process; the content of some has no name by which to remember it."""


def _content(part: Any) -> Any:
    """Return all that decides the numbers of a potential: methods, attributes, and the same of those that it asks."""
    if inspect.isroutine(part):
        return part
    cls, parts = type(part), getattr(part, "made_of", ())
    methods = [
        (name, value)
        for one in cls.__mro__
        if not is_pelplugs(one) and one.__module__ not in ("builtins", "abc")
        for name, value in sorted(vars(one).items())
        if callable(value)
    ]
    asked = {id(one) for one in (*parts, parts)}
    values = {name: value for name, value in getattr(part, "__dict__", {}).items() if id(value) not in asked}
    return [cls.__qualname__, methods, values, [_content(one) for one in parts]]


def check_derivatives(model: Any, trajectory: Any, frames: Sequence[int], hessian: bool) -> None:
    """Check the potential that an analysis is going to use, before any work is done.

    Parameters
    ----------
    model : Model
        The interactions.
    trajectory : Trajectory
    frames : sequence of int
        Where to look: at the first that can be read, and in which the potential's own code does not raise; the run
        records those before it. Some are tried.
    hessian : bool
        Whether second derivatives are wanted.

    Raises
    ------
    InputError
        With what is wrong, and by how much.
    """
    raised = None
    for frame in frames[:_LOOKS]:
        try:
            configuration = trajectory.configuration(int(frame))
        except PelplugError:
            continue
        try:
            return check_potential(model.potential(configuration), configuration, hessian)
        except InputError as error:
            if error.__cause__ is None or isinstance(error.__cause__, PelplugError):
                raise
            raised = raised or error
    if raised is not None:
        raise raised


class _Differences:
    """Energies and forces of a potential near a state that is no minimum."""

    def __init__(self, potential: Potential, configuration: Configuration):
        self.potential, self.name = potential, potential_name(potential)
        self.rng = np.random.default_rng(20)
        self.spacing = spacing(configuration)
        shift = 0.01 * self.spacing * self.rng.normal(size=configuration.positions.shape)
        self.state = configuration.replace(positions=configuration.positions + shift, velocities=None)
        self.energy, self.forces = self._at(self.state)
        if not (np.isfinite(self.energy) and np.all(np.isfinite(self.forces))):
            self.state = configuration
            self.energy, self.forces = self._at(configuration)

    def _at(self, state) -> tuple[float, np.ndarray]:
        return energy_and_forces(self.potential, state)

    def _moved(self, direction, h):
        return self.state.replace(positions=self.state.positions + h * direction)

    def check_second(self, hessian: bool, strain: bool) -> None:
        """Check those second derivatives that are declared."""
        if hessian:
            direction = self.rng.normal(size=self.state.positions.shape)
            numbers = [self._force_slope(direction, h * self.spacing) for h in STEPS]
            given = (own_hessian(self.potential, self.state)[0] @ direction.ravel()).reshape(direction.shape)
            self._compare(given, numbers, "Hessian", "differences of its forces", "hessian")
        if strain:
            self._check_strain()

    def check_forces(self) -> None:
        """Check that forces are minus the derivative of the energy."""
        n, wrong = self.state.n, []
        for _ in range(4):
            direction = np.zeros_like(self.state.positions)
            some = self.rng.choice(n, size=min(n, 20), replace=False)
            direction[some] = self.rng.normal(size=(len(some), direction.shape[1]))
            given = -float(np.sum(self.forces * direction))
            scale = float(np.linalg.norm(self.forces[some]))
            noise = 1e3 * np.finfo(float).eps * abs(self.energy)
            numbers = []
            for h in STEPS:
                h *= self.spacing
                if noise / h < 0.1 * WRONG * max(scale, abs(given)):
                    ends = [self._at(self._moved(direction, sign * h))[0] for sign in (1, -1)]
                    numbers.append((ends[0] - ends[1]) / (2 * h))
            found = settled(numbers, scale)
            if found is not None and abs(found - given) > WRONG * max(scale, abs(found)):
                wrong.append((given, found))
        if len(wrong) >= 2:
            given, found = wrong[0]
            raise InputError(
                f"The potential {self.name} has wrong forces: along a random displacement they say that the energy "
                f"changes by {given:.6g} per length, and differences of the energy say {found:.6g}; correct "
                "energy_forces()."
            )

    def _force_slope(self, direction, h):
        ends = [self._at(self._moved(direction, sign * h))[1] for sign in (1, -1)]
        return -(ends[0] - ends[1]) / (2 * h)

    def _compare(self, given, numbers, what: str, by: str, method: str) -> None:
        """Compare component by component: all but a few must be right at one step."""
        scale = max(float(np.sqrt(np.mean(np.square(given)))), 1e-300)
        best = None
        for one, other in itertools.pairwise(numbers):
            if not np.all(np.isfinite(other)):
                continue
            settled = np.abs(one - other) < 0.1 * WRONG * np.maximum(scale, np.abs(other))
            bad = settled & (np.abs(other - given) > WRONG * np.maximum(scale, np.abs(other)))
            if np.mean(settled) < 0.5:
                continue
            share = np.mean(bad)
            if best is None or share < best[0]:
                place = np.unravel_index(np.argmax(np.abs(other - given) * bad), given.shape)
                best = share, given[place], other[place]
        if best is not None and best[0] > _FEW:
            raise InputError(
                f"The potential {self.name} has a wrong {what}: it gives {best[1]:.6g} where {by} give {best[2]:.6g} "
                f"({100 * best[0]:.3g} % of what was looked at is wrong); correct {method}()."
            )

    def _check_strain(self) -> None:
        strain = self.potential.strain_derivatives(self.state)
        d = self.state.dimension
        for plane, (a, b) in enumerate(strain.planes):
            shear = np.zeros((d, d))
            shear[a, b] = 1.0
            energies, slopes = self._strained(shear, STEPS[:5])
            self._compare_mixed(np.asarray(strain.mixed)[plane], slopes, "derivative d2U/(dg dx)")
            first = float(np.asarray(strain.first)[a, b])
            scale = float(np.linalg.norm(strain.first)) + 1e-3 * float(np.linalg.norm(self.forces)) * self.spacing
            found = settled(energies, scale)
            if found is not None and abs(found - first) > WRONG * max(scale, abs(found)):
                raise InputError(
                    f"The potential {self.name} has a wrong dU/dF: for the plane {a}{b} it gives {first:.6g}, and "
                    f"differences of the energy give {found:.6g}; correct strain_derivatives()."
                )
        if strain.curvature is not None and strain.coupling is not None:
            self._check_all_strains(strain)

    def _strained(self, direction, steps) -> tuple[list[float], list[tuple[np.ndarray, np.ndarray]]]:
        """Return slopes of the energy, and of its gradient by positions after and before the strain."""
        energies, slopes = [], []
        for h in steps:
            ends = []
            for sign in (1, -1):
                f = np.eye(len(direction)) + sign * h * direction
                energy, forces = self._at(deformed(self.state, f))
                ends.append((energy, -forces, -forces @ f))
            energies.append((ends[0][0] - ends[1][0]) / (2 * h))
            slopes.append(tuple((one - other) / (2 * h) for one, other in zip(ends[0][1:], ends[1][1:], strict=True)))
        return energies, slopes

    def _compare_mixed(self, given, slopes, what: str) -> None:
        # At a minimum it is the same by the positions after the strain (pelplug's) and before; here either is right.
        given = given.reshape(slopes[0][0].shape)
        middle = slopes[len(slopes) // 2]
        kind = int(np.linalg.norm(given - middle[1]) < np.linalg.norm(given - middle[0]))
        numbers = [one[kind] for one in slopes]
        self._compare(given, numbers, what, "differences of its forces", "strain_derivatives")

    def _check_all_strains(self, strain) -> None:
        """Check the second derivatives by all strains along one direction."""
        d = self.state.dimension
        direction = self.rng.normal(size=(d, d))
        direction = (direction + direction.T) / 2.0
        pairs = itertools.combinations_with_replacement(range(d), 2)
        weights = np.array([(1.0 if a == b else 2.0) * direction[a, b] for a, b in pairs])
        _, slopes = self._strained(direction, STEPS[:5])
        self._compare_mixed(weights @ np.asarray(strain.coupling), slopes, "coupling d2U/(dF dx)")
        numbers = []
        for h in STEPS[:5]:
            ends = []
            for sign in (1, -1):
                f = np.eye(d) + sign * h * direction
                ends.append(self.potential.strain_derivatives(deformed(self.state, f)).first @ np.linalg.inv(f).T)
            numbers.append((ends[0] - ends[1]) / (2 * h))
        given = np.einsum("abcd,cd->ab", strain.curvature, direction)
        self._compare(given, numbers, "curvature d2U/dF2", "differences of dU/dF", "strain_derivatives")
