"""Every result says its conditions: recorded in the file, given, or of a running simulation."""

import json

import gsd.hoomd
import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.cli import cli
from pelplug.core.conditions import Conditions
from pelplug.engines.run import run_simulation
from pelplug.files.record import VERSION
from pelplug.files.results import read_results
from pelplug.host.registry import Registry
from pelplug.testing.toy_engine import ToyEngine

T, SEED, N = 2.0, 3, 60
WANTED = {"temperature": T, "seed": SEED, "n": N}


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", cutoff=1.8, truncation="smooth")


@pytest.fixture(scope="module")
def liquid(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("liquid") / "liquid.gsd"
    settings = {"n": N, "temperature": T, "seed": SEED, "steps": 120, "frames": 10, "melt_steps": 50}
    run_simulation(model, ToyEngine(), path, equilibration=50, log_every=2, **settings)
    return path


@pytest.fixture(scope="module")
def bare(liquid, tmp_path_factory):
    """The same frames in a file that says nothing."""
    path = tmp_path_factory.mktemp("bare") / "bare.gsd"
    with pelplug.open_trajectory(liquid) as trajectory:
        pelplug.write_trajectory(path, trajectory)
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([str(one) for one in arguments])
    return end.value.code


def checked(dataset, model, **wanted):
    """Compare what a result says with what is wanted, and its attributes with each other."""
    found = Conditions.of(dataset)
    assert found.density == pytest.approx(1.2, rel=1e-6)
    for name, value in ({"parent_temperature": None, **WANTED} | wanted).items():
        assert getattr(found, name) == value, name
    assert dataset.attrs.get("temperature") == found.temperature
    assert found.model == json.loads(dataset.attrs["model"]) == json.loads(json.dumps(model.to_dict()))
    assert found.units == pelplug.Units.of("reduced")
    assert dataset.attrs["provenance_version"] == VERSION == 3
    return found


FEW = {"min_origins": 1, "per_decade": 100, "quantities": "msd"}
KINDS = {
    "inherent-structures": {"force_tolerance": 1e-6},
    "kappa": {"force_tolerance": 1e-6, "stop": 2},
    "dynamics": FEW,
    "msed": {"resamples": 100},
    "metabasins": {"force_tolerance": 1e-6},
    "defects": {"force_tolerance": 1e-6, "stop": 2},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_analysis_records_them(name, liquid, model):
    checked(pelplug.analyze(name, liquid, **KINDS[name]), model)


def test_what_is_given_is_recorded_as_if_the_file_had_said_it(bare, model):
    given = {"temperature": T, "label": "given", "replica": 4, "pressure": 1.5}
    found = pelplug.analyze("dynamics", bare, model=model, dt=0.005, **FEW, **given)
    checked(found, model, seed=None, **given)
    unsaid = pelplug.analyze("dynamics", bare, model=model, dt=0.005, **FEW)
    checked(unsaid, model, seed=None, temperature=None)
    # An open trajectory, and the analysis itself, take the same.
    with pelplug.open_trajectory(bare, dt=0.005, temperature=T) as trajectory:
        checked(pelplug.analyze("dynamics", trajectory, model=model, label="x", **FEW), model, seed=None, label="x")
        cls = Registry(third_party=False).analysis("dynamics")
        own = cls(trajectory, model=model, label="y", **FEW).run().to_dataset()
        checked(own, model, seed=None, label="y")
    # With the temperature come the reduced units of the dynamics.
    assert "time_unit" in found and "time_unit" not in unsaid


def test_a_contradiction_is_refused_before_work_in_one_sentence(liquid, tmp_path, capsys):
    output = tmp_path / "a.nc"
    given = ("analyze", "--plugin", "inherent-structures", liquid, "-o", output, "--quiet")
    assert run(*given, "--temperature", "0.7") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "records the temperature 2" in error and "leave it out" in error
    assert run(*given, "--replica", "-1") == 2 and run(*given, "--label", "") == 2
    assert not output.exists()
    with pytest.raises(pelplug.InputError, match="records the temperature 2"):
        pelplug.analyze("dynamics", liquid, temperature=0.7)


def test_quench_carries_the_temperature_of_the_liquid(liquid, bare, model, tmp_path):
    minima = tmp_path / "is.gsd"
    assert run("quench", liquid, "--stop", 2, "--force-tolerance", "1e-6", "-o", minima, "--quiet") == 0
    with gsd.hoomd.open(str(minima), "r") as file:
        record = json.loads(bytes(file[0].log["pelplug/conditions"]))
    assert record["parent_temperature"] == T and "temperature" not in record and record["seed"] == SEED
    of_minima = pelplug.analyze("inherent-structures", minima, force_tolerance=1e-5)
    checked(of_minima, model, temperature=None, parent_temperature=T)
    # What was quenched twice has the same parent; what does not say its temperature is told it.
    again = tmp_path / "again.gsd"
    assert run("quench", minima, "--force-tolerance", "1e-5", "-o", again, "--quiet") == 0
    given = tmp_path / "given.gsd"
    words = ("--model", "kob-andersen", "--model-param", "cutoff=1.8", "--model-param", "truncation=smooth")
    more = ("--temperature", T, "--label", "mine", "--stop", 1, "--force-tolerance", "1e-6")
    assert run("quench", bare, *words, *more, "-o", given, "--quiet") == 0
    for path, label in ((again, None), (given, "mine")):
        with pelplug.open_trajectory(path) as trajectory:
            found = trajectory.conditions
        assert (found.temperature, found.parent_temperature, found.label) == (None, T, label)


def test_an_export_of_minima_has_a_parent_and_one_of_the_frames_has_not(liquid, tmp_path):
    from pelplug.files.exporters import export

    with pelplug.open_trajectory(liquid) as trajectory:
        first = trajectory.configuration(0).wrapped()
        kappa = pelplug.analyze("kappa", trajectory, stop=1, force_tolerance=1e-6)
        frames = pelplug.analyze("defects", trajectory, stop=1, force_tolerance=1e-6, x_eq=1.4)
        export(kappa, tmp_path / "kappa.gsd", trajectory)
        fields = kappa.drop_vars("positions")
        export(fields, tmp_path / "fields.gsd", trajectory)
        export(frames, tmp_path / "frames.gsd", trajectory)
    with pelplug.open_trajectory(tmp_path / "kappa.gsd") as exported:
        assert exported.conditions.parent_temperature == T and exported.conditions.temperature is None
    # Fields of particles, and those of defects, whose positions are those of the frame.
    for name in ("fields", "frames"):
        with pelplug.open_trajectory(tmp_path / f"{name}.gsd") as exported:
            assert exported.conditions.temperature == T and exported.conditions.parent_temperature is None
            assert np.allclose(exported.configuration(0).wrapped().positions, first.positions, atol=1e-12)


def test_inside_a_simulation_they_are_those_of_the_simulation(model, tmp_path):
    registry = Registry(third_party=False)
    classes = [registry.analysis(name) for name in ("inherent-structures", "msed")]
    for name, more, wanted in (
        ("held", {}, {}),
        ("ramp", {"end_temperature": 1.0}, {"temperature": None}),
    ):
        watch = pelplug.InSitu(
            classes[0](None, model=model, force_tolerance=1e-6), classes[1](None, model=model, resamples=100), every=40
        )
        settings = {"n": N, "temperature": T, "seed": SEED, "steps": 120, "frames": 40, "melt_steps": 50}
        output = tmp_path / f"{name}.nc"
        run_simulation(
            model, ToyEngine(), tmp_path / f"{name}.gsd", equilibration=50, log_every=2, watch=watch,
            watch_output=output, **settings, **more,
        )  # fmt: skip
        for dataset in read_results(output).values():
            found = checked(dataset, model, **wanted)
            assert (found.ramp is not None) == bool(more)


def test_results_that_other_results_are_made_from_hand_them_on(liquid, model, tmp_path):
    sequence, found = tmp_path / "it.nc", tmp_path / "mb.nc"
    name = "inherent-structure-transitions"
    assert run("analyze", "--plugin", name, liquid, "--force-tolerance", "1e-6", "-o", sequence, "--quiet") == 0
    assert run("metabasins", sequence, "-o", found, "--label", "list") == 0
    checked(read_results(found)["metabasins"], model, label="list")
    assert run("metabasins", sequence, "-o", tmp_path / "no.nc", "--temperature", "1.5") == 2


def test_energies_without_particles_take_what_is_said_in_their_units(tmp_path):
    log = tmp_path / "log.lammps"
    rows = "\n".join(f"{10 * k} {np.sin(k):.15g}" for k in range(400))
    log.write_text(
        f"LAMMPS (1 Jan 2026)\nunits metal\ntimestep 0.001\nthermo 10\nthermo_style custom step pe\nrun 3990\n"
        f"Step PotEng\n{rows}\nLoop time of 1 on 1 procs for 3990 steps with 500 atoms\n"
    )
    output = tmp_path / "a.nc"
    assert run("msed", log, "--temperature", "300", "--label", "argon", "--resamples", "100", "-o", output) == 0
    dataset = read_results(output)["msed"]
    found = Conditions.of(dataset)
    assert (found.temperature, found.n, found.label, found.density) == (300.0, 500, "argon", None)
    assert found.units == pelplug.Units.of("metal") and dataset["temperature"].units == "K"


class Warm(pelplug.Analysis):
    """What a frame computes depends on the temperature."""

    name = "warm"
    summary = "N k_B T"
    needs = pelplug.Need.POSITIONS | pelplug.Need.TEMPERATURE
    provides = {"thermal": pelplug.Field(("frame",), "energy", "N k_B T")}  # noqa: RUF012

    def compute(self, configuration):
        return {"thermal": configuration.n * self.units.thermal(self.conditions.temperature)}


def test_an_analysis_that_needs_the_temperature_says_so_and_finds_it(liquid, bare):
    assert np.allclose(Warm(liquid).run().to_dataset()["thermal"], N * T)
    assert np.allclose(Warm(bare, temperature=0.5).run(n_workers=2).to_dataset()["thermal"], N * 0.5)
    with pytest.raises(pelplug.InputError, match=r"does not say at which temperature.*--temperature"):
        Warm(bare).run()
    watch = pelplug.InSitu(Warm(None), every=10)
    with pytest.raises(pelplug.InputError, match="does not say"):
        watch.begin(N, 0.005, 2, None)
    watch.begin(N, 0.005, 2, Conditions(temperature=0.7))
    watch(pelplug.read_configuration(bare), -1.0)
    assert np.allclose(watch.datasets()["warm"]["thermal"], N * 0.7)
    # Frames that were finished at one temperature are none of another; those that do not depend on it stay.
    fingerprints = {Warm(bare, temperature=one).fingerprint() for one in (0.5, 0.6)}
    assert len(fingerprints) == 2
    cls = Registry(third_party=False).analysis("inherent-structures")
    model = pelplug.model("kob-andersen")
    assert len({cls(bare, model=model, temperature=one).fingerprint() for one in (0.5, 0.6)}) == 1


def test_no_parameter_of_an_analysis_can_be_called_a_condition():
    from typing import Annotated

    def make():
        class Cold(pelplug.Analysis):
            name = "cold"

            def __init__(self, trajectory, *, temperature: Annotated[float, pelplug.Param("T")] = 1.0, **base):
                super().__init__(trajectory, **base)

        return Cold.parameter_specs()

    with pytest.raises(TypeError, match="reserved"):
        make()


def test_a_result_of_the_first_version_is_drawn_and_one_of_a_later_refused(liquid):
    cls = Registry(third_party=False).analysis("dynamics")
    dataset = pelplug.analyze("dynamics", liquid, **FEW)
    old = dataset.drop_attrs(deep=False).assign_attrs(
        {name: one for name, one in dataset.attrs.items() if name not in ("conditions", "provenance_version")}
    )
    old.attrs["parameters"] = json.dumps(json.loads(old.attrs["parameters"]) | {"temperature": 2.0})
    analysis = cls.from_dataset(old)
    assert analysis.conditions.temperature == T and analysis.figure().axes
    later = dataset.assign_attrs(provenance_version=VERSION + 1)
    with pytest.raises(pelplug.InputError, match="update pelplug"):
        cls.from_dataset(later)


def test_results_written_and_read_say_the_same(liquid, tmp_path):
    dataset = pelplug.analyze("dynamics", liquid, label="Kälte, <T>", **FEW)
    pelplug.write_netcdf(tmp_path / "a.nc", dataset)
    with xr.open_dataset(tmp_path / "a.nc") as again:
        assert Conditions.of(again) == Conditions.of(dataset)
        assert Conditions.of(again).group == Conditions.of(dataset).group
