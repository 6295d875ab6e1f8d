"""Topologies of GROMACS by OpenMM: beside GROMACS itself, from files as its users have them, and refused."""

import hashlib
import itertools
import pathlib

import numpy as np
import pytest
from click.testing import CliRunner
from oracles.with_gromacs import gromacs, needs_gromacs, run_gmx, write_g96

import pelplug
from pelplug.cli.main import cli
from pelplug.potentials.external.gromacs import GromacsProvider
from pelplug.testing import parametrize_with_checks

pytest.importorskip("openmm")

LJ = """[ defaults ]
1 {rule} no 1.0 1.0
#include "types.itp"
[ moleculetype ]
A 0
[ atoms ]
1 A 1 A A 1 0.0 39.948
[ moleculetype ]
B 0
[ atoms ]
1 B 1 B B 1 0.0 20.18
[ system ]
mixture
[ molecules ]
A 80
B 28
"""
TYPES = """[ atomtypes ]
A 18 39.948 0.0 A {} {}
B 10 20.18  0.0 A {} {}
"""
MIXED = "[ nonbond_params ]\nA B 1 0.28 1.2\n"
SIGMAS, EPSILONS = (0.34, 0.29), (0.996, 0.45)
N, EDGE = 108, 1.75
WATER = """[ defaults ]
1 2 yes 0.5 0.8333
[ atomtypes ]
OW 8 15.9994 0.0 A 0.316557 0.650194
HW 1 1.008   0.0 A 0.0 0.0
[ moleculetype ]
SOL 2
[ atoms ]
1 OW 1 SOL OW  1 -0.8476
2 HW 1 SOL HW1 1  0.4238
3 HW 1 SOL HW2 1  0.4238
#ifndef FLEXIBLE
[ settles ]
1 1 0.1 0.16330
[ exclusions ]
1 2 3
2 1 3
3 1 2
#else
[ bonds ]
1 2 1 0.1 345000
1 3 1 0.1 345000
[ angles ]
2 1 3 1 109.47 383
#endif
[ system ]
water
[ molecules ]
SOL 64
"""
OF_WATER = {
    "cutoff": 0.6, "modifier": "potential-shift", "electrostatics": "pme", "ewald_rtol": 1e-5, "fourier_spacing": 0.04,
}  # fmt: skip


def coefficients(rule):
    """Sigma and epsilon of each kind, or C6 and C12 for rule 1."""
    return itertools.chain.from_iterable(
        (4 * e * s**6, 4 * e * s**12) if rule == 1 else (s, e) for s, e in zip(SIGMAS, EPSILONS, strict=True)
    )


def write_mixture(folder, rule=2, mixed=True):
    (folder / "topol.top").write_text(LJ.format(rule=rule))
    (folder / "types.itp").write_text(TYPES.format(*coefficients(rule)) + MIXED * mixed)
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 3)[:N] + 0.5
    x = grid * EDGE / 5 + np.random.default_rng(3).normal(0, 0.02, (N, 3))
    names = ["A"] * 80 + ["B"] * 28
    write_g96(folder / "conf.g96", x, [EDGE] * 3, names)
    return pelplug.Configuration(10 * x, [10 * EDGE] * 3, names)


def water(seed=1, edge=1.25):
    """64 molecules on a lattice, turned at random, bent and stretched a little [nm]."""
    rng = np.random.default_rng(seed)
    centres = (np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) * edge / 4
    shape = np.array([[0, 0, 0], [0.0816, 0.0577, 0], [-0.0816, 0.0577, 0]])
    turns = np.linalg.qr(rng.normal(size=(64, 3, 3)))[0]
    x = centres[:, None] + shape @ turns + rng.normal(0, 0.002, (64, 3, 3))
    return x.reshape(-1, 3), edge, ["OW", "HW1", "HW2"] * 64


@pytest.fixture(scope="module")
def wet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("water")
    (folder / "topol.top").write_text(WATER)
    x, edge, names = water()
    write_g96(folder / "conf.g96", x, [edge] * 3, names)
    return folder


@needs_gromacs
@pytest.mark.filterwarnings("ignore:pair forces of gromacs jump")
@pytest.mark.parametrize(
    ("rule", "mixed", "modifier"),
    [(2, True, "none"), (2, False, "potential-shift"), (2, True, "potential-shift"), (1, False, "potential-shift"),
     (3, False, "potential-switch")],
)  # fmt: skip
def test_lennard_jones_to_the_digits_printed(tmp_path, rule, mixed, modifier):
    state = write_mixture(tmp_path, rule, mixed)
    switch = {"switch": 0.6} if modifier == "potential-switch" else {}
    answer = gromacs(tmp_path, "conf.g96", rvdw=0.8, rcoulomb=0.8, vdw_modifier=modifier, rvdw_switch=0.6)
    potential = pelplug.potential(f"gromacs:{tmp_path}/topol.top", cutoff=0.8, modifier=modifier, **switch)
    energy, forces = potential.energy_forces(state.replace(positions=10 * answer.positions))
    assert energy == pytest.approx(answer.energy, rel=1e-11)
    assert np.abs(10 * forces - answer.forces).max() < 1e-9 * np.abs(answer.forces).max()


@needs_gromacs
@pytest.mark.filterwarnings("ignore:pair forces of gromacs jump")
@pytest.mark.parametrize("sums", ["pme", "ewald"])
def test_flexible_water_with_equal_sums(tmp_path, sums):
    """Water as GROMACS fills a box with it; the bonds of each molecule are a little off their length there."""
    edge = 1.3
    box = ("-box", *[str(edge)] * 3)
    run_gmx(tmp_path, "solvate", "-cs", "spc216.gro", *box, "-o", "conf.gro", "-scale", "0.6")
    molecules = int((tmp_path / "conf.gro").read_text().splitlines()[1]) // 3
    (tmp_path / "topol.top").write_text(WATER.replace("SOL 64", f"SOL {molecules}"))
    fine = {"coulombtype": "PME", "pme_order": 8, "fourierspacing": 0.03, "ewald_rtol": 1e-5}
    cut = {"rvdw": 0.6, "rcoulomb": 0.6, "vdw_modifier": "potential-shift"}
    answer = gromacs(tmp_path, "conf.gro", define="-DFLEXIBLE", **cut, **fine)
    state = pelplug.Configuration(10 * answer.positions, [10 * edge] * 3, ["OW", "HW1", "HW2"] * molecules)
    ours = OF_WATER | {"electrostatics": sums, "define": "FLEXIBLE", "fourier_spacing": 0.03}
    potential = pelplug.potential(f"gromacs:{tmp_path}/topol.top", **ours)
    energy, forces = potential.energy_forces(state)
    assert energy == pytest.approx(answer.energy, rel=1e-5)
    off = np.linalg.norm(10 * forces - answer.forces) / np.linalg.norm(answer.forces)
    assert off < 1e-4
    moved = state.positions + 5.0 * edge
    broken = state.replace(positions=moved - np.floor(moved / (10 * edge)) * 10 * edge)
    assert np.any(np.linalg.norm(broken.positions[1::3] - broken.positions[::3], axis=1) > 5.0)
    exact = 1e-12 if sums == "ewald" else 1e-6  # a mesh moves with the cell, not with the particles
    assert potential.energy(broken) == pytest.approx(energy, rel=exact)
    tilted = state.replace(cell=state.cell + np.array([[0, 0, 0], [10 * edge, 0, 0], [0, 0, 0]]))  # the same lattice
    assert potential.energy(tilted) == pytest.approx(energy, rel=1e-12)


@needs_gromacs
def test_files_as_users_have_them(tmp_path, monkeypatch):
    """A trajectory of mdrun, wrapped, with the .gro as its topology: no masses, and the .top for the forces."""
    monkeypatch.chdir(tmp_path)
    write_mixture(tmp_path)
    mdp = {
        "integrator": "md", "dt": 0.004, "nsteps": 10, "nstxout": 10, "nstxout-compressed": 10, "nstenergy": 10,
        "rvdw": 0.8, "rcoulomb": 0.8, "vdw-modifier": "potential-switch", "rvdw-switch": 0.6, "gen-vel": "yes",
        "nstcalcenergy": 1,
    }  # fmt: skip
    pathlib.Path("run.mdp").write_text("".join(f"{key} = {value}\n" for key, value in mdp.items()))
    run_gmx(tmp_path, "grompp", "-f", "run.mdp", "-c", "conf.g96", "-p", "topol.top", "-o", "run.tpr", "-maxwarn", "9")
    run_gmx(tmp_path, "mdrun", "-s", "run.tpr", "-deffnm", "run", "-nt", "1", "-c", "run.gro")
    run_gmx(tmp_path, "energy", "-f", "run.edr", "-dp", "-o", "energy.xvg", typed="Potential\n")
    rows = [line.split() for line in pathlib.Path("energy.xvg").read_text().splitlines() if line[0] not in "#@"]
    energies = [float(row[1]) for row in rows]
    given = [
        "--potential", "gromacs:topol.top", "--potential-param", "cutoff=0.8",
        "--potential-param", "modifier=potential-switch", "--potential-param", "switch=0.6",
    ]  # fmt: skip
    for name, error in (("run.trr", 1e-5), ("run.xtc", 2e-2)):
        words = ["analyze", name, "--topology", "run.gro", "--plugin", "inherent-structures", *given]
        done = CliRunner().invoke(
            cli, [*words, "--force-tolerance", "1.0", "--method", "lbfgs", "-o", f"{name}.nc", "--quiet"]
        )
        assert done.exit_code == 0, done.output
        found = pelplug.read_results(f"{name}.nc")["inherent-structures"]
        assert found.initial_energy.values == pytest.approx(energies, rel=error)
        assert found.initial_energy.attrs["units"] == "kJ/mol"


@pytest.mark.filterwarnings("ignore:pair forces of gromacs jump")
def test_masses_files_and_settings_are_recorded(tmp_path):
    state = write_mixture(tmp_path)
    potential = pelplug.potential(f"gromacs:{tmp_path}/topol.top", cutoff=0.8, modifier="none")
    assert potential.masses(state).tolist() == [39.948] * 80 + [20.18] * 28
    record = potential.record()
    assert record["parameters"]["cutoff"] == 0.8 and record["platform"] == "Reference"
    sums = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("topol.top", "types.itp")}
    assert record["files"] == sums


def test_forces_that_jump_are_told(tmp_path):
    write_mixture(tmp_path)
    with pytest.warns(UserWarning, match=r"jump by 0\.0\d+ kJ/mol/Angstrom at the cutoff.*modifier=potential-switch"):
        jumping = pelplug.potential(f"gromacs:{tmp_path}/topol.top", cutoff=0.8, modifier="none")
    # 24 epsilon (2 x^12 - x^6) / r of the stickiest pair, by hand
    x6 = (np.array([*SIGMAS, 0.28]) / 0.8) ** 6
    pulls = 24 * np.array([*EPSILONS, 1.2]) * (x6 - 2 * x6**2) / 8.0
    assert jumping.force_jumps == (0.0, pytest.approx(pulls.max(), rel=1e-6))


@pytest.mark.filterwarnings("ignore:pair forces of gromacs jump")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cutoff": None, "modifier": None}, "state its cutoff, modifier with --potential-param, such as cutoff=1.0"),
        ({"electrostatics": None}, "state its electrostatics"),
        ({"electrostatics": "none"}, "has 192 charged atoms, and electrostatics=none leaves them out"),
        ({"fourier_spacing": None}, "state its fourier_spacing"),
        ({"ewald_rtol": None}, "state its ewald_rtol"),
        ({"switch": 0.5}, "belong together"),
        ({"modifier": "potential-switch", "switch": 0.7}, "begins at 0.7 nm, not below the cutoff 0.6 nm"),
        ({"platform": "Abacus"}, "platform"),
        ({"platform": "CUDA", "define": "FLEXIBLE"}, "has no platform CUDA here; it has Reference, CPU"),
    ],
)  # fmt: skip
def test_what_is_not_stated_is_asked_for(wet, change, words):
    x, edge, names = water()
    with pytest.raises(pelplug.InputError, match=words):
        potential = pelplug.potential(f"gromacs:{wet}/topol.top", **OF_WATER | change)
        potential.energy(pelplug.Configuration(10 * x, [10 * edge] * 3, names))


def rigid_water(folder, edge=0.8):
    """8 rigid molecules on a lattice, with the digits of a .gro file."""
    (folder / "topol.top").write_text(WATER.replace("SOL 64", "SOL 8"))
    rng = np.random.default_rng(2)
    centres = (np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) * edge / 2
    shape = np.array([[0, 0, 0], [0.08165, 0.057736, 0], [-0.08165, 0.057736, 0]])
    x = (centres[:, None] + shape @ np.linalg.qr(rng.normal(size=(8, 3, 3)))[0]).reshape(-1, 3).round(3)
    return pelplug.Configuration(10 * x, [10 * edge] * 3, ["OW", "HW1", "HW2"] * 8)


def test_rigid_water_comes_to_rest(tmp_path):
    """Nothing pulls or turns a molecule at the end, and OpenMM's own minimiser finds nothing lower there."""
    import openmm

    state = rigid_water(tmp_path)
    stated = {
        "cutoff": 0.39,
        "modifier": "potential-switch",
        "switch": 0.3,
        "electrostatics": "ewald",
        "ewald_rtol": 1e-10,
    }
    potential = pelplug.potential(f"gromacs:{tmp_path}/topol.top", **stated)
    found = pelplug.quench(state, potential, method="lbfgs", force_tolerance=1e-6).require_converged()
    x, f = found.configuration.positions.reshape(-1, 3, 3), potential.forces(found.configuration).reshape(-1, 3, 3)
    assert np.linalg.norm(x[:, 1] - x[:, 0], axis=1) == pytest.approx(1.0, abs=1e-12)  # Angstrom
    assert np.linalg.norm(x[:, 2] - x[:, 1], axis=1) == pytest.approx(1.633, abs=1e-12)
    assert np.abs(f).max() > 1.0
    assert np.abs(f.sum(axis=1)).max() < 1e-5
    assert np.abs(np.cross(x - x[:, :1], f).sum(axis=1)).max() < 1e-5
    system = openmm.XmlSerializer.deserialize(potential.xml)
    system.setDefaultPeriodicBoxVectors(*(openmm.Vec3(*row) for row in (0.8 * np.eye(3)).tolist()))
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            force.setEwaldErrorTolerance(1e-10)
    integrator = openmm.VerletIntegrator(0.001)
    integrator.setConstraintTolerance(1e-9)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(found.configuration.positions / 10)
    before = context.getState(getEnergy=True).getPotentialEnergy()._value
    openmm.LocalEnergyMinimizer.minimize(context, 1e-3, 50)
    after = context.getState(getEnergy=True).getPotentialEnergy()._value
    assert before - after < 1e-4
    with pytest.raises(pelplug.InputError, match=r"needs flexible ones \(state define=FLEXIBLE"):
        pelplug.LinearResponse(found.configuration, potential)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[ atomtypes ]", '#include "nowhere.itp"\n[ atomtypes ]', "Could not locate #include file: nowhere.itp"),
        ("SOL 64", "SOL", "OpenMM cannot read the topology"),
        ("[ settles ]\n1 1", "[ virtual_sites4 ]\n1 1", "Virtual sites not yet supported"),
        ("2 HW 1 SOL HW1 1  0.4238", "2 XX 1 SOL HW1 1  0.4238", "OpenMM cannot"),
    ],
)
def test_topologies_that_are_none(tmp_path, old, new, words):
    assert old in WATER
    (tmp_path / "topol.top").write_text(WATER.replace(old, new))
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.potential(f"gromacs:{tmp_path}/topol.top", **OF_WATER)


@pytest.mark.filterwarnings("ignore:pair forces of gromacs jump")
def test_other_particles_are_refused(wet):
    x, edge, names = water()
    potential = pelplug.potential(f"gromacs:{wet}/topol.top", **OF_WATER | {"define": "FLEXIBLE"})
    state = pelplug.Configuration(10 * x, [10 * edge] * 3, names)
    few = state.replace(positions=state.positions[:-3], species=state.species[:-3])
    turned = state.replace(species=np.roll(state.species, 1))
    nameless = pelplug.Configuration(np.roll(state.positions, 2, axis=0), state.cell, ["W"] * state.n)
    heavy = nameless.replace(positions=state.positions, masses=np.roll(potential.contents.masses, 1))
    for wrong, words in (
        (few, "The file has 189 particles and the topology 192"),
        (turned, "Particle 0 has the name HW2 in the file and OW in the topology"),
        (nameless, "Particles 0 and 2 are bonded in the topology, at 0.1 nm, and .* nm apart in the file"),
        (heavy, "Particle 0 has the mass 1.008 in the file and 15.9994 in the topology"),
        (state.replace(cell=[11.9] * 3), "cutoff 0.6 nm is beyond half the box, which is 1.19 nm wide"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            potential.energy(wrong)


@parametrize_with_checks([GromacsProvider])
def test_contract(check):
    check()
