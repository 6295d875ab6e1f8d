"""What a System of OpenMM says of its particles: masses, bonds, constraints, ranges, where forces end."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.execution.openmm import forces_at_cutoff

__all__ = ["NM", "UNITS", "SystemContents", "particles_of_system"]

UNITS, NM = Units.of("gromacs").for_atoms()
"""What numbers of these potentials are in, as of all models that are given in nm; and the length of a nm."""

_ROUNDING = 1e-10  # kJ/mol/nm
_ENDED = "getCutoffDistance"
_ONLY_NEAR = (0, 1)  # NoCutoff, CutoffNonPeriodic: of every force that has a cutoff


@dataclasses.dataclass(frozen=True)
class SystemContents:
    """What is in a System.

    Attributes
    ----------
    masses : ndarray, shape (N,)
        [g/mol].
    bonds : ndarray of int, shape (B, 2)
        Harmonic bonds, and the constrained ones.
    lengths : ndarray, shape (B,)
        Of these, at rest [Angstrom].
    constraints : ndarray of int, shape (C, 2)
        Pairs whose distance is constant.
    constrained : ndarray, shape (C,)
        That distance [Angstrom].
    largest_cutoff : float
        Of all forces that end somewhere [Angstrom]; 0 where there is none.
    cutoff : float or None
        Beyond which no particles interact [Angstrom]; None where they do at any distance.
    force_jumps : tuple of float
        Largest repulsive and attractive force of a Lennard-Jones pair that ends at the cutoff [kJ/mol / Angstrom].
    """

    masses: np.ndarray
    bonds: np.ndarray
    lengths: np.ndarray
    constraints: np.ndarray
    constrained: np.ndarray
    largest_cutoff: float
    cutoff: float | None
    force_jumps: tuple[float, float]


def particles_of_system(system: Any) -> SystemContents:
    """Look into a System.

    Parameters
    ----------
    system : openmm.System

    Raises
    ------
    InputError
        If it is of something that pelplug does not compute: sites without mass, a cluster without periodic images.
    """
    n = system.getNumParticles()
    masses = np.array([_number(system.getParticleMass(k)) for k in range(n)])
    if sites := sum(system.isVirtualSite(k) for k in range(n)) or int(np.count_nonzero(masses == 0.0)):
        raise InputError(
            f"The System has {sites} virtual sites or fixed particles (mass 0), which follow others and are no "
            "particles of a landscape; use a force field without them, such as a water of three sites."
        )
    forces = [system.getForce(k) for k in range(system.getNumForces())]
    ended = [force for force in forces if hasattr(force, _ENDED)]
    for force in ended:
        if force.getNonbondedMethod() in _ONLY_NEAR:
            raise InputError(
                f"The {force.getName()} of the System knows no periodic images (NoCutoff or CutoffNonPeriodic), and "
                "trajectories here are periodic; make the System with CutoffPeriodic, Ewald or PME."
            )
    if not forces:
        raise InputError("The System has no forces; serialise one that has.")
    pairs = [system.getConstraintParameters(k) for k in range(system.getNumConstraints())]
    held = np.array([one[:2] for one in pairs], dtype=np.int64).reshape(-1, 2)
    distances = np.array([_number(one[2]) for one in pairs])
    bonded = [_bonds(force) for force in forces if type(force).__name__ == "HarmonicBondForce"]
    largest = NM * max((_number(force.getCutoffDistance()) for force in ended), default=0.0)
    far = any(_is_endless(force) for force in forces) or largest == 0.0
    return SystemContents(
        masses,
        np.concatenate([held, *(pair for pair, _ in bonded)]),
        NM * np.concatenate([distances, *(length for _, length in bonded)]),
        held,
        NM * distances,
        largest,
        None if far else largest,
        _jumps(forces),
    )


def _number(quantity: Any) -> float:
    """Return a quantity in OpenMM's own units, nm, ps, g/mol and kJ/mol."""
    return float(getattr(quantity, "_value", quantity))


def _bonds(force: Any) -> tuple[np.ndarray, np.ndarray]:
    found = [force.getBondParameters(k) for k in range(force.getNumBonds())]
    pairs = np.array([one[:2] for one in found], dtype=np.int64).reshape(-1, 2)
    return pairs, np.array([_number(one[2]) for one in found])


def _is_endless(force: Any) -> bool:
    """Whether particles interact by it at any distance: sums over images, and what nobody knows the range of."""
    kind = type(force).__name__
    if kind == "NonbondedForce":
        return force.getNonbondedMethod() > force.CutoffPeriodic
    return kind not in _SHORT


_SHORT = (
    "CMAPTorsionForce", "CustomAngleForce", "CustomBondForce", "CustomNonbondedForce", "CustomTorsionForce",
    "HarmonicAngleForce", "HarmonicBondForce", "PeriodicTorsionForce", "RBTorsionForce",
)  # fmt: skip


def _jumps(forces: list[Any]) -> tuple[float, float]:
    """Return the largest force of a Lennard-Jones pair that ends at the cutoff: repulsive and attractive."""
    out = inward = 0.0
    for force in forces:
        if type(force).__name__ == "CustomNonbondedForce":
            pushed = forces_at_cutoff(force)
            out, inward = max(out, float(pushed.max(initial=0.0))), max(inward, float((-pushed).max(initial=0.0)))
        if type(force).__name__ != "NonbondedForce" or force.getUseSwitchingFunction():
            continue
        kinds = {tuple(map(_number, force.getParticleParameters(k)[1:])) for k in range(force.getNumParticles())}
        sigma, epsilon = np.array(sorted(kinds)).reshape(-1, 2).T
        r = _number(force.getCutoffDistance())
        x6 = (0.5 * (sigma[:, None] + sigma) / r) ** 6
        pull = 24.0 * np.sqrt(epsilon[:, None] * epsilon) * (2.0 * x6**2 - x6) / r
        out, inward = max(out, float(pull.max(initial=0.0))), max(inward, float((-pull).max(initial=0.0)))
    return (out / NM if out > _ROUNDING else 0.0), (inward / NM if inward > _ROUNDING else 0.0)
