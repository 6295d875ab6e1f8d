"""The same question asked of matscipy."""

from __future__ import annotations

import numpy as np

from oracles.numbers import KA, SIGMA_SL, exact_ipl_coefficients, exact_sticky_coefficients, smooth_terms
from oracles.with_lammps import Answer
from pelplug.configuration import Configuration


class Powers:
    """A pair energy ``sum_k a_k x**k`` below a cutoff, with derivatives; what matscipy wants to be given."""

    def __init__(self, coefficients: dict[float, float], sigma: float, cutoff: float):
        self.coefficients, self.sigma, self.cutoff = coefficients, sigma, cutoff * sigma

    def _derivative(self, r, order):
        total = np.zeros_like(r)
        for power, value in self.coefficients.items():
            factor = np.prod([power - k for k in range(order)]) if order else 1.0
            if factor != 0:
                total += value * factor * (r / self.sigma) ** (power - order)
        return total / self.sigma**order

    def __call__(self, r, *charges):
        return self._derivative(r, 0)

    def first_derivative(self, r, *charges):
        return self._derivative(r, 1)

    def second_derivative(self, r, *charges):
        return self._derivative(r, 2)

    def derivative(self, n=1):
        return {1: self.first_derivative, 2: self.second_derivative}[n]


class Piecewise(Powers):
    """Two `Powers`, the first below ``switch`` [sigma]."""

    def __init__(self, inner: Powers, outer: Powers, switch: float):
        self.inner, self.outer, self.switch = inner, outer, switch * inner.sigma
        self.sigma, self.cutoff = outer.sigma, outer.cutoff

    def _derivative(self, r, order):
        return np.where(r < self.switch, self.inner._derivative(r, order), self.outer._derivative(r, order))


def matscipy_pair_functions(name: str, **parameters) -> dict:
    """Pair functions for matscipy's PairPotential, keyed by atomic numbers 1 and 2."""
    from matscipy.calculators.pair_potential import LennardJonesCut
    from matscipy.calculators.pair_potential.calculator import LennardJonesLinear

    keys = {"AA": (1, 1), "AB": (1, 2), "BB": (2, 2), "SS": (1, 1), "SL": (1, 2), "LL": (2, 2)}
    if name == "kob-andersen":
        truncation, x = parameters.get("truncation", "shift"), parameters.get("cutoff", 2.5)
        if truncation == "shift":
            return {keys[p]: LennardJonesCut(e, s, x * s) for p, (e, s) in KA.items()}
        if truncation == "shifted-force":
            return {keys[p]: LennardJonesLinear(e, s, x * s) for p, (e, s) in KA.items()}
        functions = {}
        for p, (e, s) in KA.items():
            c0, c2, c4 = smooth_terms(e, x)
            functions[keys[p]] = Powers({-12: 4 * e, -6: -4 * e, 0: c0, 2: c2, 4: c4}, s, x)
        return functions
    if name == "modified-kob-andersen":
        cutoffs = {"AA": 1.5, "AB": 2.5, "BB": 1.5}
        return {keys[p]: LennardJonesLinear(e, s, cutoffs[p] * s) for p, (e, s) in KA.items()}
    if name == "inverse-power-law":
        c = dict(zip((0, 2, 4, 6), exact_ipl_coefficients(), strict=True))
        return {keys[p]: Powers({-10: 1.0, **c}, s, 1.48) for p, s in SIGMA_SL.items()}
    if name == "sticky-spheres":
        a, b, *c = exact_sticky_coefficients()
        minimum = 2.0 ** (1.0 / 6.0)
        outer = {-12: a, -6: -b, **dict(zip((0, 2, 4, 6), c, strict=True))}
        return {
            keys[p]: Piecewise(Powers({-12: 4.0, -6: -4.0}, s, 9.0), Powers(outer, s, 1.2 * minimum), minimum)
            for p, s in SIGMA_SL.items()
        }
    if name == "harmonic-spheres":
        return {(1, 1): Powers({0: 0.5, 1: -1.0, 2: 0.5}, 1.0, 1.0)}
    raise KeyError(name)


class PolydispersePowers:
    """Pair energy ``sum_k a_k x**k`` of non-additive diameters for matscipy's Polydisperse calculator."""

    def __init__(self, coefficients: dict[float, float], cutoff: float, largest: float):
        self.coefficients, self.cutoff, self.largest = coefficients, cutoff, largest

    def mix_sizes(self, a, b):
        return 0.5 * (a + b) * (1 - 0.2 * np.abs(a - b))

    def get_cutoff(self):
        return self.cutoff

    def get_maxSize(self):  # noqa: N802 (matscipy's name)
        return self.largest

    def _derivative(self, r, size, order):
        return Powers(self.coefficients, 1.0, 9.0)._derivative(r / size, order) / size**order

    def __call__(self, r, size):
        return self._derivative(r, size, 0)

    def first_derivative(self, r, size):
        return self._derivative(r, size, 1)

    def second_derivative(self, r, size):
        return self._derivative(r, size, 2)

    def derivative(self, n=1):
        return {1: self.first_derivative, 2: self.second_derivative}[n]


SOFT_SPHERES = {-12: 1.0, 0: -28 * 1.25**-12, 2: 48 * 1.25**-14, 4: -21 * 1.25**-16}


def ase_atoms(configuration: Configuration, species: tuple[str, ...]):
    """ase.Atoms of a configuration; two dimensions lie in a thick, open slab."""
    import ase

    n, d = configuration.positions.shape
    positions, cell = np.zeros((n, 3)), np.diag([1.0, 1.0, 50.0])
    positions[:, :d], cell[:d, :d] = configuration.positions, configuration.cell
    order = species or ("A",)
    numbers = [order.index(name) + 1 if name in order else 1 for name in configuration.species]
    atoms = ase.Atoms(numbers=numbers, positions=positions, cell=cell, pbc=[True, True, d == 3])
    if d == 2:
        atoms.positions[:, 2] = 25.0
    atoms.wrap()
    if configuration.diameters is not None:
        atoms.set_array("size", np.array(configuration.diameters))
    return atoms


def matscipy_calculator(name: str, **parameters):
    """matscipy's calculator of a model."""
    if name.startswith("polydisperse") or parameters.pop("per_particle", False):
        from matscipy.calculators.polydisperse import Polydisperse

        if name.startswith("polydisperse"):
            return Polydisperse(PolydispersePowers(SOFT_SPHERES, 1.25, 1.7))
        return Polydisperse(PolydispersePowers({0: 0.5, 1: -1.0, 2: 0.5}, 1.0, 1.7))
    from matscipy.calculators.pair_potential import PairPotential

    return PairPotential(matscipy_pair_functions(name.removesuffix("-2d"), **parameters))


def matscipy_hessian(configuration: Configuration, species: tuple[str, ...], calculator) -> np.ndarray:
    """Dense Hessian by matscipy, shape (N d, N d)."""
    n, d = configuration.positions.shape
    atoms = ase_atoms(configuration, species)
    atoms.calc = calculator
    hessian = calculator.get_hessian(atoms).toarray().reshape(n, 3, n, 3)
    return hessian[:, :d, :, :d].reshape(n * d, n * d)


def matscipy(configuration: Configuration, species: tuple[str, ...], calculator) -> Answer:
    """Energy, forces and stress (three dimensions only, else NaN) by matscipy."""
    d = configuration.dimension
    atoms = ase_atoms(configuration, species)
    atoms.calc = calculator
    stress = atoms.get_stress(voigt=False) if d == 3 else np.full((2, 2), np.nan)
    return Answer(atoms.get_potential_energy(), atoms.get_forces()[:, :d], stress)
