"""What can be known at the start is refused before the first frame is worked on."""

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli
from pelplug.landscape.minimise.minimisable import check_minimisable

FRAMES = 24
AT_HALF = {"velocity_temperature": 0.5}


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    return pelplug.testing.make_trajectory(tmp_path_factory.mktemp("before") / "t.gsd", frames=FRAMES)


@pytest.fixture
def no_work(monkeypatch):
    """Nothing is quenched, simulated or factorised, and no more than a few frames are read."""

    def never(*arguments, **keywords):
        pytest.fail("work was done before the refusal")

    import pelplug.host.functions
    import pelplug.trajectories.trajectory

    for name in ("quench", "steepest_descent", "LinearResponse", "isoconfigurational"):
        monkeypatch.setattr(pelplug, name, never)
    read, plain = [], pelplug.trajectories.trajectory.Trajectory.configuration

    def counted(self, frame):
        read.append(frame)
        if len(set(read)) > 3:
            pytest.fail(f"frames {sorted(set(read))} were read before the refusal")
        return plain(self, frame)

    monkeypatch.setattr(pelplug.trajectories.trajectory.Trajectory, "configuration", counted)
    return read


@pytest.mark.parametrize(
    ("names", "parameters", "words"),
    [
        # a run shorter than the window of p_hop, with a duration that is given
        (
            "isoconfigurational-events",
            {"velocity_temperature": 0.5, "duration": 0.5, "spacing": 0.1},
            "raise --duration to 2",
        ),
        ("isoconfigurational-events", {"velocity_temperature": 0.5, "duration": 1.0, "matrix": "C"}, "no species C"),
        ("propensity", {"duration": 1.0, "velocity_temperature": 0.5, "largest": "Z"}, "no species Z"),
        ("hop-events", {"half_window": 30.0}, "fewer than the .* of the window"),
        ("dynamics", {"min_origins": FRAMES}, "lower --min-origins"),
        ("dynamics", {"largest": "Z"}, "no species Z"),
        ("dynamics", {"van_hove_times": (1e6,)}, "--van-hove-times below"),
        ("dynamics", {"quantities": ("msd", "nonsense")}, "nonsense"),
        (("inherent-structures", "vibrations"), {"modes": 10**6}, "modes"),
        (("inherent-structures", "defects"), {"x_eq": 1.4, "x_broken": 1.2}, "x_EQ"),
        (("inherent-structures", "dynamics"), {"min_origins": 99}, "lower --min-origins"),
    ],
)
def test_refused_before_work(trajectory, no_work, names, parameters, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.analyze(names, trajectory, model="kob-andersen", dt=0.001, **parameters)


def test_a_temperature_that_nobody_states_is_asked_for(trajectory, tmp_path, no_work):
    with pelplug.open_trajectory(trajectory) as states:
        plain = pelplug.write_trajectory(tmp_path / "plain.gsd", [states.configuration(0), states.configuration(1)])
    assert plain == 2
    with pytest.raises(pelplug.InputError, match=r"give --temperature|--velocity-temperature"):
        pelplug.analyze("propensity", tmp_path / "plain.gsd", model="kob-andersen", dt=0.001, duration=1.0)


def test_units_that_nobody_states_are_asked_for_before_frequencies(tmp_path, no_work):
    """Sizes of silicon make energies, but no frequencies: those need to know what a mass and a time are."""
    side = np.stack(np.meshgrid(*[np.arange(4)] * 3), -1).reshape(-1, 3) * 2.7
    lines = ["ITEM: TIMESTEP", "0", "ITEM: NUMBER OF ATOMS", str(len(side)), "ITEM: BOX BOUNDS pp pp pp"]
    lines += ["0 10.8"] * 3 + ["ITEM: ATOMS id element x y z"]
    lines += [f"{k + 1} Si {x} {y} {z}" for k, (x, y, z) in enumerate(side)]
    path = tmp_path / "si.dump"
    path.write_text("\n".join(lines) + "\n")
    model = pelplug.model("stillinger-weber", sigma=2.0951, epsilon=2.1683, three_body=21.0)
    with pytest.raises(pelplug.InputError, match="--units metal"):
        pelplug.analyze("vibrations", path, model=model)


def test_order_and_number_of_frames(trajectory, no_work):
    for frames, name, words in (
        ([3, 2, 1], "metabasins", "in the order of time"),
        ([3], "metabasins", "too few for metabasins"),
        ([3], "dynamics", "at least two"),
        ([5, 4], "hop-events", "in the order of time"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            pelplug.analyze(name, trajectory, model="kob-andersen", dt=0.001, frames=frames)


def test_the_remedy_of_a_short_duration_works(tmp_path):
    given = {"temperature": 0.5, "spacing": 0.05, "half_window": 0.1, "replicas": 2, "model": "kob-andersen", "stop": 1}
    trajectory, model = tmp_path / "rest.gsd", pelplug.model("kob-andersen")
    start = model.random_configuration(120, 3)
    rest = pelplug.quench(start, model.potential(start), force_tolerance=1e-3).configuration
    pelplug.write_trajectory(trajectory, [rest.replace(step=0)])
    with pytest.raises(pelplug.InputError, match=r"raise --duration to 0\.2"):
        pelplug.analyze("isoconfigurational-events", trajectory, duration=0.1, **given)
    if not pelplug.host.functions.default_registry().has_engine():
        pytest.skip("no engine")
    found = pelplug.analyze("isoconfigurational-events", trajectory, duration=0.2, **given)
    assert found.sizes["frame"] == 1


def test_command_line_options_come_first(trajectory, tmp_path, no_work, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.nc").write_text("")
    common = ["analyze", str(trajectory), "--plugin", "inherent-structures", "--model", "kob-andersen"]
    for words, sentence in (
        (["-o", "there.nc"], "exists already"),
        (["-o", "out.nc", "--export", "x.blend"], "blend"),
        (["-o", "out.nc", "--plot", "x.blend"], "blend"),
        (["-o", "out.nc", "--workers", "0"], "workers"),
        (["-o", "out.txt"], "NetCDF"),
        (["-o", "nowhere/out.nc"], "no folder"),
    ):
        done = CliRunner().invoke(cli, [*common, *words])
        assert done.exit_code == 2 and sentence in done.output, done.output


# --- models that cannot be minimised ----------------------------------------------------------------------------------


def crowd(form, cutoff, truncation, density=1.0, n=200):
    numbers = {"epsilon": 1.0} | ({"exponent": 10} if form == "inverse-power-law" else {})
    pair = {"species": ["A", "A"], "sigma": 1.0, **numbers}
    model = pelplug.models.UserModel(
        {"form": form, "species": ["A"], "truncation": truncation, "cutoff": cutoff, "dimension": 3, "pair": [pair]}
    )
    return model, model.random_configuration(n, 1, density=density)


@pytest.mark.parametrize("truncation", ["shift", "cut"])
def test_repulsive_forces_that_jump_have_no_minimum(tmp_path, truncation, no_work):
    model, state = crowd("inverse-power-law", 1.3, truncation)
    path = tmp_path / "t.gsd"
    pelplug.write_trajectory(path, [state.replace(step=k) for k in range(2)], model_record=model.to_dict())
    for name in ("inherent-structures", "kappa", "vibrations", "relaxation", "inherent-structure-transitions"):
        with pytest.raises(pelplug.InputError, match=r"repulsive force jumps from 0.558 to 0 .*truncation=smooth"):
            pelplug.analyze(name, path, dt=0.001)


def test_the_remedy_truncation_smooth_works(tmp_path):
    for truncation, converges in (("shift", False), ("smooth", True)):
        model, state = crowd("inverse-power-law", 1.3, truncation, n=100)
        found = pelplug.quench(state, model.potential(state), max_evaluations=3000)
        assert found.converged is converges
        assert ("truncation=smooth" in found.reason) is not converges


@pytest.mark.parametrize(
    ("form", "cutoff", "truncation", "density"),
    [
        ("inverse-power-law", 1.3, "smooth", 1.0),
        ("inverse-power-law", 1.3, "shifted-force", 1.0),
        ("inverse-power-law", 1.3, "shift", 0.2),  # pairs leave each other
        ("lennard-jones", 2.5, "shift", 1.0),  # an attraction that ends pulls nobody onto the cutoff
        ("harmonic", 1.0, "cut", 1.4),
    ],
)
def test_what_can_be_minimised_is_not_refused(form, cutoff, truncation, density):
    model, state = crowd(form, cutoff, truncation, density)
    potential = model.potential(state)
    check_minimisable(potential, state, 1e-10)
    assert pelplug.quench(state, potential, force_tolerance=1e-8).converged


def test_bundled_models_can_be_minimised():
    for name in ("kob-andersen", "modified-kob-andersen", "inverse-power-law", "sticky-spheres"):
        model = pelplug.model(name)
        state = model.random_configuration(300, 2)
        jump = model.potential(state).force_jumps
        assert jump[0] == 0.0 and (jump[1] > 0.0) == (name == "kob-andersen")
    # U'(2.5) of Lennard-Jones, 24 (2 x^-13 - x^-7), of the pair AB, whose epsilon is 1.5 and sigma 0.8
    x = 2.5
    model = pelplug.model("kob-andersen")
    jump = model.potential(model.random_configuration(300, 1)).force_jumps[1]
    assert jump == pytest.approx(abs(24 * (2 * x**-13 - x**-7)) * 1.5 / 0.8, rel=1e-9)


def test_frames_are_compared_with_what_was_asked(trajectory):
    found = pelplug.analyze("dynamics", trajectory, dt=0.001, min_origins=1, quantities=("msd",))
    assert np.all(np.isfinite(found.msd))
