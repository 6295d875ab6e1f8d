"""The same question asked of LAMMPS."""

from __future__ import annotations

import dataclasses

import numpy as np

from oracles.numbers import KA, SIGMA_SL, exact_ipl_coefficients, exact_sticky_coefficients, smooth_terms
from pelplug import load_lammps
from pelplug.configuration import Configuration


def start_lammps():
    """A silent LAMMPS."""
    return load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])


def build_lammps(
    configuration: Configuration, species: tuple[str, ...], pair_commands: str, skin: float = 0.3, units: str = "lj"
):
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
        units {units}
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


def lammps(configuration: Configuration, species: tuple[str, ...], pair_commands: str, units: str = "lj") -> Answer:
    """Energy, forces and virial stress [energy / length**d] of a configuration by LAMMPS."""
    d = configuration.dimension
    lmp, turn = build_lammps(configuration, species, pair_commands, units=units)
    try:
        lmp.command("run 0 post no")
        energy = lmp.get_thermo("pe")
        forces = np.ctypeslib.as_array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3)[:, :d].copy()
        v = lmp.numpy.extract_compute("virial", 0, 1) / lmp.extract_global("nktv2p")
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
