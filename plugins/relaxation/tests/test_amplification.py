"""Distance to the end and growth of a displacement, against springs, a saddle and the law that bounds a path."""

import json

import numpy as np
import pytest
from pelplug_relaxation.amplification import LARGER, amplification, rms_distance
from pelplug_relaxation.relaxation import Relaxation

import pelplug

N, EDGE = 6, 20.0


class Springs(pelplug.Potential):
    """U = 1/2 sum_ij K_ij u_i u_j for each component, u = r - R; K a Laplacian, so that drift costs nothing."""

    def __init__(self, laplacian, rest):
        self.laplacian, self.rest = laplacian, rest

    def record(self):
        return {"springs": self.laplacian.tolist()}

    def energy_forces(self, configuration):
        moved = configuration.positions - self.rest
        forces = -self.laplacian @ moved
        return float(-0.5 * np.sum(moved * forces)) + 1.0, forces


class DoubleWell(pelplug.Potential):
    """Two particles: U = -a s^2 / 2 + b s^4 / 4 + c (y^2 + z^2) / 2 of the second from the first."""

    a, b, c = 1.0, 1.0, 2.0

    def record(self):
        return {"double well": [self.a, self.b, self.c]}

    def energy_forces(self, configuration):
        s, *rest = configuration.positions[1] - configuration.positions[0]
        rest = np.array(rest)
        pull = np.array([self.a * s - self.b * s**3, *(-self.c * rest)])
        return -0.5 * self.a * s**2 + 0.25 * self.b * s**4 + 0.5 * self.c * float(rest @ rest), np.array([-pull, pull])


@pytest.fixture(scope="module")
def springs():
    rng = np.random.default_rng(5)
    weight = np.triu(rng.uniform(0.2, 1.0, (N, N)), 1)
    weight += weight.T
    rest = EDGE / 2 + rng.uniform(-2, 2, (N, 3))
    potential = Springs(np.diag(weight.sum(axis=0)) - weight, rest)
    start = pelplug.Configuration(rest + rng.normal(scale=0.1, size=(N, 3)), np.full(3, EDGE), np.full(N, "A"), frame=0)
    return potential, start


def exact(potential, times, displacement):
    """Return the rms of exp(-K t) of a displacement without drift."""
    values, vectors = np.linalg.eigh(potential.laplacian)
    shares = vectors.T @ (displacement - displacement.mean(axis=0))
    square = np.sum(shares**2, axis=1)[1:]
    return np.sqrt(np.exp(-2.0 * np.outer(times, values[1:])) @ square / N)


TIMES = np.geomspace(0.01, 3.0, 25)


def test_springs_are_left_and_forgotten_at_their_rates(springs, tmp_path):
    potential, start = springs
    states = [start, start.replace(frame=1, step=1)]
    pelplug.write_trajectory(tmp_path / "springs.nc", states)
    options = {"t_end": 3.0, "rtol": 1e-5, "amplification": 1e-4, "direction_seed": 3, "t_min": 0.1, "t_max": 1.0}
    analysis = Relaxation(tmp_path / "springs.nc", potential=potential, **options).run()
    found = analysis.to_dataset()
    times = found["descent_time"].values
    np.testing.assert_allclose(
        found["distance_to_end"][0], exact(potential, times, start.positions - potential.rest), rtol=1e-3
    )
    direction = np.random.default_rng([3, 0]).standard_normal((N, 3))
    direction -= direction.mean(axis=0)
    direction /= np.sqrt(np.mean(np.sum(direction**2, axis=1)))
    for name in ("amplification", "amplification_larger"):
        np.testing.assert_allclose(found[name][0], exact(potential, times, direction), rtol=1e-3)
    assert found["same_minimum"].values.tolist() == [1, 1]
    assert float(found["different_minima"]) == 0 and np.isnan(found["different_minima_error"])
    assert "share of none or all" in found.attrs["not_found"]
    assert np.all(found["linear_amplification"] < 1e-5)
    # Other frames get other directions.
    assert np.abs(found["amplification"][1] / found["amplification"][0] - 1).max() > 0.01
    np.testing.assert_allclose(found["mean_log_amplification"], np.log(found["amplification"]).mean("frame"))
    assert len(analysis.figure().axes) == 5


def pair(s):
    return pelplug.Configuration(
        np.array([[5.0, 5.0, 5.0], [5.0 + s, 5.2, 5.0]]), np.full(3, 10.0), np.full(2, "A"), frame=0
    )


def shares_of_the_direction(seed):
    """Return the displacement of the second particle from the first, along each axis, for a size of one."""
    direction = np.random.default_rng([seed, 0]).standard_normal((2, 3))
    direction -= direction.mean(axis=0)
    direction /= np.sqrt(np.mean(np.sum(direction**2, axis=1)))
    return direction[1] - direction[0]


def test_a_saddle_amplifies_at_its_rate():
    # ds/dt = 2 (a s - b s^3): near s = 0 a difference grows as exp(2 a t); those in y and z shrink.
    well, s, seed, size = DoubleWell(), 1e-3, 1, 1e-8
    found = amplification(pair(s), well, TIMES, size, seed, rtol=1e-5, force_tolerance=1e-9)
    share = shares_of_the_direction(seed)
    # The solution in s: s^2 (t) = a / (b + (a / s0^2 - b) exp(-4 a t)), differentiated.
    rest = (well.a / s**2 - well.b) * np.exp(-4 * well.a * TIMES)
    along = (well.a / (well.b + rest)) ** 1.5 * np.exp(-4 * well.a * TIMES) / s**3
    across = np.exp(-2 * well.c * TIMES)
    expected = np.sqrt((share[0] * along) ** 2 + (share[1] ** 2 + share[2] ** 2) * across**2) / 2.0
    np.testing.assert_allclose(found["amplification"], expected, rtol=2e-3)
    np.testing.assert_allclose(found["amplification_larger"], expected, rtol=5e-3)
    early = TIMES < 1.0
    assert along[early][-1] == pytest.approx(np.exp(2 * TIMES[early][-1]), rel=0.01)
    assert found["same_minimum"] == 1 and found["end_amplification"] < 1e-3


def test_two_minima_bound_the_amplification():
    well, seed, size = DoubleWell(), 1, 1e-6
    s = -1e-8 * np.sign(shares_of_the_direction(seed)[0])  # the displaced start is on the other side of the saddle
    found = amplification(pair(s), well, TIMES, size, seed, rtol=1e-4, force_tolerance=1e-9)
    assert found["same_minimum"] == 0
    assert np.isnan(found["linear_amplification"])
    # The minima are at s = -1 and 1, each particle of the pair half as far from its place in the other.
    assert found["end_distance"] == pytest.approx(1.0, rel=1e-6)
    assert found["end_amplification"] == pytest.approx(LARGER * found["end_amplification_larger"], rel=1e-6)


def test_the_way_is_no_shorter_than_the_distance(tmp_path):
    model = pelplug.model("harmonic-spheres", dimension=2)
    frames = [model.random_configuration(100, seed, arrangement="random") for seed in range(3)]
    frames = [one.replace(diameters=frames[0].diameters, frame=k, step=k) for k, one in enumerate(frames)]
    path = tmp_path / "random.nc"
    pelplug.write_trajectory(path, frames, model_record=model.to_dict())
    options = {"rtol": 1e-2, "per_decade": 20, "t_end": 1e5, "amplification": 1e-7}
    found = Relaxation(path, model=model, **options).run().to_dataset()
    times, distance = found["descent_time"].values, found["distance_to_end"].values
    velocity = found["rms_velocity"].values
    # |r(t) - r(end)| is at most the integral of v from t on, and at least what one step shows.
    steps = 0.5 * (velocity * times)[:, 1:] + 0.5 * (velocity * times)[:, :-1]
    way = np.cumsum((steps * np.diff(np.log(times)))[:, ::-1], axis=1)[:, ::-1]
    assert np.all(distance[:, :-1] <= 1.02 * way + 1e-12)
    assert np.all(distance[:, 0] > 0.1 * way[:, 0])
    for k, start in enumerate(frames):
        apart = rms_distance(found["positions"].values[k], start.wrapped().positions)
        assert distance[k, 0] == pytest.approx(apart, rel=0.05)  # at t = 0.01 little has happened
    assert float(found["distance_exponent"]) > 0
    # Chaos: from random starts displacements of 1e-7 grow, and some end elsewhere; a bound is the distance there.
    assert np.all(found["end_amplification"] * 1e-7 == pytest.approx(found["end_distance"].values))
    assert found["amplification"].values.max() > 3
    assert not found["linear_amplification"][found["same_minimum"] == 0].notnull().any()


def test_without_an_end_there_is_no_distance(tmp_path):
    model = pelplug.model("harmonic-spheres", dimension=2)
    start = model.random_configuration(60, 1, arrangement="random")
    pelplug.write_trajectory(tmp_path / "one.nc", [start], model_record=model.to_dict())
    found = Relaxation(tmp_path / "one.nc", model=model, to_minimum=False, t_end=1.0).run().to_dataset()
    assert np.isnan(found["distance_to_end"]).all() and "mean_distance_to_end" not in found
    assert any("did not come to theirs" in said for said in json.loads(found.attrs["not_found"]))
    with pytest.raises(pelplug.InputError, match="amplification"):
        Relaxation(tmp_path / "one.nc", model=model, to_minimum=False, amplification=1e-6)
