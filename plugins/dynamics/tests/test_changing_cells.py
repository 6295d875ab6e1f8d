"""Cells that shrink, and parts of the result that fail alone."""

import json

import numpy as np
import pytest
from pelplug_dynamics import dynamics, structure, van_hove
from pelplug_dynamics.dynamics import Dynamics

import pelplug
from pelplug.testing import parametrize_with_checks

N = 60


@pytest.fixture(scope="module")
def shrinking(tmp_path_factory):
    """A walk in a cell that loses a tenth of its edges, at constant fractional positions but for small steps."""
    rng = np.random.default_rng(0)
    fractional = rng.uniform(0, 1, (N, 3)) + np.cumsum(rng.normal(0, 0.003, (8, N, 3)), axis=0)
    lengths = 6.0 * np.linspace(1.0, 0.9, 8)[:, None] * [1.0, 1.1, 1.3]
    states = [
        pelplug.Configuration(
            (f % 1) * edge, edge, ["A"] * N, images=np.floor(f).astype(int), step=k, time=float(k), masses=np.ones(N)
        )
        for k, (f, edge) in enumerate(zip(fractional, lengths, strict=True))
    ]
    path = tmp_path_factory.mktemp("npt") / "a.nc"
    pelplug.write_trajectory(path, states)
    return path, states


def test_g_of_r_reaches_half_the_least_height(shrinking):
    path, states = shrinking
    found = pelplug.analyze("dynamics", path, min_origins=1)
    edge = found.r.values[-1] + 0.5 * np.diff(found.r.values)[0]
    assert edge == pytest.approx(0.499 * min(state.heights.min() for state in states), rel=1e-6)
    # Every pair of every frame by its nearest image, over that of an ideal gas.
    width = np.diff(found.r.values)[0]
    edges = np.append(found.r.values - width / 2, edge)
    expected = []
    for state in states:
        apart = state.positions[:, None] - state.positions[None]
        lengths = np.diag(state.cell)
        apart -= lengths * np.rint(apart / lengths)
        counts, _ = np.histogram(np.sqrt((apart**2).sum(axis=2))[~np.eye(N, dtype=bool)], edges)
        shell = 4 / 3 * np.pi * np.diff(edges**3) / state.volume
        expected.append(counts / (N * (N - 1) * shell))
    np.testing.assert_allclose(found.rdf.values[0, 0], np.mean(expected, axis=0), rtol=1e-3, atol=1e-3)
    volume = np.mean([state.volume for state in states])
    assert float(found.length_unit) == pytest.approx((volume / N) ** (1 / 3), rel=1e-12)


@pytest.mark.parametrize(
    ("module", "name", "part", "lost"),
    [
        (structure, "radial_distributions", "g(r)", "rdf"),
        (structure, "structure_factor", "S(q)", "structure_factor"),
        (van_hove, "displacement_histogram", "the van Hove function", "van_hove"),
    ],
)
def test_one_part_that_fails_leaves_the_others(shrinking, monkeypatch, module, name, part, lost):
    whole = pelplug.analyze("dynamics", shrinking[0], min_origins=1)

    def fail(*arguments, **keywords):
        raise RuntimeError("r_max is too large for this box")

    monkeypatch.setattr(module, name, fail)
    with pytest.warns(RuntimeWarning, match="left out .*r_max is too large"):
        found = pelplug.analyze("dynamics", shrinking[0], min_origins=1)
    assert list(json.loads(found.attrs["failed_parts"])) == [part]
    assert lost in whole and lost not in found
    np.testing.assert_array_equal(found.msd.values, whole.msd.values)
    assert "fs" in found


def test_a_fit_that_fails_is_none_and_the_command_says_so(shrinking, pelplug_command, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("slope")

    monkeypatch.setattr(dynamics.characteristic, "beta_time", fail)
    command = ("analyze", "--plugin", "dynamics", shrinking[0], "--min-origins", 1, "-o", "o.nc")
    done = pelplug_command(*command, code=1)
    assert "dynamics left out tau_beta of A, which failed (ZeroDivisionError: slope)" in done.stderr
    found = pelplug.read_results(pelplug_command.folder / "o.nc")["dynamics"]
    assert np.isnan(found.tau_beta).all() and np.isfinite(found.msd).all()


@parametrize_with_checks([Dynamics])
def test_keeps_the_contract(check):
    check()
