"""Derivatives by strain: of energies and forces in cells strained a little, or of a stress that is known."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Potential, StrainDerivatives
from pelplug.potentials.from_forces.displaced import DisplacedState, deformed, spacing
from pelplug.potentials.from_forces.steps import Noise

__all__ = ["completed_strain", "strain_by_differences"]

_FORCE_STEPS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6)
_LONGEST = 1.6e-2
# Central differences of f(k h), k = 1..3: first by f(kh) - f(-kh), second by f(kh) + f(-kh) - 2 f(0).
_FIRST = {4: (8 / 12, -1 / 12, 0.0), 6: (45 / 60, -9 / 60, 1 / 60)}
_SECOND = {4: (16 / 12, -1 / 12, 0.0), 6: (270 / 180, -27 / 180, 2 / 180)}


def symmetric_strains(d: int) -> list[tuple[tuple[int, int], np.ndarray]]:
    """Return (a, b), a <= b, and the symmetric strain with a one there: halves at ab and ba."""
    found = []
    for a, b in itertools.combinations_with_replacement(range(d), 2):
        strain = np.zeros((d, d))
        strain[a, b] += 0.5
        strain[b, a] += 0.5
        found.append(((a, b), strain))
    return found


def _slopes(answers: Callable, strain: np.ndarray, h: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return derivatives of some arrays along a strain, of fourth order from h and 2 h, and those of second order."""
    ends = {k: answers(np.eye(len(strain)) + k * h * strain) for k in (-2, -1, 1, 2)}
    near = [(one - other) / (2 * h) for one, other in zip(ends[1], ends[-1], strict=True)]
    far = [(one - other) / (4 * h) for one, other in zip(ends[2], ends[-2], strict=True)]
    return [(4 * one - other) / 3 for one, other in zip(near, far, strict=True)], [near, far]


def completed_strain(
    potential: Potential, configuration: Configuration, known: StrainDerivatives
) -> tuple[StrainDerivatives, str]:
    """Add ``curvature`` and ``coupling`` by central differences of the stress that a potential gives, and of forces.

    Parameters
    ----------
    potential : Potential
        The interactions.
    configuration : Configuration
        The state.
    known : StrainDerivatives
        What the potential says about it.

    Returns
    -------
    strain : StrainDerivatives
        With both, or without where two step sizes disagree: the derivative jumps there (a contact opens or closes).
    origin : str
        ``"differences"``, or why there are none.
    """
    d, h = configuration.dimension, 1e-5

    def answers(f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        state = deformed(configuration, f)
        # dU/dF at F, from dU/dF' of a further deformation F' F.
        return potential.strain_derivatives(state).first @ np.linalg.inv(f).T, -potential.forces(state).ravel()

    curvature, coupling, changes = np.empty((d, d, d, d)), [], np.zeros(2)
    for (a, b), strain in symmetric_strains(d):
        (slope, pull), (near, far) = _slopes(answers, strain, h)
        curvature[:, :, a, b] = curvature[:, :, b, a] = slope
        coupling.append(pull)
        changes = np.maximum(changes, [np.abs(one - other).max() for one, other in zip(near, far, strict=True)])
    sizes = (np.abs(curvature).max(), np.abs(coupling).max())
    rounding = 1e-6 * np.abs(known.first).max()
    disagreement = max(change / max(size, rounding) for change, size in zip(changes, sizes, strict=True))
    if not disagreement < 1e-3:
        return known, (
            f"none: the potential gives no second derivatives by strain, and differences at {h:g} and {2 * h:g} "
            f"disagree by {disagreement:.1g}"
        )
    return dataclasses.replace(known, curvature=curvature, coupling=np.array(coupling)), "differences"


def strain_by_differences(state: DisplacedState, noise: Noise, tolerance: float) -> StrainDerivatives:
    """Return all derivatives by strain from energies and forces alone, with their errors.

    Energies along each symmetric strain, and along the sum of each two, give first and second derivatives; the rest of
    the tensor follows from U's being a function of F^T F. Forces give the mixed ones. Errors are what the next order of
    the differences changes, and the noise.

    Parameters
    ----------
    state : DisplacedState
    noise : Noise
    tolerance : float
        Largest relative error allowed.

    Raises
    ------
    InputError
        If an error is larger: the energy jumps, say.
    """
    n, d = state.shape
    strains = symmetric_strains(d)
    coupling, coupling_error = _coupling(state, strains, noise)
    first, curvature, errors = _of_energies(state, strains, noise)
    # Where each particle is a centre of symmetry there is no coupling: what there could be is the measure.
    size = {"second": float(np.linalg.norm(curvature))}
    size["mixed"] = max(np.linalg.norm(coupling), size["second"] / (np.sqrt(n) * spacing(state.configuration)))
    rough = {"first": errors[0], "second": errors[1], "mixed": coupling_error}
    for name, what in (("second", "energy"), ("mixed", "forces")):
        # A stress may vanish; what a strain changes does not, unless nothing interacts.
        if rough[name] > tolerance * size[name] > 0.0:
            raise InputError(
                f"Derivatives by strain of the potential {state.name} cannot be found from its {what}: two orders of "
                f"differences disagree by {rough[name] / size[name]:.2g} of them. The {what} must be continuous where "
                "a particle crosses a cutoff, better its slope too, and precise; shift energy and forces to 0 there "
                "(shifted-force; lj/smooth/linear in LAMMPS), or declare STRAIN and write strain_derivatives()."
            )
    planes = tuple(itertools.combinations(range(d), 2))
    order = [plane for plane, _ in strains]
    # A simple shear turns as well: forces turn with it.
    mixed = np.zeros((len(planes), n, d))
    for k, (a, b) in enumerate(planes):
        mixed[k] = coupling[order.index((a, b))].reshape(n, d)
        mixed[k, :, a] -= 0.5 * state.forces[:, b]
        mixed[k, :, b] += 0.5 * state.forces[:, a]
    second = np.array([curvature[a, b, a, b] for a, b in planes])
    return StrainDerivatives(planes, first, second, mixed.reshape(len(planes), n * d), curvature, coupling, rough)


def _coupling(state: DisplacedState, strains, noise: Noise) -> tuple[np.ndarray, float]:
    """Return d2U/(dF dx) of each strain, and the norm of its error a strain."""

    def answers(f: np.ndarray) -> tuple[np.ndarray]:
        return (-state.deformed(f)[1].ravel(),)

    trial = {h: _slopes(answers, strains[0][1], h)[0][0] for h in _FORCE_STEPS}
    loud = {h: noise.force / h * np.sqrt(trial[h].size) for h in _FORCE_STEPS}
    wrong = {h: np.linalg.norm(trial[h] - trial[finer]) for h, finer in itertools.pairwise(_FORCE_STEPS)}
    h = min(wrong, key=lambda h: wrong[h] + loud[h])
    finer = _FORCE_STEPS[_FORCE_STEPS.index(h) + 1]
    values, error = [trial[h]], wrong[h]
    for _, strain in strains[1:]:
        values.append(_slopes(answers, strain, h)[0][0])
        error = max(error, np.linalg.norm(values[-1] - _slopes(answers, strain, finer)[0][0]))
    return np.array(values), float(error + loud[h])


class _EnergyAlong:
    """Energies along one strain, each asked for once, and their first two derivatives."""

    def __init__(self, state: DisplacedState, strain: np.ndarray):
        self._state, self._strain, self._known = state, strain, {0.0: state.energy}

    def at(self, size: float) -> float:
        if size not in self._known:
            self._known[size] = self._state.deformed(np.eye(len(self._strain)) + size * self._strain)[0]
        return self._known[size]

    def derivatives(self, h: float) -> tuple[np.ndarray, np.ndarray]:
        """Return both, and how far they are from those of the lower order and of half the length.

        Where pairs cross a cutoff within the strain, orders agree and lengths do not.
        """
        found = [np.array([self._first(length, order), self._second(length, order)])
                 for length, order in ((h, 6), (h, 4), (h / 2, 6))]  # fmt: skip
        return found[0], np.maximum(*(np.abs(found[0] - other) for other in found[1:]))

    def settled(self, h: float, goal: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the same, noise included, of that length from ``h`` down which gives the second derivative best."""
        best = None
        while best is None or (best[1][1] > goal and 4.0 * noise / h**2 < best[1][1]):
            values, errors = self.derivatives(h)
            errors = errors + noise * np.array([2.0 / h, 4.0 / h**2])
            if best is None or errors[1] < best[1][1]:
                best = values, errors
            h /= 4.0
        return best

    def _first(self, h: float, order: int) -> float:
        return sum(w * (self.at(k * h) - self.at(-k * h)) for k, w in enumerate(_FIRST[order], 1)) / h

    def _second(self, h: float, order: int) -> float:
        middle = self.at(0.0)
        ends = ((self.at(k * h) - middle) + (self.at(-k * h) - middle) for k in (1, 2, 3))
        return sum(w * end for w, end in zip(_SECOND[order], ends, strict=True)) / h**2


def _of_energies(state: DisplacedState, strains: Sequence, noise: Noise) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Return dU/dF, d2U/dF dF and the largest errors of an entry."""
    d, count = state.shape[1], len(strains)
    lines = [_EnergyAlong(state, strain) for _, strain in strains]
    trial, h = {}, _LONGEST
    while not trial or 4.0 * noise.energy / h**2 < min(trial.values()):
        trial[h] = max(line.derivatives(h)[1][1] for line in lines[:2]) + 4.0 * noise.energy / h**2
        h /= 2.0
    h = min(trial, key=trial.get)
    goal = 2.0 * trial[h]
    values, slopes, worst = np.zeros((count, count)), np.zeros(count), np.zeros(2)
    for k, line in enumerate(lines):
        (slopes[k], values[k, k]), wrong = line.settled(h, goal, noise.energy)
        worst = np.maximum(worst, wrong)
    for k, m in itertools.combinations(range(count), 2):
        (_, both), wrong = _EnergyAlong(state, strains[k][1] + strains[m][1]).settled(h, goal, noise.energy)
        worst = np.maximum(worst, wrong)
        values[k, m] = values[m, k] = 0.5 * (both - values[k, k] - values[m, m])
    first, curvature = np.zeros((d, d)), np.zeros((d, d, d, d))
    for k, ((a, b), _) in enumerate(strains):
        first[a, b] = first[b, a] = slopes[k]
        for m, ((c, e), _) in enumerate(strains):
            for p, q in {(a, b), (b, a)}:
                for r, s in {(c, e), (e, c)}:
                    curvature[p, q, r, s] = values[k, m]
    # d2U/dF_ab dF_cd = V C_abcd + delta_ac dU/dF_bd; along symmetric strains its symmetric part was seen.
    turning = np.einsum("ac,bd->abcd", np.eye(d), first)
    seen = (turning + turning.transpose(1, 0, 2, 3)) / 2.0
    seen = (seen + seen.transpose(0, 1, 3, 2)) / 2.0
    return first, curvature - seen + turning, (float(worst[0]), float(worst[1]))
