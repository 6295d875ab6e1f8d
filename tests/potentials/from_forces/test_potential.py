"""FromForces as a potential: what is taken from the inner one, what is refused, records, workers, products."""

import json
import os
import pickle
import sys

import numpy as np
import pytest
import scipy.sparse
from oracles.installed import SOURCES

import pelplug
from pelplug.potentials.from_forces.potential import completed
from pelplug.testing import states

MODEL = pelplug.model("kob-andersen", truncation="smooth")
BUILT_IN = MODEL.potential(MODEL.random_configuration(10, 1))


class Only(pelplug.Potential):
    """The built-in form of which energy and forces alone are known; ``wrong`` changes what it answers."""

    def __init__(self, wrong=None, seed=0):
        self.wrong, self.rng = wrong, np.random.default_rng(seed)

    def record(self):
        return {"potential": "only"}

    def energy_forces(self, configuration):
        energy, forces = BUILT_IN.energy_forces(configuration)
        return (energy, forces) if self.wrong is None else self.wrong(self, configuration, energy, forces)


@pytest.fixture(scope="module")
def state():
    start = MODEL.random_configuration(220, 5)
    return pelplug.quench(start, MODEL.potential(start)).require_converged().configuration.wrapped()


@pytest.fixture(scope="module")
def exact(state):
    return MODEL.potential(state)


# --- what the potential can itself --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "bsr", "dense"])
def test_a_hessian_of_its_own_in_any_format(state, exact, form):
    class WithHessian(Only):
        capabilities = pelplug.Capability.HESSIAN

        def hessian(self, configuration):
            found = BUILT_IN.hessian(configuration)
            return found.toarray() if form == "dense" else found.asformat(form)

    response = pelplug.LinearResponse(state, WithHessian())
    assert response.hessian.format == "bsr" and response.hessian.blocksize == (3, 3)
    true = pelplug.LinearResponse(state, exact)
    kappa, expected = pelplug.dipole_stiffness(response), pelplug.dipole_stiffness(true)
    assert kappa.mean == pytest.approx(expected.mean, rel=1e-9) and kappa.errors is None
    np.testing.assert_allclose(kappa.kappa_i, expected.kappa_i, rtol=1e-8)
    np.testing.assert_allclose(pelplug.shear_modulus(response).values, pelplug.shear_modulus(true).values, rtol=1e-6)
    assert pelplug.soft_modes(response, kappa, 4).stiffness[0] == pytest.approx(
        pelplug.soft_modes(true, expected, 4).stiffness[0], rel=1e-8
    )
    assert response.potential.found()["hessian"] == "the potential's own"


def change(matrix, what):
    if what == "asymmetric":
        matrix = matrix.tolil()
        matrix[0, 4] += 1.0
    if what == "shape":
        matrix = matrix.tocsr()[:-3, :-3]
    if what == "nan":
        matrix.data[3] = np.nan
    if what == "outside":
        matrix = matrix + scipy.sparse.identity(matrix.shape[0])
    if what == "raises":
        raise RuntimeError("no licence")
    return matrix


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("asymmetric", "not symmetric"),
        ("shape", r"shape \(657, 657\) for 220 particles"),
        ("nan", "not finite"),
        ("outside", "a translation of all particles costs energy"),
        ("raises", r"fails in hessian\(\) \(RuntimeError: no licence\)"),
    ],
)
def test_a_hessian_of_its_own_that_is_none(state, what, words):
    class WithHessian(Only):
        capabilities = pelplug.Capability.HESSIAN

        def hessian(self, configuration):
            return change(BUILT_IN.hessian(configuration).copy(), what)

    with pytest.raises(pelplug.InputError, match=words):
        pelplug.FromForces(WithHessian()).hessian(state)


@pytest.mark.parametrize("method", ["pairs", "strain_derivatives", "evaluator"])
def test_a_capability_that_is_declared_and_raises(state, method):
    name = {"pairs": "PAIRS", "strain_derivatives": "STRAIN", "evaluator": "EVALUATOR"}[method]

    class Broken(Only):
        capabilities = pelplug.Capability[name]

    def fails(self, configuration):
        raise ZeroDivisionError("oh")

    setattr(Broken, method, fails)
    made = pelplug.FromForces(Broken())
    with pytest.raises(pelplug.InputError, match=rf"Broken .*{method}.*: oh"):
        (made.hessian if method == "evaluator" else getattr(made, method))(state)


def test_only_what_is_missing_is_made(exact):
    assert completed(exact) is exact
    made = completed(Only())
    assert isinstance(made, pelplug.FromForces) and completed(made) is made
    assert pelplug.FromForces(made).potential is made.potential


def test_record_settings_and_a_copy(state):
    made = pelplug.FromForces(Only(), reach=2.6, seed=3, workers=1)
    record = made.record()
    assert record["potential"] == "only" and json.loads(json.dumps(record)) == record
    assert record["derivatives"] == {
        "method": "differences of forces", "reach": 2.6, "hessian": "auto", "tolerance": 1e-3, "seed": 3
    }  # fmt: skip
    made.hessian(state)
    copy = pickle.loads(pickle.dumps(made))
    assert copy.record() == record and copy.found() == {} and made.found()["colours"] > 10
    for bad in ({"reach": -1.0}, {"reach": "far"}, {"tolerance": 0.0}, {"workers": 0}, {"hessian": "half"}):
        with pytest.raises(pelplug.InputError, match=next(iter(bad))):
            pelplug.FromForces(Only(), **bad)
    with pytest.raises(pelplug.InputError, match="is no potential"):
        pelplug.FromForces(3)


# --- bad input ----------------------------------------------------------------------------------------------------


def twice(self, configuration, energy, forces):
    return energy, 2.0 * forces


def swirl(self, configuration, energy, forces):
    x = configuration.positions - configuration.positions.mean(axis=0)
    return energy, forces + 5.0 * np.cross([0, 0, 1.0], np.sin(2 * np.pi * x @ np.linalg.inv(configuration.cell)))


def nan(self, configuration, energy, forces):
    forces[7, 1] = np.nan
    return energy, forces


def endless(self, configuration, energy, forces):
    return np.inf, forces


def short(self, configuration, energy, forces):
    return energy, forces[:-1]


def fails(self, configuration, energy, forces):
    raise OSError("the licence server does not answer")


def walls(self, configuration, energy, forces):
    pull = np.sin(2 * np.pi * configuration.fractional())
    return energy - np.cos(
        2 * np.pi * configuration.fractional()
    ).sum(), forces - pull * 2 * np.pi / configuration.cell[0, 0]


def very_noisy(self, configuration, energy, forces):
    return energy, forces + self.rng.normal(scale=0.5, size=forces.shape)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (twice, "not the derivative of its energy"),
        (swirl, "fails its check|not the derivative"),
        (nan, "no finite force on particle 7"),
        (endless, "no finite energy"),
        (short, r"of shape \(219, 3\)"),
        (fails, r"the licence server does not answer"),
        (walls, "leave out what acts from outside"),
        (very_noisy, "double precision"),
    ],
)
def test_wrong_potentials_are_refused(state, wrong, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.LinearResponse(state, Only(wrong))


def test_a_reach_that_is_too_small_is_refused_with_one_that_works(state):
    with pytest.raises(pelplug.InputError, match=r"too small: .*give reach=") as refusal:
        pelplug.FromForces(Only(), reach=1.9).hessian(state)
    better = float(str(refusal.value).partition("give reach=")[2].split()[0])
    assert pelplug.FromForces(Only(), reach=better).hessian(state).shape == (660, 660)


def test_forces_in_single_precision_have_larger_errors_and_say_so(state, exact):
    def single(self, configuration, energy, forces):
        return round(energy, 4), np.round(forces, 5)  # a sum of many terms in single precision has such a grain

    made = pelplug.FromForces(Only(single), tolerance=1e-2)
    found, true = made.hessian(state), exact.hessian(state)
    off = scipy.sparse.linalg.norm(found - true) / scipy.sparse.linalg.norm(true)
    report = made.found()
    assert report["noise_of_forces"] > 1e-8 and report["step"] > 1e-4
    assert 1e-7 < off < max(3.0 * report["expected_error"], report["second_step"]) < 1e-2
    response = pelplug.LinearResponse(state, made)
    kappa, expected = pelplug.dipole_stiffness(response), pelplug.dipole_stiffness(pelplug.LinearResponse(state, exact))
    assert abs(kappa.mean / expected.mean - 1.0) < kappa.errors["kappa_mean"] < 0.2
    assert np.abs(kappa.kappa_i / expected.kappa_i - 1.0).max() < kappa.errors["kappa_i"]
    assert made.found()["pairs"] == "central" and made.found()["uncertain_pairs"] > 0
    shear, true_shear = pelplug.shear_modulus(response), pelplug.shear_modulus(pelplug.LinearResponse(state, exact))
    assert np.all(np.abs(shear.values - true_shear.values) < shear.errors)


def test_a_frame_that_fails_fails_alone(state, tmp_path):
    file = tmp_path / "t.nc"
    pelplug.write_trajectory(file, [state.replace(step=k, masses=np.full(220, 1.0 + (k == 1))) for k in range(3)])

    def once(self, configuration, energy, forces):
        if configuration.masses is not None and configuration.masses[0] == 2.0:
            raise OSError("no such table")
        return energy, forces

    found = pelplug.analyze("kappa", file, potential=Only(once), pairs=20)
    assert list(found["frame"].values) == [0, 2]
    assert "no such table" in json.loads(found.attrs["failed_frames"])["1"]
    assert set(json.loads(found.attrs["derivatives"])["frames"]) == {"0", "2"}


# --- processes and products ---------------------------------------------------------------------------------------


def test_columns_in_worker_processes_are_the_same(state):
    sys.path.insert(0, str(SOURCES))
    try:
        from pelplug_calculator import Calculator

        here = pelplug.FromForces(Calculator(), workers=1)
        there = pelplug.FromForces(Calculator(), workers=2)
        difference = abs(here.hessian(state) - there.hessian(state)).max()
    finally:
        sys.path.remove(str(SOURCES))
    assert difference == 0.0
    assert here.found()["evaluations"] == there.found()["evaluations"]


class Local(Only):
    """A potential with a handle that no other process can have, and one that says where it was asked."""

    def __init__(self):
        super().__init__()
        self.handle, self.asked = open(os.devnull), set()  # noqa: SIM115

    def energy_forces(self, configuration):
        self.asked.add(os.getpid())
        return super().energy_forces(configuration)


def test_a_handle_stays_in_its_process(state, monkeypatch):
    monkeypatch.setattr("pelplug.potentials.from_forces.columns._WORTH_IT", 0.0)
    potential = Local()
    assert pelplug.FromForces(potential).hessian(state).shape == (660, 660)
    assert potential.asked == {os.getpid()}
    potential.handle.close()
    with pytest.raises(pelplug.InputError, match="cannot be sent"):
        pelplug.FromForces(potential, workers=2).hessian(state)


def test_products_without_a_matrix(state, exact):
    class WithCutoff(Only):
        cutoff = 2.5

    made = pelplug.FromForces(WithCutoff(), hessian="products")
    operator = made.products(state)
    vector = np.random.default_rng(0).normal(size=660)
    np.testing.assert_allclose(operator @ vector, exact.hessian(state) @ vector, atol=1e-5)
    response = pelplug.LinearResponse(state, made, solver="cg", pairs=5)
    assert response.factor.solver == "cg" and not scipy.sparse.issparse(response.hessian)
    true = pelplug.LinearResponse(state, exact)
    force = np.random.default_rng(1).normal(size=(660, 2))
    found, expected = response.factor.solve(force), true.factor.solve(force)
    assert np.linalg.norm(found - expected) < 1e-5 * np.linalg.norm(expected)
    np.testing.assert_allclose(pelplug.shear_modulus(response).values, pelplug.shear_modulus(true).values, rtol=1e-5)
    with pytest.raises(pelplug.InputError, match="choose the solver cg"):
        pelplug.LinearResponse(state, made, solver="dense")
    with pytest.raises(pelplug.InputError, match="declare it"):
        pelplug.LinearResponse(state, pelplug.FromForces(Only(), hessian="products"), solver="cg", pairs=5)


def test_products_are_chosen_where_they_ask_less(state, monkeypatch):
    class WithCutoff(Only):
        cutoff = 2.5

    monkeypatch.setattr("pelplug.landscape.hessian.response.expected_iterations", lambda n, d: 1.0)
    assert not scipy.sparse.issparse(pelplug.LinearResponse(state, WithCutoff(), solver="cg", pairs=2).hessian)
    assert scipy.sparse.issparse(pelplug.LinearResponse(state, WithCutoff(), solver="dense").hessian)


def test_other_states_and_a_crowd_of_particles_at_one_point():
    c = states.liquid(30)
    together = c.replace(positions=np.zeros_like(c.positions))
    with pytest.raises(pelplug.InputError):
        pelplug.FromForces(Only()).hessian(together)
