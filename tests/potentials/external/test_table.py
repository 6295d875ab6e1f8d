"""Tables of pair energies: beside pelplug's own form, beside LAMMPS's pair_style table, and what is refused."""

import hashlib
import json

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli.main import cli

EPSILON = {"A-A": 1.0, "A-B": 1.5, "B-B": 0.5}
SIGMA = {"A-A": 1.0, "A-B": 0.8, "B-B": 0.88}


def smooth(r, epsilon, sigma, cut=2.5):
    """Kob-Andersen's energy and force, U, U' and U'' zero at the cutoff, stated again."""
    c4 = 24 * cut**-10 - 84 * cut**-16
    c2 = 24 * cut**-14 - 12 * cut**-8 - 2 * c4 * cut**2
    c0 = -4 * (cut**-12 - cut**-6) - c2 * cut**2 - c4 * cut**4
    x = r / sigma
    energy = epsilon * (4 * (x**-12 - x**-6) + c0 + c2 * x**2 + c4 * x**4)
    return energy, -epsilon * (-48 * x**-13 + 24 * x**-7 + 2 * c2 * x + 4 * c4 * x**3) / sigma


def write(path, n=1500, grid="R", first=0.6, names=str, force=1.0, function=smooth, head="", end=2.5):
    """A file as people write them, one section for each pair."""
    lines = ["# made by a test", head]
    for pair, sigma in SIGMA.items():
        last = end * sigma
        r = np.linspace(first, last, n) if grid == "R" else np.sqrt(np.linspace(first**2, last**2, n))
        energy, forces = function(r, EPSILON[pair], sigma)
        lines += ["", f"{names(pair)}  # the pair {pair}", f"N {n} {grid} {first!r} {float(last)!r}", ""]
        rows = zip(r, energy, force * forces, strict=True)
        lines += [f"{k} {float(a)!r} {float(u)!r} {float(f)!r}" for k, (a, u, f) in enumerate(rows, start=1)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ka.table")
    return tmp_path


def liquid(seed=3, edge=5.6):
    """Particles on a disturbed lattice."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 3) * edge / 5
    species = np.array(["A"] * 100 + ["B"] * 25)[rng.permutation(125)]
    return pelplug.Configuration(grid + rng.uniform(-0.1, 0.1, grid.shape), [edge] * 3, species, step=0)


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_fine_table_is_the_form_it_was_made_of(here):
    model, start = pelplug.model("kob-andersen", truncation="smooth"), liquid()
    own = model.potential(start)
    minimum = pelplug.quench(start, own, force_tolerance=1e-10).configuration
    for grid in ("R", "RSQ"):
        write(here / "ka.table", grid=grid)
        found = pelplug.potential("table:ka.table")
        assert found.can(pelplug.Capability.HESSIAN | pelplug.Capability.STRAIN | pelplug.Capability.PAIRS)
        (energy, forces), (expected, exact) = found.energy_forces(minimum), own.energy_forces(minimum)
        assert energy == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(forces, exact, atol=1e-9)
        matrix, other = found.hessian(minimum).toarray(), own.hessian(minimum).toarray()
        np.testing.assert_allclose(matrix, other, atol=1e-9 * np.abs(other).max())
    np.testing.assert_allclose(found.sizes(minimum), own.sizes(minimum), rtol=0.02)
    assert found.force_jumps == (0.0, 0.0)
    pelplug.write_trajectory("minimum.gsd", minimum)
    kappa = [pelplug.analyze("kappa", "minimum.gsd", pairs="all", **one)
             for one in ({"potential": "table:ka.table"}, {"model": model})]  # fmt: skip
    np.testing.assert_allclose(kappa[0]["kappa"], kappa[1]["kappa"], rtol=1e-7)
    np.testing.assert_allclose(kappa[0]["shear_modulus"], kappa[1]["shear_modulus"], rtol=1e-8)


def test_it_is_what_lammps_computes_of_the_same_file(here):
    """Its pair_style table interpolates by cubic splines in r squared, so it is the same to what these miss."""
    from oracles.with_lammps import lammps

    state = liquid()
    commands = "pair_style table spline 20000\n" + "\n".join(
        f"pair_coeff {a} {b} ka.table {word}" for a, b, word in ((1, 1, "A-A"), (1, 2, "A-B"), (2, 2, "B-B"))
    )
    theirs = lammps(state, ("A", "B"), commands)
    energy, forces = pelplug.potential("table:ka.table").energy_forces(state)
    assert energy == pytest.approx(theirs.energy, rel=1e-7)
    np.testing.assert_allclose(forces, theirs.forces, atol=1e-6 * np.abs(theirs.forces).max())


def test_names_of_sections_and_the_record(here):
    digest = hashlib.sha256((here / "ka.table").read_bytes()).hexdigest()
    by_name = pelplug.potential("table:ka.table")
    record = by_name.record()
    assert record["sha256"] == digest and record["sections"] == {pair: pair for pair in SIGMA}
    assert max(record["disagreement"].values()) < 1e-10 and max(record["missed"].values()) < 1e-6
    assert json.loads(json.dumps(record)) == record and str(here) not in json.dumps(record)
    words = {"A-A": "LARGE", "A-B": "CROSS", "B-B": "SMALL"}
    write(here / "words.table", names=words.get, head="# DATE: 2020-01-01 UNITS: metal")
    with pytest.raises(pelplug.InputError, match=r"LARGE of words\.table does not say its pair.*sections=A-A:LARGE"):
        pelplug.potential("table:words.table")
    given = "/".join(f"{pair}:{word}" for pair, word in words.items())
    found = pelplug.potential("table:words.table", sections=given)
    assert found.energy(liquid()) == by_name.energy(liquid()) and found.units.energy == "eV"
    pelplug.write_trajectory("a.gsd", liquid())
    asked = ("--potential", "table:words.table", "--potential-param", f"sections={given}", "--units", "metal")
    answer = run("quench", "a.gsd", *asked, "-o", "b.gsd", "--quiet")
    assert answer.exit_code == 0, answer.stderr
    # One section of any name is of every pair.
    text = (here / "ka.table").read_text()
    (here / "one.table").write_text(text[: text.index("A-B")].replace("A-A", "ARGON", 1))
    alone = liquid().replace(species=["X"] * 125)
    assert pelplug.potential("table:one.table").energy(alone) == by_name.energy(alone.replace(species=["A"] * 125))


def test_what_ends_with_a_jump_is_measured_and_mended(here):
    def plain(r, epsilon, sigma):
        x = r / sigma
        return 4 * epsilon * (x**-12 - x**-6), 24 * epsilon * (2 * x**-13 - x**-7) / sigma

    write(here / "cut.table", function=plain)
    pull = plain(2.5 * 0.8, 1.5, 0.8)[1]
    assert pelplug.potential("table:cut.table").force_jumps == pytest.approx((0.0, -pull), rel=1e-6)
    mended = pelplug.potential("table:cut.table", truncation="smooth")
    assert mended.force_jumps == (0.0, 0.0)
    assert mended.energy(liquid()) == pytest.approx(pelplug.potential("table:ka.table").energy(liquid()), rel=1e-9)


def kinked(r, epsilon, sigma):
    """A table that goes on with zeros where its force has ended with a jump."""
    energy, force = smooth(r, epsilon, sigma, cut=3.0)
    return np.where(r < 1.6 * sigma, energy, 0.0), np.where(r < 1.6 * sigma, force, 0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "hello\n" + text, ["no table of LAMMPS, or damaged at line 5", "N, the number of rows"]),
        (lambda text: text[: len(text) // 2], ["is cut off: its section A-B announces 1500 rows and has"]),
        (lambda text: text[: text.rindex(" ")], ["damaged at line 4514", "section B-B"]),
        (lambda text: text.replace("\n700 ", "\n700 x", 1), ["damaged at line 706"]),
        (lambda text: text.replace("N 1500 R 0.6 2.5", "N 1500 R 0.7 2.5", 1), ["are not those that its header says"]),
        (lambda text: text.replace("N 1500 R", "N 1500 BITMAP", 1), ["no table of LAMMPS"]),
        (lambda text: text[: text.index("B-B")], ["no section of the pair B-B; it has A-A, A-B"]),
        (lambda text: text.replace("A-B", "A-A"), ["two sections A-A"]),
        (lambda text: "# nothing", ["bad.table has no table"]),
        (lambda text: "# UNITS: furlongs\n" + text, ["The units of bad.table"]),
    ],
)
def test_bad_files_are_one_sentence(here, change, words):
    (here / "bad.table").write_text(change((here / "ka.table").read_text()))
    pelplug.write_trajectory("a.gsd", liquid())
    answer = run("quench", "a.gsd", "--potential", "table:bad.table", "-o", "out.gsd")
    assert answer.exit_code == 2, answer.stderr
    assert answer.stderr.count("\n") == 1 and "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr
    assert not list(here.glob("out*"))


@pytest.mark.parametrize(
    ("made", "given", "words"),
    [
        ({"force": 1.01}, {}, "forces that are not those of its energies"),
        ({"force": -1.0}, {}, "forces that are not those of its energies"),
        ({"n": 12}, {}, "forces that are not those of its energies|not smooth enough"),
        ({"function": kinked}, {}, "forces that are not those of its energies|not smooth enough"),
        ({}, {"cutoff": 3.0}, r"from 0\.6 to 2\.5, and the cutoff is 3; give one inside"),
        ({}, {"sections": "A-A:X"}, "has no section X; it has A-A, A-B, B-B"),
        ({}, {"sections": "AA:A-A"}, "is no section of a pair of species"),
    ],
)
def test_tables_that_are_none_of_a_smooth_potential_are_refused(here, made, given, words):
    write(here / "bad.table", **made)
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.potential("table:bad.table", **given)


def test_particles_nearer_than_the_first_row_and_without_a_table(here):
    near = liquid().positions.copy()
    near[1] = near[0] + [0.3, 0.0, 0.0]
    with pytest.raises(pelplug.InputError, match=r"are 0\.3 apart, and tables begin at 0\.6"):
        pelplug.potential("table:ka.table").energy(liquid().replace(positions=near))
    with pytest.raises(pelplug.InputError, match=r"knows the species A, B, not C; map names with --species"):
        pelplug.potential("table:ka.table").energy(liquid().replace(species=["C"] * 125))
