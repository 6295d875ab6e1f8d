"""When the frames are: what was said, what the file says, and what the sentences advise where neither tells."""

import gsd.hoomd
import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli

LENGTH = 9.0


@pytest.fixture(scope="module")
def walk():
    """Unwrapped positions (12, 20, 3) of a random walk, species A and B."""
    rng = np.random.default_rng(5)
    return 0.5 * LENGTH + np.cumsum(rng.normal(0, 0.1, (12, 20, 3)), axis=0)


def displacement(walk):
    """MSD of one frame from plain numpy, measured from the centre of mass as pelplug does by default."""
    moved = walk - walk.mean(axis=1, keepdims=True)
    return np.mean(np.sum((moved[1:] - moved[:-1]) ** 2, axis=2))


def extxyz(path, frames, comment=lambda k: ""):
    with open(path, "w") as file:
        for k, frame in enumerate(frames):
            file.write(f'{len(frame)}\nLattice="{LENGTH} 0 0 0 {LENGTH} 0 0 0 {LENGTH}" {comment(k)}\n')
            for i, (x, y, z) in enumerate(frame % LENGTH):
                file.write(f"{'AB'[i % 2]} {x:.17g} {y:.17g} {z:.17g}\n")
    return path


def dump(path, frames, steps, species="12"):
    with open(path, "w") as file:
        for step, frame in zip(steps, frames, strict=True):
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(frame)}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {LENGTH}\n" * 3 + "ITEM: ATOMS id type xu yu zu\n")
            for i, (x, y, z) in enumerate(frame):
                file.write(f"{i + 1} {species[i % 2]} {x:.17g} {y:.17g} {z:.17g}\n")
    return path


def analyze(path, *options):
    """Run the command; return the result of its last file and what it said."""
    arguments = ["analyze", "--plugin", "dynamics", "--quantities", "msd", str(path), *map(str, options), "--quiet"]
    output = path.with_suffix(".nc")
    answer = CliRunner().invoke(cli, [*arguments, "-o", str(output), "--overwrite"])
    return answer.exit_code, answer.stderr, pelplug.read_results(output)["dynamics"] if answer.exit_code == 0 else None


def first(dataset):
    return float(dataset["lag_time"][0]), float(dataset["msd"].sel(kind="all")[0])


def expect(dataset, lag, msd):
    assert first(dataset) == (pytest.approx(lag, rel=1e-9), pytest.approx(msd, rel=1e-9))


@pytest.mark.parametrize(
    "comment",
    [
        lambda k: f"i = {k:8d}, time = {0.5 * k:12.3f}, E = -17.1",
        lambda k: f"Time={0.5 * k} Properties=species:S:1:pos:R:3",
        lambda k: f"step={10 * k} time={0.5 * k}",
        lambda k: f"Timestep: {10 * k} Time: {0.5 * k:.6f}",
        lambda k: f"step:{10 * k} dt:0.05",
        lambda k: f"t= {0.5 * k} T=300.0",
        lambda k: f"timeStepIndex={100 * k} dt=0.005",
        lambda k: f"timeStepIndex={100 * k} integrator=IntegratorNVT,0.005,0.3,0.2,0",
    ],
)
def test_times_in_comment_lines(tmp_path, walk, comment):
    code, said, dataset = analyze(extxyz(tmp_path / "a.xyz", walk, comment))
    assert code == 0, said
    expect(dataset, 0.5, displacement(walk))


@pytest.mark.parametrize(
    "comment", ["T=0.5", "E = -1.0", "written at 12:30:05, T: 0.4", "time = unknown", 'time="1 ps"']
)
def test_other_words_are_no_times(tmp_path, walk, comment):
    with pelplug.open_trajectory(extxyz(tmp_path / "a.xyz", walk, lambda k: comment)) as trajectory:
        assert not trajectory.has("times") and not trajectory.has("steps")


def test_frame_interval_where_there_are_no_steps(tmp_path, walk):
    path = extxyz(tmp_path / "a.xyz", walk)
    code, said, _ = analyze(path)
    assert code == 2 and "--frame-interval" in said
    code, said, _ = analyze(path, "--dt", 0.5)
    assert code == 2 and "--frame-interval" in said
    code, said, dataset = analyze(path, "--frame-interval", 0.5)
    assert code == 0, said
    expect(dataset, 0.5, displacement(walk))
    in_python = pelplug.analyze("dynamics", path, frame_interval=0.5, quantities="msd")
    expect(in_python, 0.5, displacement(walk))
    with pelplug.open_trajectory(path, frame_interval=0.5) as trajectory:
        assert [state.time for state in trajectory] == pytest.approx(0.5 * np.arange(12))
        # Of frames that are picked out, the time is still that of the frame in the file.
        expect(pelplug.analyze("dynamics", trajectory, step=2, quantities="msd"), 1.0, displacement(walk[::2]))


@pytest.mark.parametrize("given", ["0", "-1", "nan", "x"])
def test_no_frame_interval(tmp_path, walk, given):
    code, said, _ = analyze(extxyz(tmp_path / "a.xyz", walk), "--frame-interval", given)
    assert code == 2 and "(--frame-interval) " in said and ("above 0" in said or "a number" in said)


def test_step_and_frame_interval_contradict_each_other(tmp_path, walk):
    code, said, _ = analyze(dump(tmp_path / "a.dump", walk, range(12)), "--frame-interval", 1, "--dt", 1)
    assert code == 2 and "not both" in said


@pytest.mark.parametrize("comment", [lambda k: "time=0.0", lambda k: "Time=7.5"])
def test_times_that_are_all_the_same(tmp_path, walk, comment):
    path = extxyz(tmp_path / "a.xyz", walk, comment)
    code, said, _ = analyze(path)
    assert code == 2 and "at time" in said and "--frame-interval" in said
    code, said, dataset = analyze(path, "--frame-interval", 0.5)
    assert code == 0, said
    expect(dataset, 0.5, displacement(walk))


def test_times_that_are_all_the_same_beside_steps(tmp_path, walk):
    path = extxyz(tmp_path / "a.xyz", walk, lambda k: f"step={10 * k} time=0")
    code, said, _ = analyze(path)
    assert code == 2 and "--dt" in said
    code, said, dataset = analyze(path, "--dt", 0.05)
    assert code == 0, said
    expect(dataset, 0.5, displacement(walk))


def test_gsd_without_steps(tmp_path, walk):
    path = tmp_path / "a.gsd"
    with gsd.hoomd.open(path, "w") as file:
        for frame in walk:
            one = gsd.hoomd.Frame()
            one.particles.N, one.particles.types, one.particles.typeid = 20, ["A", "B"], [0, 1] * 10
            one.configuration.box = [LENGTH] * 3 + [0] * 3
            wrapped = (frame + LENGTH / 2) % LENGTH - LENGTH / 2
            one.particles.position, one.particles.image = wrapped, np.rint((frame - wrapped) / LENGTH).astype(int)
            file.append(one)
    code, said, _ = analyze(path)
    assert code == 2 and "--frame-interval" in said, said
    code, said, dataset = analyze(path, "--frame-interval", 0.5)
    assert code == 0, said
    assert first(dataset) == (pytest.approx(0.5), pytest.approx(displacement(walk), rel=1e-5))


@pytest.mark.parametrize("steps", [[*range(8), *range(4)], [*range(8), 7, 8, 9, 10], [*range(8), *range(5, 9)]])
def test_a_run_that_was_restarted(tmp_path, walk, steps):
    path = dump(tmp_path / "a.dump", walk, [100 * step for step in steps])
    code, said, _ = analyze(path, "--dt", 0.01)
    assert code == 2 and "frame 8" in said and "--stop 8" in said and "--start 8" in said
    for options, part in (("--stop 8", walk[:8]), ("--start 8", walk[8:])):
        code, said, dataset = analyze(path, "--dt", 0.01, *options.split())
        assert code == 0, said
        expect(dataset, 1.0, displacement(part))
    code, said, dataset = analyze(path, "--frame-interval", 1.0)
    assert code == 0, said
    expect(dataset, 1.0, displacement(walk))


def test_the_last_state_of_a_run_written_again_by_the_next(tmp_path, walk):
    frames = [*walk[:8], *walk[7:]]  # as LAMMPS does when a restarted run appends to the dump
    steps = [100 * k for k in (*range(8), *range(7, 12))]
    code, said, dataset = analyze(dump(tmp_path / "a.dump", frames, steps), "--dt", 0.01)
    assert code == 0 and "repeat" in said and "8" in said
    expect(dataset, 1.0, displacement(walk))


def test_frames_at_uneven_times(tmp_path, walk):
    steps = np.array([0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16])
    code, said, dataset = analyze(dump(tmp_path / "a.dump", walk, steps), "--dt", 0.5)
    assert code == 0, said
    moved = walk - walk.mean(axis=1, keepdims=True)
    pairs = [(i, j) for i in range(12) for j in range(12) if steps[j] - steps[i] == 1]
    expect(dataset, 0.5, np.mean([np.mean(np.sum((moved[j] - moved[i]) ** 2, axis=1)) for i, j in pairs]))


def test_frames_backwards(tmp_path, walk):
    code, said, _ = analyze(dump(tmp_path / "a.dump", walk, range(12)), "--dt", 1, "--step", -1)
    assert code == 2 and "--step" in said


@pytest.mark.parametrize("options", [(), ("--species", "1=A,2=B"), ("--format", "LAMMPSDUMP")])
def test_further_trajectories_are_opened_as_the_first(tmp_path, walk, options):
    ending = "txt" if "--format" in options else "dump"
    one = dump(tmp_path / f"one.{ending}", walk[:6], range(6))
    two = dump(tmp_path / f"two.{ending}", walk[6:], range(6))
    code, said, dataset = analyze(one, "--dt", 0.5, "--more", two, *options)
    assert code == 0, said
    expect(dataset, 0.5, (displacement(walk[:6]) + displacement(walk[6:])) / 2)
    assert list(dataset["kind"].values) == (["A", "B", "all"] if "--species" in options else ["1", "2", "all"])


def test_further_trajectories_with_frame_interval_and_topology(tmp_path, walk):
    import MDAnalysis as mda  # noqa: N813

    universe = mda.Universe.empty(20, trajectory=True)
    universe.add_TopologyAttr("names", list("AB" * 10))
    universe.add_TopologyAttr("resnames", ["LJ"])
    universe.atoms.positions, universe.dimensions = walk[0] * 10, [90, 90, 90, 90, 90, 90]
    universe.atoms.write(str(tmp_path / "top.gro"))
    for name, part in (("one", walk[:6]), ("two", walk[6:])):
        universe.load_new(np.float32(10 * part), dt=2.0, dimensions=[90] * 6)
        universe.atoms.write(str(tmp_path / f"{name}.trr"), frames="all")
    more = ("--topology", tmp_path / "top.gro", "--more", tmp_path / "two.trr")
    expected = 100 * (displacement(walk[:6]) + displacement(walk[6:])) / 2
    for options, lag in (((), 2.0), (("--frame-interval", 0.5), 0.5)):
        code, said, dataset = analyze(tmp_path / "one.trr", *more, *options)
        assert code == 0, said
        assert first(dataset) == (pytest.approx(lag), pytest.approx(expected, rel=1e-4))
    given = {"topology": tmp_path / "top.gro", "more": (tmp_path / "two.trr",), "quantities": "msd"}
    dataset = pelplug.analyze("dynamics", tmp_path / "one.trr", **given)
    assert first(dataset) == (pytest.approx(2.0), pytest.approx(expected, rel=1e-4))


@pytest.mark.parametrize("removed", [True, False])
def test_what_remove_drift_takes_off_is_said(tmp_path, walk, removed):
    path = extxyz(tmp_path / "a.xyz", walk, lambda k: f"time={k}")
    dataset = pelplug.analyze("dynamics", path, quantities="msd", remove_drift=removed, per_decade=1000, min_origins=1)
    centre = walk.mean(axis=1)
    for k in (1, 5):
        assert float(dataset["drift_msd"].sel(lag_time=k)) == pytest.approx(
            np.mean(np.sum((centre[k:] - centre[:-k]) ** 2, axis=1))
        )
    # With equal masses, the two parts add up to the displacements of the file.
    raw = np.mean(np.sum((walk[3:] - walk[:-3]) ** 2, axis=2))
    at = dataset.sel(lag_time=3.0, kind="all")
    assert float(at["msd"] + removed * at["drift_msd"]) == pytest.approx(raw)
    share = (dataset["drift_msd"] / (dataset["msd"].sel(kind="all") + removed * dataset["drift_msd"])).max()
    assert f"{100 * float(share):.3g} %" in dataset.attrs["remarks"]
    option = "--remove-drift" if removed else "--no-remove-drift"
    answer = CliRunner().invoke(
        cli, ["analyze", "--plugin", "dynamics", str(path), option, "-o", str(tmp_path / "b.nc")]
    )
    assert "centre of mass" in answer.stdout and answer.exit_code == 0


def test_energies_of_frames_at_their_times(tmp_path):
    """The series of energies that msed takes from frames has the times that the frames have."""
    model = pelplug.model("kob-andersen", cutoff=1.8)
    start = model.random_configuration(60, 1)
    rng = np.random.default_rng(2)
    walk = start.positions + np.cumsum(rng.normal(0, 0.002, (120, 60, 3)), axis=0)
    walk = pelplug.quench(start, model.potential(start), method="lbfgs").configuration.positions + walk - walk[0]
    lags = {}
    for name, options, comment in (
        ("interval", ["--frame-interval", "0.5"], lambda k: ""),
        ("times", [], lambda k: f"time={0.5 * k}"),
        ("both", [], lambda k: f"step={10 * k} time={0.5 * k}"),
        ("steps", ["--dt", "0.05"], lambda k: f"step={10 * k}"),
    ):
        path = tmp_path / f"{name}.xyz"
        with open(path, "w") as file:
            for k, frame in enumerate(walk):
                edges = " ".join(f"{one:.17g}" for one in start.cell.ravel())
                file.write(f'60\nLattice="{edges}" {comment(k)}\n')
                rows = zip(start.species, frame, strict=True)
                file.writelines(f"{who} {x:.17g} {y:.17g} {z:.17g}\n" for who, (x, y, z) in rows)
        run = ["analyze", "--plugin", "msed", str(path), "--model", "kob-andersen", "--model-param", "cutoff=1.8"]
        answer = CliRunner().invoke(cli, [*run, *options, "--quiet", "-o", str(tmp_path / f"{name}.nc")])
        assert answer.exit_code == 0, answer.stderr
        dataset = pelplug.read_results(tmp_path / f"{name}.nc")["msed"]
        lags[name] = dataset["lag"].values[:5]
    for name in lags:
        np.testing.assert_allclose(lags[name], 0.5 * np.arange(1, 6), err_msg=name)
    run[3] = str(tmp_path / "interval.xyz")
    answer = CliRunner().invoke(cli, [*run, "-o", str(tmp_path / "none.nc")])
    assert answer.exit_code == 2 and "--frame-interval" in answer.stderr
