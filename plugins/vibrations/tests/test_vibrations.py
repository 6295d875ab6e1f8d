"""Modes against the analytic dispersion of a crystal, Lanczos against dense, moduli, laws, and the analysis itself."""

import itertools
import json

import matplotlib as mpl
import numpy as np
import pytest
import scipy.linalg
from pelplug_vibrations.elastic import beta_harmonic, debye_level, first_phonon
from pelplug_vibrations.lanczos import largest_eigenpairs
from pelplug_vibrations.modes import all_modes, lowest_modes, participation_ratio
from pelplug_vibrations.spectrum import logarithmic_edges, power_law
from pelplug_vibrations.vibrations import Vibrations

import pelplug
import pelplug.testing
from pelplug.testing import parametrize_with_checks

mpl.use("Agg")
CELLS = 3


TENSION = 0.05


def spring(x, p):
    """k/2 (x - 1)**2 + t (x - 1)."""
    return 0.5 * p[0] * (x - 1.0) ** 2 + p[1] * (x - 1.0), p[0] * (x - 1.0) + p[1], p[0]


SPRING = pelplug.Form(name="spring", function=spring, parameters=("k", "t"), formula="k/2 (x - 1)^2 + t (x - 1)")


def springs(tension):
    return pelplug.PairPotential(
        SPRING, sigma=[[1.0]], cutoff=[[1.2]], parameters={"k": 1.0, "t": tension}, truncation="cut"
    )


def fcc(masses=None):
    """Nearest neighbours at distance one, to be tied by springs of stiffness one."""
    return pelplug.testing.crystal("fcc", CELLS, spacing=1.0).replace(masses=masses)


def fcc_frequencies():
    """All frequencies from the dynamical matrix of the primitive cell, at the wave vectors the periodic cell allows."""
    directions = np.array([v for v in itertools.product((-1, 0, 1), repeat=3) if np.abs(v).sum() == 2]) / np.sqrt(2)
    edge, found = np.sqrt(2.0), []
    primitive = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * edge
    seen = set()
    for m in itertools.product(range(-2 * CELLS, 2 * CELLS + 1), repeat=3):
        k = 2 * np.pi * np.array(m) / (CELLS * edge)
        # Wave vectors that differ by a reciprocal vector of the primitive cell are one.
        phases = tuple(np.round((primitive @ k / (2 * np.pi)) % 1.0, 9) % 1.0)
        if phases in seen:
            continue
        seen.add(phases)
        weight = 1.0 - np.cos(directions @ k)
        along = np.einsum("na,nb->nab", directions, directions)
        found.extend(np.linalg.eigvalsh(np.einsum("n,nab->ab", weight, along + TENSION * (np.eye(3) - along))))
    assert len(seen) == 4 * CELLS**3
    return np.sqrt(np.abs(np.sort(found)))


@pytest.fixture(scope="module")
def crystal():
    return pelplug.LinearResponse(fcc(), springs(TENSION))


def test_all_frequencies_of_an_fcc_crystal(crystal):
    expected = fcc_frequencies()
    assert (expected[:3] < 1e-7).all() and expected[3] > 0.1
    omega, vectors = all_modes(crystal.hessian, np.ones(108))
    np.testing.assert_allclose(omega, expected[3:], rtol=1e-10)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(321), atol=1e-10)
    # The trace of the Hessian: 12 neighbours, each with the bond's stiffness once and its tension twice.
    assert (omega**2).sum() == pytest.approx(crystal.hessian.diagonal().sum(), rel=1e-12)
    assert (omega**2).sum() == pytest.approx(108 * 12 * (1 + 2 * TENSION), rel=1e-12)
    heavier, _ = all_modes(crystal.hessian, np.full(108, 4.0))
    np.testing.assert_allclose(heavier, expected[3:] / 2, rtol=1e-10)


@pytest.mark.parametrize("count", [1, 7, 30, 61])
def test_lanczos_finds_every_copy_of_degenerate_modes(crystal, count):
    omega, vectors = lowest_modes(crystal, np.ones(108), count)
    np.testing.assert_allclose(omega, fcc_frequencies()[3 : 3 + count], rtol=1e-8)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-8)


@pytest.mark.parametrize(
    ("n", "count", "block", "copies"),
    [(300, 20, 8, 5), (300, 61, 16, 1), (40, 36, 8, 3), (200, 5, 8, 200), (60, 10, 8, 8)],
)
def test_lanczos_on_a_matrix_of_known_spectrum(n, count, block, copies):
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.repeat(1.0 / np.arange(1, n // copies + 2) ** 1.3, copies)[:n]
    matrix, off = (turn * values) @ turn.T, np.asfortranarray(turn[:, [2]])
    found, vectors = largest_eigenpairs(
        lambda x: matrix @ x, off, count, block=block, tolerance=1e-11, rng=np.random.default_rng(2)
    )
    np.testing.assert_allclose(found, np.delete(values, 2)[:count], rtol=1e-12)
    np.testing.assert_allclose(matrix @ vectors, vectors * found, atol=1e-10)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-12)
    np.testing.assert_allclose(off.T @ vectors, 0.0, atol=1e-12)


def test_moduli_of_the_crystal(crystal):
    # Springs between nearest neighbours of fcc, hardly any tension: C11 = 2k/a, C12 = C44 = k/a.
    edge, slack = np.sqrt(2.0), pelplug.LinearResponse(fcc(), springs(1e-6))
    np.testing.assert_allclose(pelplug.shear_modulus(slack).values, 1 / edge, rtol=1e-5)
    elastic = pelplug.elastic_constants(slack)
    assert (elastic.c11, elastic.c12, elastic.c44) == pytest.approx((2 / edge, 1 / edge, 1 / edge), rel=1e-5)
    assert elastic.bulk_modulus == pytest.approx(4 / (3 * edge), rel=1e-5)
    # The first phonon is the sound wave along a cubic axis, up to the lattice's sin(q)/q; under tension too.
    shear, state = pelplug.shear_modulus(crystal).mean, crystal.configuration
    q = np.pi / (2 * CELLS)
    expected = first_phonon(state.cell, shear, state.density) * np.sin(q) / q
    assert fcc_frequencies()[3] == pytest.approx(expected, rel=1e-8)


def test_bulk_modulus_under_pressure_is_that_of_the_energy():
    # A glass under pressure: d2U/dV2 by quenching larger and smaller cells.
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(150, 4, density=1.25)
    state = pelplug.quench(start, model.potential(start), "lbfgs").require_converged().configuration
    response = pelplug.LinearResponse(state, model.potential(state))
    s, energies = 2e-3, []
    for k in (-1, 0, 1):
        scaled = state.replace(positions=state.positions * (1 + k * s), cell=state.cell * (1 + k * s))
        energies.append(pelplug.quench(scaled, model.potential(scaled), "lbfgs").require_converged().energy)
    volumes = state.volume * (1 + s * np.array([-1, 0, 1])) ** 3
    curvature = 2 * np.polyfit(volumes - volumes[1], energies, 2)[0]
    assert pelplug.elastic_constants(response).bulk_modulus == pytest.approx(curvature * volumes[1], rel=2e-2)


def test_mixed_masses_against_the_generalised_eigenproblem():
    model = pelplug.model("inverse-power-law-2d")
    rng = np.random.default_rng(1)
    start = model.random_configuration(80, rng).replace(masses=rng.uniform(0.5, 4.0, size=80))
    state = pelplug.quench(start, model.potential(start), "lbfgs").require_converged().configuration
    response = pelplug.LinearResponse(state, model.potential(state))
    dense = response.hessian.toarray()
    expected = scipy.linalg.eigh(dense, np.diag(np.repeat(response.backbone.masses, 2)), eigvals_only=True)
    n = response.backbone.n
    omega, _ = all_modes(response.hessian, response.backbone.masses)
    np.testing.assert_allclose(omega**2, expected[2:], rtol=1e-8)
    low, vectors = lowest_modes(response, response.backbone.masses, 25)
    np.testing.assert_allclose(low**2, expected[2:27], rtol=1e-7)
    drift = (vectors.reshape(n, 2, -1) * np.sqrt(response.backbone.masses)[:, None, None]).sum(axis=0)
    np.testing.assert_allclose(drift, 0.0, atol=1e-9)


def test_participation_ratios():
    n = 64
    one = np.zeros((n, 3))
    one[5, 1] = 1.0
    wave = np.zeros((n, 3))
    wave[:, 0] = np.cos(2 * np.pi * 3 * np.arange(n) / n)
    circular = np.stack([np.cos(np.arange(n)), np.sin(np.arange(n)), np.zeros(n)], axis=1)
    vectors = np.stack([one.ravel(), wave.ravel(), circular.ravel()], axis=1)
    np.testing.assert_allclose(participation_ratio(vectors, 3), [1 / n, 2 / 3, 1.0], rtol=1e-12)


def test_power_law_of_drawn_frequencies():
    rng = np.random.default_rng(3)
    low = rng.uniform(size=(400, 200)) ** 0.2
    exponents = power_law(200, -np.log(low).sum(axis=1))
    # Maximum likelihood of n modes: s + 1 scatters by 1/sqrt(n - 2) of itself.
    assert exponents.mean() == pytest.approx(4.0, abs=0.06)
    assert exponents.std() == pytest.approx(5.0 / np.sqrt(198), rel=0.15)
    assert np.isnan(power_law(2, 1.0))
    assert beta_harmonic(1) == 1.0 and beta_harmonic(2) == 1.25


def test_debye_level_counts_the_waves_of_a_box():
    # Waves with speeds c_T (twice) and c_L in a box: count them.
    shear, bulk, density, edge = 0.7, 2.0, 1.3, 40.0
    speeds = np.sqrt([shear / density, shear / density, (bulk + 4 * shear / 3) / density])
    m = np.array([v for v in itertools.product(range(-12, 13), repeat=3) if any(v)])
    k = 2 * np.pi / edge * np.linalg.norm(m, axis=1)
    limit = 2 * np.pi / edge * 11.0 * speeds.min()
    counted = sum(np.count_nonzero(c * k < limit) for c in speeds)
    level = debye_level(3, edge**3, 10_000, shear, bulk, density)
    assert counted / 10_000 == pytest.approx(level * limit**3 / 3, rel=0.03)
    assert np.isnan(debye_level(3, 1.0, 10, -1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", truncation="smooth")


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    return pelplug.testing.make_trajectory(tmp_path_factory.mktemp("vibrations") / "traj.gsd", n=150, frames=2)


def run(trajectory, **options):
    return pelplug.analyze("vibrations", trajectory, **options)


@pytest.fixture(scope="module")
def dataset(trajectory, model):
    return run(trajectory, model=model, vectors=2)


@parametrize_with_checks([Vibrations])
def test_keeps_the_contract(check):
    check()


def test_whole_spectrum(dataset, model):
    total = 3 * 149
    assert dataset.sizes["mode"] == 2 * total
    edges = dataset["omega_edges"].values
    assert (dataset["density_of_states"].values * np.diff(edges)).sum() == pytest.approx(1.0)
    for label in (0, 1):
        omega = dataset["omega"].values[dataset["mode_frame"].values == label]
        assert (np.diff(omega) >= 0).all() and omega[0] > 0.1
    assert dataset["polarisation"].shape == (2, 2, 150, 3)
    ratio = participation_ratio(dataset["polarisation"].values[0].reshape(2, -1).T, 3)
    np.testing.assert_allclose(ratio, dataset["participation_ratio"].values[:2])
    assert float(dataset["beta_harm"]) == 1.25
    assert json.loads(dataset.attrs["quench"])["method"] == "fire"
    np.testing.assert_array_equal(dataset["n_rattlers"], 0)


def test_first_phonon_does_not_depend_on_the_cell_vectors():
    rng = np.random.default_rng(3)
    for d in (2, 3):
        cell = np.diag(rng.uniform(4, 6, d)) + 0.3 * rng.normal(size=(d, d))
        other = np.eye(d, dtype=int)
        other[1, 0], other[0, 1] = 3, 0
        other = np.array([[1, 2], [0, 1]] if d == 2 else [[1, 2, 0], [0, 1, 0], [0, 0, 1]]) @ other
        assert abs(round(np.linalg.det(other))) == 1
        grid = itertools.product(range(-9, 10), repeat=d)
        waves = 2 * np.pi * np.array([m for m in grid if any(m)]) @ np.linalg.inv(cell).T
        expected = np.linalg.norm(waves, axis=1).min() * np.sqrt(2.0 / 0.5)
        for one in (cell, other @ cell):
            assert first_phonon(one, 2.0, 0.5) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("bins", [6, 12, 40])
@pytest.mark.parametrize(("power", "rel"), [(1, 0.02), (2, 0.05), (4, 0.12)])
def test_density_of_states_of_known_spectra_does_not_shift_with_the_bins(bins, power, rel):
    """D(omega) = (s + 1) omega**s up to 1, as evenly as N modes can have it."""
    omega = ((np.arange(200_000) + 0.5) / 200_000) ** (1 / (power + 1))
    omega = omega[omega > 0.3]  # lower ones are few
    edges = logarithmic_edges(omega, bins, np.inf)
    assert len(edges) == bins + 1 and edges[0] <= omega[0] and omega[-1] <= edges[-1]
    inner = slice(1, -2)
    density = np.histogram(omega, edges)[0] / (200_000 * np.diff(edges))
    middle = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(density[inner], (power + 1) * middle[inner] ** power, rtol=rel)


def test_density_of_states_is_the_histogram_of_the_modes(dataset):
    omega, edges = dataset["omega"].values, dataset["omega_edges"].values
    expected = np.histogram(omega, edges)[0]
    assert expected.sum() == omega.size
    np.testing.assert_array_equal(dataset["counts"], expected)
    np.testing.assert_allclose(dataset["density_of_states"], expected / (omega.size * np.diff(edges)), rtol=1e-12)
    np.testing.assert_allclose(dataset["omega_bin"], (edges[1:] + edges[:-1]) / 2, rtol=1e-12)


def test_elastic_constants_of_each_frame(dataset):
    bulk = (dataset["c11"] + 2 * dataset["c12"]) / 3
    np.testing.assert_allclose(dataset["bulk_modulus"], bulk, rtol=1e-12)
    np.testing.assert_allclose(
        dataset["shear_modulus_average"], (dataset["c11"] - dataset["c12"] + 3 * dataset["c44"]) / 5, rtol=1e-10
    )
    assert dataset["stress_component"].values.tolist() == ["xx", "yy", "zz", "yz", "xz", "xy"]
    coefficients = dataset["stress_strain_coefficients"]
    one = coefficients.isel(frame=0).sel(stress_component="xy", strain_component="xy")
    planes = [coefficients.isel(frame=0).values[k, k] for k in (3, 4, 5)]
    assert float(one) == planes[2] and float(dataset["c44"][0]) == pytest.approx(np.mean(planes))
    # Simple shears carry the stress along another axis than symmetric ones, so their mean differs by little.
    assert float(dataset["shear_modulus"][0]) == pytest.approx(float(dataset["c44"][0]), rel=0.05)
    assert coefficients.attrs["units"] == "energy / length**3"
    assert set(dataset["elastic_origin"].values) == {"analytic"}


def test_lowest_modes_are_those_of_the_whole_spectrum(dataset, trajectory, model):
    for solver in ("dense", "sparse"):
        low = run(trajectory, model=model, modes=40, solver=solver)
        assert set(low["solver"].values) == {solver}
        for label in (0, 1):
            mine = low["omega"].values[low["mode_frame"].values == label]
            whole = dataset["omega"].values[dataset["mode_frame"].values == label]
            np.testing.assert_allclose(mine, whole[:40], rtol=1e-7)
        # D(omega) has the same height although most modes are unknown: the share below the last edge.
        share = (low["density_of_states"].values * np.diff(low["omega_edges"].values)).sum()
        below = np.count_nonzero(dataset["omega"].values <= float(low["omega_known"].min()) * (1 + 1e-7))
        assert share == pytest.approx(below / (2 * 447), rel=1e-9)


def test_most_modes_but_not_all(dataset, trajectory, model):
    most = run(trajectory, model=model, modes=400, stop=1)
    np.testing.assert_allclose(most["omega"], dataset["omega"][:400], rtol=1e-10)
    assert float(most["omega_known"][0]) == pytest.approx(float(dataset["omega"][400]))


def test_a_state_that_is_no_minimum_is_refused(trajectory, model):
    quenched = pelplug.analyze("inherent-structures", trajectory, model=model, stop=1, force_tolerance=1e-2)
    analysis = Vibrations(pelplug.open_trajectory(trajectory), model=model, inputs={"inherent-structures": quenched})
    with pytest.raises(pelplug.NotAMinimumError, match="not a minimum"):
        analysis.run(stop=1)


def test_too_many_modes_are_refused(trajectory, model):
    with pytest.raises(pelplug.InputError, match="447 modes"):
        run(trajectory, model=model, modes=448, stop=1)
    with pytest.raises(pelplug.InputError, match="--vectors"):
        run(trajectory, model=model, modes=5, vectors=6, stop=1)
    with pytest.raises(pelplug.InputError, match="modes"):
        Vibrations(trajectory, model=model, modes=0)


def test_two_dimensions_and_figure(tmp_path):
    path = pelplug.testing.make_trajectory(tmp_path / "flat.gsd", model="inverse-power-law-2d", n=120, frames=1)
    result = run(path, model=pelplug.model("inverse-power-law-2d"))
    assert float(result["beta_harm"]) == 1.0
    figure = Vibrations.from_dataset(result).figure()
    figure.savefig(tmp_path / "flat.png", dpi=50)
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    y = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(y, result["density_of_states"].values[result["counts"].values > 0])


def test_rattlers_take_no_part(tmp_path):
    # Compressed spheres, one of them so small that it touches nothing in its cage.
    crystal, rng = fcc(), np.random.default_rng(0)
    diameters = np.ones(108)
    diameters[0] = 0.3
    state = pelplug.Configuration(0.97 * crystal.positions + rng.normal(scale=1e-3, size=(108, 3)), 0.97 * crystal.cell,
                                  ["A"] * 108, diameters=diameters, frame=0, step=0)  # fmt: skip
    path = tmp_path / "rattler.gsd"
    model = pelplug.model("harmonic-spheres", dimension=3, sizes="additive")
    pelplug.write_trajectory(path, [state], model_record=model.to_dict())
    result = run(path, vectors=1)
    assert int(result["n_rattlers"][0]) == 1
    assert int(result["n_modes"][0]) == 3 * 106 == result.sizes["mode"]
    length = np.linalg.norm(result["polarisation"].values[0, 0], axis=1)
    assert length[0] == 0.0 and (length[1:] > 0).all()
