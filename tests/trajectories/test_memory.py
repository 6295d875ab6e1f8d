"""States in memory: configurations and atoms of ASE give what a file of them gives."""

import json
import pickle

import numpy as np
import pytest

import pelplug
from pelplug.trajectories.several import opened


def states(frames=4, n=20):
    rng = np.random.default_rng(2)
    first, steps = rng.uniform(0, 5, (n, 3)), rng.normal(0, 0.1, (frames, n, 3))
    moved = first + np.cumsum(steps, axis=0)
    species = ["A"] * 12 + ["B"] * 8
    return [pelplug.Configuration(one, [5.0, 6.0, 5.5], species, step=k, time=0.5 * k) for k, one in enumerate(moved)]


def test_configurations_are_what_a_file_of_them_is(tmp_path):
    pelplug.write_trajectory(tmp_path / "a.nc", states())
    asked = {"quantities": "msd", "positions": "unwrapped"}
    file = pelplug.analyze("dynamics", tmp_path / "a.nc", **asked)
    found = pelplug.analyze("dynamics", states(), **asked)
    np.testing.assert_allclose(found["msd"], file["msd"], rtol=1e-12)
    record = json.loads(found.attrs["trajectories"])[0]
    assert record["file"] == "configurations in memory" and record["sha256"].startswith("sha256:")
    other = pelplug.analyze("dynamics", states()[:3], **asked)
    assert json.loads(other.attrs["trajectories"])[0]["sha256"] != record["sha256"]


def test_it_reads_and_pickles_as_any_trajectory(tmp_path):
    from pelplug.trajectories.source import Source

    flat = pelplug.Configuration(np.random.default_rng(1).uniform(0, 3, (5, 2)), [3.0, 3.0], ["A"] * 5)
    for given, source in ((states(), Source(species={"A": "Si"}, dt=0.25)), (flat, Source())):
        trajectory = opened(given, source)
        again = pickle.loads(pickle.dumps(trajectory))
        for one in (trajectory, again):
            first, state = given[1] if isinstance(given, list) else given, one[-3 if isinstance(given, list) else 0]
            np.testing.assert_array_equal(state.positions, first.positions)
            np.testing.assert_array_equal(state.cell, first.cell)
        assert again.checksum() == trajectory.checksum()
    named = opened(states(), Source(species={"A": "Si"}, dt=0.25))
    assert named.species_names == ("B", "Si") and named[2].time == 0.5


def test_atoms_of_ase_with_their_calculator():
    ase = pytest.importorskip("ase")
    from ase.build import bulk
    from ase.calculators.emt import EMT

    copper = bulk("Cu", cubic=True) * (2, 2, 2)
    copper.calc = EMT()
    lowest = copper.get_potential_energy(force_consistent=True)
    rattled = []
    for seed in range(2):
        atoms = copper.copy()
        atoms.rattle(0.05, seed=seed)
        rattled.append(atoms)
    found = pelplug.analyze("inherent-structures", rattled, potential=EMT(), force_tolerance=1e-6)
    assert found.sizes["frame"] == 2 and found["energy"].attrs["units"] == "eV"
    np.testing.assert_allclose(found["energy"], lowest, atol=1e-6)
    assert opened(rattled[0])[0].masses[0] == pytest.approx(63.546, abs=1e-3)
    for wrong, words in (
        ([rattled[0], states()[0]], "either configurations, or atoms of ASE"),
        ([rattled[0], "a.gsd"], "either configurations, or atoms of ASE"),
        ([ase.Atoms("Cu", positions=[[0, 0, 0]], pbc=True)], "no periodic box"),
        ([rattled[0], bulk("Cu", cubic=True)], "4 particles, but frame 0 has 32"),
    ):
        with pytest.raises(pelplug.PelplugError, match=words):
            pelplug.analyze("inherent-structures", wrong, potential=EMT())
    with pytest.raises(pelplug.InputError, match="no format and no topology"):
        pelplug.analyze("inherent-structures", rattled, potential=EMT(), format="GSD")
