"""Swap Monte Carlo against exact few-particle distributions, exact averages and LAMMPS."""

import dataclasses
import signal
import subprocess
import sys

import numpy as np
import oracles
import pytest
from scipy.stats import chi2

import pelplug
from pelplug.cli import cli
from pelplug.files.values import read_values
from pelplug.potentials.base import Potential

EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])


def soft_sphere_energy(square, a, b):
    """Pair energy of soft spheres with diameters a and b, from the published formula."""
    sigma = 0.5 * (a + b) * (1.0 - 0.2 * abs(a - b))
    x2 = square / sigma**2
    c0, c2, c4 = -28.0 / 1.25**12, 48.0 / 1.25**14, -21.0 / 1.25**16
    return np.where(x2 < 1.25**2, x2**-6.0 + c0 + c2 * x2 + c4 * x2**2, 0.0)


def lennard_jones_energy(square, a, b):
    """Cut and shifted at 1.6 sigma, for species 0 and 1."""
    x6 = (SIGMA[a, b] ** 2 / square) ** 3
    shift = 1.6**-12 - 1.6**-6
    return np.where(square < (1.6 * SIGMA[a, b]) ** 2, 4.0 * EPSILON[a, b] * (x6**2 - x6 - shift), 0.0)


def lj_form(x, p):
    x6 = x**-6.0
    return (
        4.0 * p[0] * (x6 * x6 - x6),
        4.0 * p[0] * (6.0 * x6 - 12.0 * x6 * x6) / x,
        4.0 * p[0] * (156.0 * x6 * x6 - 42.0 * x6) / (x * x),
    )


def nearest(vectors, edge):
    return np.sum((vectors - edge * np.round(vectors / edge)) ** 2, axis=-1)


def squares_of(positions, edge):
    """Squared distances 01, 02, 12 of three particles, shape (..., 3)."""
    a, b, c = np.moveaxis(positions, -2, 0)
    return np.stack([nearest(b - a, edge), nearest(c - a, edge), nearest(c - b, edge)], axis=-1)


def exact_weights(kinds, energy, edge, d, temperature, count=800_000):
    """Distances of points thrown at random, and their Boltzmann weights."""
    points = np.random.default_rng(99).uniform(0.0, edge, size=(count, 3, d))
    squares = squares_of(points, edge)
    total = sum(energy(squares[:, k], kinds[i], kinds[j]) for k, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))))
    return np.sqrt(squares), np.exp(-total / temperature)


def chi_square(found, distances, weights, bins=24):
    """p-value of observed distances against weighted ones, in bins of equal exact weight."""
    order = np.argsort(distances)
    cumulative = np.cumsum(weights[order]) / weights.sum()
    edges = distances[order][np.searchsorted(cumulative, np.arange(1, bins) / bins)]
    slot = np.searchsorted(edges, distances)
    share = np.bincount(slot, weights, minlength=bins) / weights.sum()
    noise = np.bincount(slot, weights**2, minlength=bins) / weights.sum() ** 2
    seen = np.bincount(np.searchsorted(edges, found), minlength=bins)
    expected = share * len(found)
    return chi2.sf(np.sum((seen - expected) ** 2 / (expected + noise * len(found) ** 2)), bins - 1)


def three(kinds, d, edge, species=False):
    start = np.random.default_rng(3).permutation([[0.1] * d, [0.1 + edge / 2] * d, [0.1 + edge / 2] + [0.1] * (d - 1)])
    if species:
        return pelplug.Configuration(start, np.full(d, edge), ["AB"[kind] for kind in kinds])
    return pelplug.Configuration(start, np.full(d, edge), ["A"] * 3, diameters=kinds)


@pytest.mark.parametrize(("d", "p_swap"), [(2, 0.8), (2, 0.0), (3, 0.8)])
def test_three_soft_spheres_have_the_exact_distribution(d, p_swap):
    """With swaps of very unequal diameters and without; every pair's distances, decorrelated."""
    kinds, edge, temperature = (0.75, 1.0, 1.35), 3.5, 0.3
    model = pelplug.model("pss-2d" if d == 2 else "pss")
    run = pelplug.swap_monte_carlo(
        three(kinds, d, edge), model, temperature, 80_000, sample_every=20, p_swap=p_swap,
        swap_range=None if p_swap == 0 else 1.0, delta=0.9, seed=11,
    )  # fmt: skip
    found = np.sqrt([squares_of(one.positions, edge) for one in run.configurations])
    distances, weights = exact_weights(kinds, soft_sphere_energy, edge, d, temperature)
    assert len(found) == 4000
    for pair in range(3):
        assert chi_square(found[:, pair], distances[:, pair], weights) > 1e-3
    # The test can tell: with the largest and the smallest exchanged the distribution is another.
    assert chi_square(found[:, 0], distances[:, 2], weights) < 1e-6
    if p_swap:
        assert 0.05 < run.swap_acceptance < 0.95


def test_three_particles_of_a_mixture_have_the_exact_distribution():
    kinds, edge, temperature = (0, 1, 1), 3.3, 0.8
    form = pelplug.Form("lj", lj_form, ("epsilon",), "4 epsilon (x**-12 - x**-6)")
    potential = pelplug.PairPotential(
        form, species=("A", "B"), sigma=SIGMA, cutoff=1.6 * SIGMA, parameters={"epsilon": EPSILON}, truncation="shift"
    )
    run = pelplug.swap_monte_carlo(
        three(kinds, 2, edge, species=True), potential, temperature, 80_000, sample_every=20, p_swap=0.4, delta=0.9,
        seed=5,
    )  # fmt: skip
    found = np.sqrt([squares_of(one.positions, edge) for one in run.configurations])
    distances, weights = exact_weights(kinds, lennard_jones_energy, edge, 2, temperature)
    for pair in range(3):
        assert chi_square(found[:, pair], distances[:, pair], weights) > 1e-3
    assert chi_square(found[:, 0], distances[:, 2], weights) < 1e-6
    assert 0.0 < run.swap_acceptance < 1.0


def test_infinite_temperature_is_an_ideal_gas():
    """All moves accepted; the mean energy is an integral over the box. Cells fill beyond what they began with."""
    model = pelplug.model("harmonic-spheres", dimension=2)
    start = model.random_configuration(60, 2, density=0.3)
    run = pelplug.swap_monte_carlo(start, model, np.inf, 4000, sample_every=10, delta=5.0, seed=1)
    assert run.displacement_acceptance == run.swap_acceptance == 1.0
    a, b = np.meshgrid(start.diameters, start.diameters)
    sigma = 0.5 * (a + b) * (1.0 - 0.2 * np.abs(a - b))
    np.fill_diagonal(sigma, 0.0)
    exact = 0.5 * np.sum(np.pi * sigma**2 / 12.0) / start.volume  # of (1 - x)^2 / 2 over a disc
    assert abs(run.mean_energy - exact) < 4.0 * run.mean_energy_error
    assert run.mean_energy_error < 0.02 * exact
    positions = np.concatenate([one.positions for one in run.configurations]) / np.diag(start.cell)
    seen = np.histogramdd(positions, bins=(8, 8), range=[(0, 1)] * 2)[0]
    assert chi2.sf(np.sum((seen - seen.mean()) ** 2) / seen.mean(), 63) > 1e-3


def test_dilute_spheres_follow_the_second_virial_coefficient():
    model = pelplug.model("harmonic-spheres", dimension=3)
    n, density, temperature = 200, 0.01, 0.1
    start = model.random_configuration(n, 3, density=density)
    run = pelplug.swap_monte_carlo(start, model, temperature, 3000, equilibration=300, seed=2)
    r = (np.arange(20000) + 0.5) / 20000
    u = 0.5 * (1.0 - r) ** 2
    exact = 0.5 * (n - 1) * density * np.mean(4.0 * np.pi * r**2 * u * np.exp(-u / temperature))
    # The next order is a few per cent of B2 rho; spheres that overlap partly shield each other.
    assert abs(run.mean_energy - exact) < 4.0 * run.mean_energy_error + 0.02 * exact
    assert run.mean_energy_error < 0.05 * exact
    assert np.isnan(run.swap_acceptance)  # all alike
    assert run.delta > 0.5  # tuned: hardly anything is in the way


def test_kob_andersen_energy_is_that_of_lammps():
    n, temperature = 100, 2.0
    model = pelplug.model("kob-andersen", cutoff=2.0)
    start = model.random_configuration(n, 4)
    start = pelplug.quench(start, model.potential(start), method="lbfgs", force_tolerance=1e-2).configuration
    run = pelplug.swap_monte_carlo(start, model, temperature, 5000, equilibration=1000, p_swap=0.1, seed=3)
    assert 0.0 < run.swap_acceptance < 0.2  # a B hardly fits where an A was
    lmp, _ = oracles.build_lammps(start, ("A", "B"), oracles.lj_commands(truncate_like=2.0))
    lmp.commands_string(f"""
        velocity all create {temperature} 4711
        fix 1 all nve
        fix 2 all langevin {temperature} {temperature} 0.5 4712 zero yes
        timestep 0.003
        run 5000 post no
    """)
    energies = []
    for _ in range(800):
        lmp.command("run 25 pre no post no")
        energies.append(lmp.get_thermo("pe"))
    lmp.close()
    blocks = np.mean(np.reshape(energies, (20, 40)), axis=1)
    error = np.hypot(blocks.std(ddof=1) / np.sqrt(20), run.mean_energy_error)
    assert error < 0.04 * n  # beside a mean of about -3.6 a particle
    assert abs(blocks.mean() - run.mean_energy) < 4.0 * error


def test_swaps_do_not_change_the_mean_energy():
    model = pelplug.model("pss-2d")
    start = model.random_configuration(100, 6)
    without, few, many = (
        pelplug.swap_monte_carlo(start, model, 2.0, 3000, equilibration=500, p_swap=p, seed=8) for p in (0.0, 0.2, 0.8)
    )
    for run in (few, many):
        error = np.hypot(run.mean_energy_error, without.mean_energy_error)
        assert abs(run.mean_energy - without.mean_energy) < 4.0 * error
        assert error < 0.01 * without.mean_energy


def test_running_energy_and_repeatability():
    model = pelplug.model("pss")
    start = model.random_configuration(300, 1)
    arguments = {"equilibration": 40, "sample_every": 25}
    run = pelplug.swap_monte_carlo(start, model, 0.3, 75, seed=1, **arguments)
    same = pelplug.swap_monte_carlo(start, model, 0.3, 75, seed=1, **arguments)
    other = pelplug.swap_monte_carlo(start, model, 0.3, 75, seed=2, **arguments)
    assert [one.step for one in run.configurations] == [25, 50, 75]
    for one, energy in zip(run.configurations, run.energies[24::25], strict=True):
        assert model.potential(one).energy(one) == pytest.approx(energy, rel=1e-10)
        assert np.array_equal(one.diameters, start.diameters)
        assert np.all((one.positions >= 0) & (one.positions < np.diag(one.cell)))
    assert run.drift < 1e-11
    assert len(run.equilibration_energies) == 40
    assert np.array_equal(run.configuration.positions, same.configuration.positions)
    assert np.array_equal(run.energies, same.energies)
    assert not np.array_equal(run.energies, other.energies)


def test_delta_is_tuned_only_while_equilibrating():
    model = pelplug.model("pss-2d")
    start = model.random_configuration(80, 1)
    tuned = pelplug.swap_monte_carlo(start, model, 0.5, 200, equilibration=400, seed=1)
    assert 0.3 < tuned.displacement_acceptance < 0.5
    assert pelplug.swap_monte_carlo(start, model, 0.5, 20, seed=1).delta == pytest.approx(0.06, rel=0.2)
    assert pelplug.swap_monte_carlo(start, model, 0.5, 20, equilibration=100, delta=0.02, seed=1).delta == 0.02


def test_random_start_relaxes_and_is_written(tmp_path):
    """From T = infinity, where energies are huge, to a file that other commands read with its model."""
    model = pelplug.model("pss-2d")
    start = model.random_configuration(150, 1, arrangement="random")
    path = tmp_path / "liquid.gsd"
    arguments = {"equilibration": 200, "sample_every": 10, "seed": 4}
    run = pelplug.swap_monte_carlo(start, model, 0.5, 40, output=path, **arguments)
    kept = pelplug.swap_monte_carlo(start, model, 0.5, 40, **arguments)
    assert run.equilibration_energies[0] > 10 * run.mean_energy
    with pelplug.open_trajectory(path) as trajectory:
        assert trajectory.n_frames == 4
        assert trajectory.model_record == model.to_dict()
        for frame, expected in enumerate(kept.configurations):
            found = trajectory.configuration(frame)
            assert found.step == expected.step
            assert np.allclose(found.diameters, start.diameters)
            assert nearest(found.positions - expected.positions, start.cell[0, 0]).std() < 1e-10
            assert model.potential(found).energy(found) == pytest.approx(expected_energy(model, expected), rel=1e-5)


def expected_energy(model, configuration):
    return model.potential(configuration).energy(configuration)


SLOWLY = """
import sys
from pelplug.cli import cli
from pelplug.engines.swap import resumable
from pelplug.files.unfinished import Unfinished

resumable.CHECKPOINT_SECONDS = 0.0
save = Unfinished.save
Unfinished.save = lambda self, values: (save(self, values), print("saved", flush=True))
cli.main(sys.argv[1:])
"""


@pytest.mark.parametrize("ending", ["gsd", "nc"])
def test_killed_run_goes_on_to_the_same_end(tmp_path, monkeypatch, capsys, ending):
    """kill -9 while equilibrating and while sampling, then the same command: the uninterrupted run's file and words."""
    monkeypatch.chdir(tmp_path)
    common = ("prepare", "pss-2d", "-N", "90", "-T", "0.4", "--equilibration", "300", "--sweeps", "600", "--every", "7",
              "--seed", "3", "-o")  # fmt: skip
    whole = run_command(capsys, *common, f"whole.{ending}").out
    assert "energy a particle" in whole
    assert [one.name for one in tmp_path.iterdir()] == [f"whole.{ending}"]
    for saved in (3, 30):  # the first twelve blocks or so equilibrate
        process = subprocess.Popen(
            [sys.executable, "-c", SLOWLY, *common, f"cut.{ending}"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(saved):
            assert process.stdout.readline() == "saved\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / f"cut.{ending}").exists()
        (folder,) = tmp_path.glob(".cut.*.partial")
        done, _, frames = read_values(folder / "checkpoint.npz")["sweeps"]
        assert (done < 300) == (saved == 3)
        assert (frames > 0) == (saved == 30)
    # What a kill between a frame and its checkpoint leaves, and the same command with another temperature.
    with open(folder / "positions.bin", "ab") as file:
        file.write(b"half a frame")
    run_command(capsys, *common, f"cut.{ending}", "-T", "0.5", code=2)
    cut = run_command(capsys, *common, f"cut.{ending}").out
    assert cut.replace("cut.", "whole.") == whole
    assert not folder.exists()
    with pelplug.open_trajectory(f"whole.{ending}") as first, pelplug.open_trajectory(f"cut.{ending}") as second:
        assert first.n_frames == second.n_frames == 85
        for frame in range(85):
            one, other = first.configuration(frame), second.configuration(frame)
            assert np.array_equal(one.positions, other.positions)
            assert np.array_equal(one.diameters, other.diameters)
            assert one.step == other.step


@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_state_of_every_generator_survives(tmp_path, monkeypatch, generator):
    monkeypatch.setattr("pelplug.engines.swap.resumable.CHECKPOINT_SECONDS", 0.0)
    model = pelplug.model("pss-2d")
    start = model.random_configuration(80, 1)

    def run(name, stop=np.inf):
        done = 0

        def progress(sweeps):
            nonlocal done
            done += sweeps
            if done >= stop:
                raise KeyboardInterrupt

        return pelplug.swap_monte_carlo(
            start, model, 0.4, 60, equilibration=40, sample_every=10, seed=np.random.Generator(generator(5)),
            output=tmp_path / name, resume=True, progress=progress,
        )  # fmt: skip

    whole = run("whole.gsd")
    for stop in (40, 70):
        with pytest.raises(KeyboardInterrupt):
            run("cut.gsd", stop)
    cut = run("cut.gsd")
    assert np.array_equal(cut.energies, whole.energies)
    assert np.array_equal(cut.equilibration_energies, whole.equilibration_energies)
    assert np.array_equal(cut.configuration.positions, whole.configuration.positions)
    assert cut.displacement_acceptance == whole.displacement_acceptance
    assert (cut.delta, cut.drift) == (whole.delta, whole.drift)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("ending", ["gsd", "nc"])
def test_a_run_that_is_done_is_returned_as_it_was(tmp_path, ending):
    model = pelplug.model("pss-2d")
    path, said, done = tmp_path / f"a.{ending}", [], []
    given = {"equilibration": 40, "sample_every": 20, "output": path, "resume": True, "announce": said.append}
    start = model.random_configuration(80, 1)
    first = pelplug.swap_monte_carlo(start, model, 0.4, 60, seed=5, **given)
    before = path.read_bytes()
    again = pelplug.swap_monte_carlo(start, model, 0.4, 60, seed=5, progress=done.append, **given)
    assert said == [f"{path} was finished by this command already; nothing is left to do"] and done == [100]
    with pytest.raises(pelplug.InputError, match="exists already"):
        pelplug.swap_monte_carlo(start, model, 0.4, 60, seed=5, said=pelplug.Conditions(label="slow"), **given)
    assert path.read_bytes() == before
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(again, field.name)
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other)
        elif field.name.startswith("configuration"):
            one, other = (one, other) if isinstance(one, tuple) else ([one], [other])
            assert all(np.array_equal(a.positions, b.positions) for a, b in zip(one, other, strict=True))
        else:
            assert one == other
    for changed in ({"seed": 6}, {"seed": 5, "sample_every": 30}):
        with pytest.raises(pelplug.InputError, match="exists already"):
            pelplug.swap_monte_carlo(start, model, 0.4, 60, **{**given, **changed})


def test_a_run_of_other_code_is_not_continued(tmp_path, monkeypatch):
    from pelplug.engines.swap import resumable

    model, path = pelplug.model("pss-2d"), tmp_path / "a.gsd"
    start = model.random_configuration(80, 1)
    monkeypatch.setattr(resumable, "CHECKPOINT_SECONDS", 0.0)

    def stop(sweeps):
        stopped.append(sweeps)
        if len(stopped) == 2:
            raise KeyboardInterrupt

    stopped = []
    given = {"equilibration": 40, "seed": 5, "output": path, "resume": True}
    with pytest.raises(KeyboardInterrupt):
        pelplug.swap_monte_carlo(start, model, 0.4, 60, progress=stop, **given)
    monkeypatch.setattr(resumable, "code_of", lambda *_: {"numba": "99"})
    with pytest.raises(pelplug.InputError, match="begun by other code"):
        pelplug.swap_monte_carlo(start, model, 0.4, 60, **given)
    assert list(tmp_path.glob(".a.gsd.*.partial/checkpoint.npz"))
    pelplug.swap_monte_carlo(start, model, 0.4, 60, overwrite=True, **given)
    assert [one.name for one in tmp_path.iterdir()] == ["a.gsd"]


class ManyBody(Potential):
    """Anything but pairs."""

    cutoff = 1.0
    energy_forces = record = None


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({"cell": [[12.0, 0.0], [3.0, 12.0]]}, {}, "orthorhombic"),
        ({"cell": [3.0, 40.0]}, {}, "less than two cutoffs"),
        ({"diameters": None}, {}, "diameter"),
        ({"diameters": np.ones(100)}, {"p_swap": 0.2}, "nothing to swap"),
        ({}, {"model": "pss-2d"}, "pair potential"),
        ({}, {"model": ManyBody()}, "pair potential"),
        ({}, {"temperature": 0.0}, "temperature"),
        ({}, {"temperature": np.nan}, "temperature"),
        ({}, {"sweeps": 0}, "sweeps"),
        ({}, {"sweeps": 1.5}, "sweeps"),
        ({}, {"sample_every": 50}, "sample_every"),
        ({}, {"p_swap": 1.0}, "p_swap"),
        ({}, {"swap_range": -1.0}, "swap_range"),
        ({}, {"delta": np.inf}, "delta"),
        ({}, {"output": "liquid.xyz"}, "gsd"),
        ({}, {"resume": True}, "output file and a seed"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path, monkeypatch, change, arguments, words):
    monkeypatch.chdir(tmp_path)
    start = pelplug.model("pss-2d").random_configuration(100, 1).replace(**change)
    with pytest.raises(pelplug.InputError, match=words) as caught:
        pelplug.swap_monte_carlo(
            start,
            **{"model": pelplug.model("pss-2d"), "temperature": 1.0, "sweeps": 10, "seed": 1, **arguments},
        )
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_four_dimensions_are_refused():
    model = pelplug.model("harmonic-spheres", dimension=4)
    with pytest.raises(pelplug.InputError, match="two and three dimensions"):
        pelplug.swap_monte_carlo(model.random_configuration(100, 1), model, 1.0, 10)


def run_command(capsys, *arguments, code=0):
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main([str(one) for one in arguments])
    captured = capsys.readouterr()
    assert stop.value.code == code, captured.err
    return captured


def test_command_prepares_a_trajectory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    common = ("prepare", "pss-2d", "-T", "0.5", "--sweeps", "20", "--seed", "1")
    out = run_command(capsys, *common, "-N", "90", "--every", "5", "-o", "a.gsd").out
    assert "4 frames of 90 particles" in out
    assert "swaps" in out
    run_command(capsys, *common, "-N", "90", "--every", "5", "-o", "b.gsd", "--quiet")
    first, second = pelplug.read_configuration("a.gsd"), pelplug.read_configuration("b.gsd")
    assert np.array_equal(first.positions, second.positions)
    run_command(capsys, *common, "--start", "a.gsd", "-o", "c.gsd")
    assert np.array_equal(pelplug.read_configuration("c.gsd").diameters, first.diameters)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-N", "90", "-o", "missing/a.gsd"), "folder"),
        (("-N", "4", "-o", "a.gsd"), "box"),
        (("-o", "a.gsd"), "-N"),
        (("--start", "none.gsd", "-o", "a.gsd"), "none.gsd"),
        (("-N", "90", "--seed", "-1", "-o", "a.gsd"), "seed"),
        (("-N", "90", "--p-swap", "2", "-o", "a.gsd"), "p_swap"),
        (("-N", "90", "--seed", "1", "-o", "a.xyz"), "written as .gsd"),
    ],
)
def test_command_answers_bad_input_in_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    err = run_command(capsys, "prepare", "pss-2d", "-T", "0.5", "--sweeps", "20", *arguments, code=2).err
    assert words in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_frames_of_swap_monte_carlo_are_not_followed_where_particles_jump(tmp_path):
    """A swap moves a particle anywhere in the box: the refusal says so, as writing frames more often does not help."""
    positions = np.array([[0.5, 0.5, 0.5], [3.0, 0.5, 0.5], [1.5, 4.0, 4.0]])
    frames = [
        pelplug.Configuration(rows, 5.0 * np.eye(3), ["A"] * 3, diameters=[1.0, 1.1, 1.2], frame=i, step=i)
        for i, rows in enumerate([positions, positions[[1, 0, 2]]])
    ]
    pelplug.write_trajectory(tmp_path / "swap.gsd", frames)
    with pytest.raises(pelplug.InputError, match=r"swap moves exchange particles.*no path can be followed\.$"):
        list(pelplug.open_trajectory(tmp_path / "swap.gsd").unwrapped())


def test_infinite_temperature_needs_no_sweeps(pelplug_command):
    command = ["prepare", "harmonic-spheres", "--model-param", "dimension=8", "-N", "50", "-T", "inf"]
    command += ["--start", "random"]
    assert "at random" in pelplug_command(*command, "--seed", "1", "-o", "a.nc", code=0).stdout
    assert "already" in pelplug_command(*command, "--seed", "1", "-o", "a.nc", code=0).stderr
    assert "leave it out" in pelplug_command(*command, "--seed", "2", "-o", "b.nc", "--p-swap", "0.1", code=2).stderr
    assert "NetCDF" in pelplug_command(*command, "--seed", "2", "-o", "b.gsd", code=2).stderr
