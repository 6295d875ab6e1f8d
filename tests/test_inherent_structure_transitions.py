"""Bisection against the dense quench, on a short run of a supercooled liquid by LAMMPS."""

import numpy as np
import oracles
import pytest

import pelplug

NAME = "inherent-structure-transitions"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("supercooled")
    return oracles.supercooled_run(folder / "ka65.gsd", 65, 0.55, every=10, frames=400, settle=10_000)


@pytest.fixture(scope="module")
def dense(path):
    return pelplug.analyze(NAME, path, dt=0.005, search="all", temperature=0.55)


def test_bisection_gives_the_transitions_of_the_dense_quench(path, dense):
    assert dense.sizes["transition"] > 5
    pure = pelplug.analyze(NAME, path, dt=0.005, sample=0)
    lost, rate = oracles.compare_searches(dense, pure)
    assert dense.sizes["transition"] - lost == pure.sizes["transition"] > 0
    skipped = int(pure["skipped"])
    # The whole of the skipped frames as the sample: the rate is the true one.
    everything = pelplug.analyze(NAME, path, dt=0.005, sample=10_000)
    assert int(everything["missed"]) == round(rate * skipped)
    assert float(everything["miss_rate_low"]) <= rate <= float(everything["miss_rate_high"])
    assert float(everything["missed_transitions"]) == pytest.approx(lost)
    np.testing.assert_array_equal(everything["structure"], dense["structure"])


def test_structures_are_those_of_the_plain_quench(path, dense):
    plain = pelplug.analyze("inherent-structures", path, dt=0.005)
    np.testing.assert_allclose(dense["energy"], plain["energy"], atol=1e-9)
    assert float(dense["mean_energy"]) == pytest.approx(float(plain["mean_energy"]))
    assert float(dense["variance_energy"]) == pytest.approx(float(plain["variance_energy"]))
    # Continuous: image flags unwrap the plain ones, the visits need none.
    first = plain["positions"].sel(frame=dense["visit_first"].values).values
    first = first - first.mean(axis=1, keepdims=True)
    visits = dense["positions"].values - dense["positions"].values.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(visits, first, atol=1e-5)
