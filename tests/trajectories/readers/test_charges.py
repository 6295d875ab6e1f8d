"""Charges come from every format that has them, stay with their particles, and are written again."""

import warnings

import numpy as np
import pytest

import pelplug
from pelplug import open_trajectory
from pelplug.testing.states import renumbered, supercell

N = 6
CHARGES = np.array([2.4, -1.2, -1.2, 0.3, 0.0, -0.3]) / 3


@pytest.fixture
def state():
    species = ["B", "A", "A", "B", "A", "A"]
    return pelplug.Configuration(np.random.default_rng(4).uniform(0, 5, (N, 3)), [5.0] * 3, species, charges=CHARGES)


def dump(path, state):
    rows = [f"{i + 1} {s} {x} {y} {z} {q!r}" for i, (s, (x, y, z), q) in _rows(state)]
    head = f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n" + "0 5\n" * 3
    path.write_text(head + "ITEM: ATOMS id element x y z q\n" + "\n".join(rows[::-1]) + "\n")
    return path


def data(path, state):
    box = "\n".join(f"0 5 {a}lo {a}hi" for a in "xyz")
    rows = [f"{i + 1} 1 {1 + (s == 'B')} {q!r} {x} {y} {z}" for i, (s, (x, y, z), q) in _rows(state)]
    head = f"title\n\n{N} atoms\n2 atom types\n\n{box}\n\nAtom Type Labels\n\n1 A\n2 B\n\nAtoms # full\n\n"
    path.write_text(head + "\n".join(rows[::-1]) + "\n")
    return path


def xyz(path, state):
    rows = [f"{s} {x} {y} {z} {q!r}" for _, (s, (x, y, z), q) in _rows(state)]
    head = f'{N}\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:initial_charges:R:1\n'
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def _rows(state):
    columns = zip(state.species.tolist(), state.positions.tolist(), state.charges.tolist(), strict=True)
    return list(enumerate(columns))


@pytest.mark.parametrize(("write", "ending"), [(dump, "dump"), (data, "data"), (xyz, "xyz")])
def test_charges_of_other_programs_files(tmp_path, state, write, ending):
    path = write(tmp_path / f"a.{ending}", state)
    trajectory = open_trajectory(path)
    np.testing.assert_array_equal(trajectory[0].charges, CHARGES)
    np.testing.assert_array_equal(trajectory[0].species, state.species)
    assert trajectory.has("charges")


@pytest.mark.parametrize("ending", ["gsd", "nc"])
def test_charges_are_written_and_read_again(tmp_path, state, ending):
    other = state.replace(charges=CHARGES[::-1])
    pelplug.write_trajectory(tmp_path / f"a.{ending}", [state, state, other])
    again = list(open_trajectory(tmp_path / f"a.{ending}"))
    for found, wanted in zip(again, (state, state, other), strict=True):
        np.testing.assert_array_equal(found.charges, wanted.charges)
    none, mixed = tmp_path / f"none.{ending}", tmp_path / f"mixed.{ending}"
    pelplug.write_trajectory(none, state.replace(charges=None))
    assert open_trajectory(none)[0].charges is None
    with pytest.raises(pelplug.InputError, match="same fields"):
        pelplug.write_trajectory(mixed, [state, state.replace(charges=None)])


def test_gsd_has_them_where_other_programs_look(tmp_path, state):
    import gsd.hoomd

    pelplug.write_trajectory(tmp_path / "a.gsd", state)
    with gsd.hoomd.open(str(tmp_path / "a.gsd")) as file:
        np.testing.assert_array_equal(file[0].particles.charge, np.float32(CHARGES))
    with gsd.hoomd.open(str(tmp_path / "b.gsd"), "w") as file:  # one that pelplug has not written
        frame = gsd.hoomd.Frame()
        frame.particles.N, frame.particles.position = N, state.positions - 2.5
        frame.particles.charge, frame.configuration.box = CHARGES, [5, 5, 5, 0, 0, 0]
        file.append(frame)
    np.testing.assert_array_equal(open_trajectory(tmp_path / "b.gsd")[0].charges, np.float32(CHARGES))


def test_a_topology_brings_them(tmp_path, state):
    bare = tmp_path / "bare.gsd"
    pelplug.write_trajectory(bare, state.replace(charges=None))
    with_topology = open_trajectory(bare, topology=data(tmp_path / "a.data", state))
    np.testing.assert_array_equal(with_topology[0].charges, CHARGES)


def test_they_stay_with_their_particles(state):
    order = np.array([3, 0, 5, 1, 2, 4])
    np.testing.assert_array_equal(renumbered(state, order).charges, CHARGES[order])
    np.testing.assert_array_equal(supercell(state).charges, np.tile(CHARGES, 8))
    np.testing.assert_array_equal(state.wrapped().charges, CHARGES)
    with pytest.raises(pelplug.InputError, match="charges have shape"):
        state.replace(charges=CHARGES[1:])
    with pytest.raises(pelplug.InputError, match="charges contain NaN"):
        state.replace(charges=CHARGES * np.nan)


class Charged(pelplug.Potential):
    knows = ("charged atoms",)

    def energy_forces(self, configuration):
        apart = np.diff(configuration.positions, axis=0)
        forces = np.zeros_like(configuration.positions)
        forces[:-1] += apart
        forces[1:] -= apart
        return float(np.sum(configuration.charges)) + 0.5 * float(np.sum(apart**2)), forces

    def record(self):
        return {"potential": "charged"}


def test_a_potential_that_knows_them_is_not_warned_of(tmp_path, state):
    path = data(tmp_path / "a.data", state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pelplug.analyze("inherent-structures", path, potential=Charged(), step=1)
    assert found["energy_per_particle"].values == pytest.approx(CHARGES.sum() / N, abs=1e-6)
    Charged.knows = ()
    with pytest.warns(UserWarning, match="has 5 charged atoms, which"):
        pelplug.analyze("inherent-structures", path, potential=Charged(), step=1)
