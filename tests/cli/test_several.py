"""Several trajectories on the command line: patterns, lists, kills, workers, and files that do not belong together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pelplug
from pelplug.cli import cli
from pelplug.files.results import read_results
from pelplug.host import functions as host

PLUGIN = """
import os
import time
import numpy as np
import pelplug

@pelplug.analysis(provides={"radius": pelplug.Field(("frame",), "length", "radius of gyration")})
def radius(configuration):
    '''Return the radius of gyration of the coordinates as they are.'''
    if configuration.frame >= int(os.environ.get("SLOW_FROM", "1000")):
        time.sleep(60.0)
    if os.environ.get("FAILS") == str(configuration.frame):
        raise ValueError("told to")
    return {"radius": np.sqrt(np.var(configuration.positions, axis=0).sum())}

@pelplug.analysis(provides={"along": pelplug.Field(("frame", "particle"), "length", "along x")})
def place(configuration):
    '''Return where particles are along x.'''
    return {"along": configuration.positions[:, 0]}

class Alone(pelplug.Analysis):
    '''Mean number of particles.'''

    name = "alone"
    summary = "Mean number of particles"
    reads_frames = False
    provides = {"mean": pelplug.Field((), "1", "mean number")}
    def summarize(self, dataset):
        return dataset.assign(mean=((), float(self.trajectory.n)))

class Pooled(Alone):
    '''Mean number of particles of several.'''

    name = "pooled"
    pools = True
    def summarize(self, dataset):
        states = (one.configuration(int(k)) for one, each in zip(self.trajectories, self.selections) for k in each)
        return dataset.assign(mean=((), float(np.mean([state.positions[0, 0] for state in states]))))
"""
RADIUS = ("analyze", "--quiet", "--plugin", "mine.py:radius")


def states(seed, frames=2, n=20, velocities=True):
    rng = np.random.default_rng(seed)
    species = rng.permutation(np.repeat(["A", "B"], [n - 4, 4]))
    for k in range(frames):
        speeds = rng.normal(size=(n, 3)) if velocities else None
        yield pelplug.Configuration(
            rng.uniform(-2.0, 2.0, (n, 3)), np.full(3, 4.0), species, velocities=speeds, frame=k, step=5 * k
        )


def dump(path, configurations, units=None):
    """Write what LAMMPS writes, rows in any order."""
    rng = np.random.default_rng(0)
    lines = []
    for one in configurations:
        lines += ["ITEM: UNITS", units] if units else []
        lines += ["ITEM: TIMESTEP", one.step, "ITEM: NUMBER OF ATOMS", one.n, "ITEM: BOX BOUNDS pp pp pp"]
        lines += [f"{-length / 2:g} {length / 2:g}" for length in np.diag(one.cell)] + ["ITEM: ATOMS id type x y z"]
        for row in rng.permutation(one.n):
            place = " ".join(f"{value:.17g}" for value in one.positions[row])
            lines.append(f"{row + 1} {'AB'.index(one.species[row]) + 1} {place}")
    Path(path).write_text("\n".join(map(str, lines)) + "\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Twenty runs of two frames, and an analysis of frames, one that takes several and one that does not."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PLUGIN)
    for seed in range(1, 21):
        pelplug.write_trajectory(f"run-{seed:02d}.gsd", states(seed))
    yield tmp_path
    host.use_registry(None)


@pytest.fixture
def run(folder, run):
    """Run pelplug there; gives what it wrote, of a refusal the sentence."""

    def told(*args, code=0):
        captured = run(*args, code=code)
        return captured.err if code else captured.out

    return told


def files(count):
    return [f"run-{seed:02d}.gsd" for seed in range(1, count + 1)]


def radii(seeds):
    return [np.sqrt(np.var(one.positions, axis=0).sum()) for seed in seeds for one in states(seed)]


def result(path, name="radius"):
    return read_results(path)[name]


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_list_of_files(run, count):
    run(*RADIUS, *files(count), "-o", "out.nc")
    found = result("out.nc")
    assert np.allclose(found["radius"], radii(range(1, count + 1)), rtol=1e-12)
    assert ("run" in found.coords) == (count > 1)
    if count > 1:
        assert np.array_equal(found["run"], np.repeat(np.arange(count), 2))


def test_a_pattern_and_where_its_results_go(run):
    run(*RADIUS, "run-0[1-3].gsd")
    assert np.allclose(result("run-3-runs.radius.nc")["radius"], radii([1, 2, 3]), rtol=1e-12)
    run(*RADIUS, "run-1?.gsd", "run-20.gsd")
    assert result("run-11-runs.radius.nc").sizes["frame"] == 22


def test_the_output_may_fit_the_pattern(run):
    run(*RADIUS, "run-*", "-o", "run-all.nc")
    assert result("run-all.nc").sizes["frame"] == 40
    run(*RADIUS, "run-*", "-o", "run-all.nc")  # done already, and no input of itself
    said = run(*RADIUS, *sorted(os.listdir()), "-o", "run-all.nc", code=2)
    assert "run-all.nc is among the files to read" in said
    assert "run-02.gsd" in run(*RADIUS, *files(2), "-o", "run-02.gsd", code=2)


def test_workers_give_the_same(run):
    run(*RADIUS, *files(5), "-o", "serial.nc")
    run(*RADIUS, *files(5), "-o", "workers.nc", "--workers", "2")
    one, other = result("serial.nc"), result("workers.nc")
    assert one.equals(other)


def test_a_selection_is_of_each_file(run):
    run(*RADIUS, *files(3), "--start", "1", "-o", "out.nc")
    found = result("out.nc")
    assert found["frame"].values.tolist() == [1, 3, 5] and found["frame_in_run"].values.tolist() == [1, 1, 1]
    assert np.allclose(found["radius"], radii([1, 2, 3])[1::2], rtol=1e-12)


def test_killed_it_goes_on(run):
    command = [*RADIUS, *files(5), "-o", "out.nc"]
    program = "import sys; from pelplug.cli import cli; cli.main(sys.argv[1:])"
    first = subprocess.Popen([sys.executable, "-c", program, *command], env={**os.environ, "SLOW_FROM": "7"})
    deadline = time.monotonic() + 120
    while len(list(Path().glob(".out.nc.*.partial/frame-*.npz"))) < 7:
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = {path.name: path.stat().st_mtime_ns for path in Path().glob(".out.nc.*.partial/frame-*.npz")}
    assert sorted(kept) == [f"frame-{k}.npz" for k in range(7)]
    run(*(word for word in command if word != "--quiet"))
    assert np.allclose(result("out.nc")["radius"], radii(range(1, 6)), rtol=1e-12)
    assert not list(Path().glob(".out.nc*"))


def test_a_failure_names_the_file_and_its_frame(run, monkeypatch, capsys):
    monkeypatch.setenv("FAILS", "5")
    with pytest.raises(SystemExit):
        cli.main([*RADIUS, *files(4), "-o", "out.nc"])
    said = capsys.readouterr().err
    assert "radius left out 1 of 8 frames that failed (frame 1 of run-03.gsd: ValueError: told to)" in said
    found = result("out.nc")
    assert found["frame"].values.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert found["run"].values.tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_files_of_two_programs(run):
    dump("a.dump", states(1))
    dump("b.dump", states(2))
    both = ("a.dump", "b.dump")
    run(*RADIUS, *both, "--species", "1=A,2=B", "-o", "dumps.nc")
    assert np.allclose(result("dumps.nc")["radius"], radii([1, 2]), rtol=1e-10)
    run(*RADIUS, "run-01.gsd", "b.dump", "--species", "1=A,2=B", "-o", "mixed.nc")
    assert np.allclose(result("mixed.nc")["radius"], radii([1, 2]), rtol=1e-10)
    assert "b.dump has the species 1, 2 and run-01.gsd A, B" in run(*RADIUS, "run-01.gsd", "b.dump", code=2)
    said = run(*RADIUS, *files(2), "--species", "1=A", code=2)
    assert "'1'" in said and "run-01.gsd" in said


def test_files_of_other_units(run):
    dump("a.dump", states(1))
    dump("metal.dump", states(2), units="metal")
    dump("lj.dump", states(2), units="lj")
    assert "metal.dump comes in the units" in run(*RADIUS, "a.dump", "metal.dump", code=2)
    said = run(*RADIUS, "metal.dump", "lj.dump", code=2)
    assert "lj.dump comes in reduced units" in said
    run(*RADIUS, "a.dump", "lj.dump", "--units", "lj", "-o", "lj.nc")  # as the sentence says
    run(*RADIUS, "a.dump", "metal.dump", "--units", "metal", "-o", "metal.nc")


def test_one_without_velocities(run):
    pelplug.write_trajectory("bare.gsd", states(30, velocities=False))
    run(*RADIUS, "run-01.gsd", "bare.gsd", "-o", "out.nc")
    bare = [np.sqrt(np.var(one.positions, axis=0).sum()) for one in states(30, velocities=False)]
    assert np.allclose(result("out.nc")["radius"], radii([1]) + bare, rtol=1e-12)


def test_damaged_files_are_named(run):
    Path("empty.gsd").touch()
    assert "empty.gsd is empty" in run(*RADIUS, "run-01.gsd", "empty.gsd", code=2)
    content = Path("run-03.gsd").read_bytes()
    Path("cut.gsd").write_bytes(content[: len(content) // 2])
    assert "cut.gsd" in run(*RADIUS, "run-01.gsd", "cut.gsd", code=2)
    assert "nothere.gsd" in run(*RADIUS, "run-01.gsd", "nothere.gsd", code=2)
    assert "No file fits no-*.gsd" in run(*RADIUS, "no-*.gsd", code=2)


def test_an_export_has_every_frame_of_each(run):
    run("analyze", "--quiet", "--plugin", "mine.py:place", *files(3), "-o", "out.nc", "--export", "out.gsd")
    alone = [np.sort(one.positions[:, 0]) for seed in (1, 2, 3) for one in states(seed)]
    with pelplug.open_trajectory("out.gsd") as found:
        assert len(found) == 6
        for k, one in enumerate(found):
            log = found.log(k)
            assert np.allclose(np.sort(one.positions[:, 0]), alone[k])
            assert np.allclose(log["particles/along"], one.positions[:, 0])
            assert [int(np.squeeze(log[f"pelplug/{name}"])) for name in ("run", "frame_in_run")] == [*divmod(k, 2)]
        with pytest.raises(pelplug.InputError, match="frames of 3 independent runs"):
            found.check_identity()


def test_an_analysis_that_reads_by_itself(run):
    said = run("analyze", "--plugin", "mine.py:alone", *files(3), code=2)
    assert "The analysis alone takes one trajectory, not 3; run it on each" in said
    run("analyze", "--quiet", "--plugin", "mine.py:alone", *files(1))
    run("analyze", "--quiet", "--plugin", "mine.py:pooled", *files(3), "--stop", "1", "-o", "pooled.nc")
    first = [next(states(seed)) for seed in (1, 2, 3)]
    kind = first[0].species[0]  # the first row of every run is of the species that it has in the first file
    expected = np.mean([one.positions[one.species == kind][0, 0] for one in first])
    assert float(result("pooled.nc", "pooled")["mean"]) == pytest.approx(expected)


def test_the_same_in_python(folder):
    from_list = pelplug.analyze("mine.py:radius", files(3))
    pattern = pelplug.analyze("mine.py:radius", "run-0[1-3].gsd")
    opened = pelplug.analyze("mine.py:radius", [pelplug.open_trajectory(path) for path in files(3)])
    for found in (from_list, pattern, opened):
        assert np.allclose(found["radius"], radii([1, 2, 3]), rtol=1e-12)
    with pytest.raises(pelplug.InputError, match="open already; give dt"):
        pelplug.analyze("mine.py:radius", [pelplug.open_trajectory(path) for path in files(2)], dt=0.1)


def walk(seed, frames=40, n=20):
    """Particles that walk at random: the MSD of a step is 3 * 0.3**2."""
    rng = np.random.default_rng(seed)
    species = rng.permutation(np.repeat(["A", "B"], [n - 4, 4]))
    positions = rng.uniform(-3.0, 3.0, (n, 3)) + np.cumsum(rng.normal(scale=0.3, size=(frames, n, 3)), axis=0)
    for k in range(frames):
        one = pelplug.Configuration(positions[k], np.full(3, 6.0), species, images=np.zeros((n, 3), int), step=k)
        yield one.wrapped()


def test_dynamics_of_several_runs_as_its_advice_is_typed(run):
    for seed in range(1, 7):
        pelplug.write_trajectory(f"walk-{seed}.gsd", walk(seed))
    given = ("--quantities", "msd", "--dt", "1", "--min-origins", "1", "--no-remove-drift", "--stop", "30")
    command = ("analyze", "--quiet", "--plugin", "dynamics", *given)
    run(*command, *[f"walk-{seed}.gsd" for seed in range(1, 7)], "-o", "list.nc")
    run(*command, "walk-*.gsd", "-o", "pattern.nc")
    run(*command, "walk-1.gsd", "--more", "walk-[2-6].gsd", "-o", "more.nc")
    found = [result(f"{name}.nc", "dynamics") for name in ("list", "pattern", "more")]
    moved = [np.diff([one.unwrapped_positions() for one in list(walk(seed))[:30]], axis=0) for seed in range(1, 7)]
    for one in found:
        assert one.drop_attrs().equals(found[0].drop_attrs())
        first = one["msd"].sel(kind="all").isel(lag_time=0)
        assert float(first) == pytest.approx(np.mean(np.sum(np.square(moved), axis=-1)), rel=1e-9)
        error = float(one["msd_error"].sel(kind="all").isel(lag_time=0))
        assert 0.2 < error / (3 * 0.09 * np.sqrt(2 / 3 / (20 * 29 * 6))) < 3.0  # of six runs: known to a third
    assert [found[k].attrs["input_sha256"] for k in (1, 2)] == [found[0].attrs["input_sha256"]] * 2
