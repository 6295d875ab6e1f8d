"""States and files without an ordinary answer: one sentence, or the right numbers with a word about what was left out.

Each case through the command line and through the library.
"""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from oracles.metals import write_table

import pelplug
from pelplug.cli import cli
from pelplug.files.gsd import GSDWriter
from pelplug.testing.crystals import crystal

mpl.use("Agg")
SMOOTH = ("--model", "kob-andersen", "--model-param", "truncation=smooth")
HARMONIC = ("--model", "harmonic-spheres", "--model-param", "dimension=2")
ANALYSES = ("inherent-structures", "kappa", "vibrations", "relaxation", "defects")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder):
    def write(configuration, name="traj.gsd"):
        with GSDWriter(folder / name, None) as writer:
            writer.write(configuration)
        return name

    return write


@pytest.fixture
def command(folder, capsys):
    """Run pelplug; give exit code and what it wrote to stderr, which is at most one sentence."""

    def command(*args):
        capsys.readouterr()
        code = 0
        try:
            cli.main([str(one) for one in args])
        except SystemExit as stop:
            code = stop.code or 0
        err = capsys.readouterr().err
        assert "Traceback" not in err
        if code:
            assert len(err.splitlines()) == 1, err
            assert err.startswith("pelplug: ")
            assert err.rstrip().endswith((".", ".)")), err
            assert len(err) < 600
        return code, err

    return command


def run(name, file, model, *more):
    return ("analyze", "--plugin", name, file, *model, "-o", "result.nc", *more)


# --- one particle -----------------------------------------------------------------------------------------------------


@pytest.fixture
def one():
    return pelplug.Configuration([[1.0, 1.0, 1.0]], [8.0] * 3, ["A"])


@pytest.mark.parametrize("name", ["kappa", "vibrations", "defects"])
def test_one_particle_has_no_pairs(command, write, one, name):
    code, err = command(*run(name, write(one), SMOOTH))
    assert code == 2
    assert "One particle" in err and "two or more" in err


@pytest.mark.parametrize("name", ["inherent-structures", "relaxation"])
def test_one_particle_is_its_own_inherent_structure(command, write, one, name):
    code, err = command(*run(name, write(one), SMOOTH, "--plot", "result.png"))
    assert (code, err) == (0, "")
    with xr.open_dataset("result.nc") as result:
        np.testing.assert_array_equal(result["positions"].values[0], one.positions)
        energy = "inherent_energy_per_particle" if name == "relaxation" else "energy"
        assert float(result[energy].values.ravel()[0]) == 0.0


def test_one_particle_is_quenched(command, write, one):
    assert command("quench", write(one), *SMOOTH, "-o", "is.gsd")[0] == 0
    np.testing.assert_allclose(pelplug.read_configuration("is.gsd").positions, one.positions, atol=1e-6)


def test_one_particle_in_the_library(one):
    potential = pelplug.model("kob-andersen", truncation="smooth").potential(one)
    quenched = pelplug.quench(one, potential).require_converged()
    assert quenched.energy == 0.0
    with pytest.raises(pelplug.InputError, match="One particle has no pairs"):
        pelplug.LinearResponse(quenched.configuration, potential)


# --- rattlers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packing():
    """Harmonic discs at a minimum, and the same with a small disc that touches nothing as the last particle."""
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=1.0)
    start = model.random_configuration(100, 5)
    state = pelplug.quench(start, model.potential(start), force_tolerance=1e-13).require_converged().configuration
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 200, endpoint=False)] * 2), -1).reshape(-1, 2) @ state.cell
    away = grid[:, None] - state.positions
    away -= np.rint(away @ np.linalg.inv(state.cell)) @ state.cell
    room = (np.linalg.norm(away, axis=2) - 0.5 * state.diameters).min(axis=1)
    small = 0.8 * room.max()
    assert small > 0
    with_floater = state.replace(
        positions=np.vstack([state.positions, grid[np.argmax(room)]]),
        species=np.append(state.species, state.species[0]),
        diameters=np.append(state.diameters, small),
    )
    return model, state, with_floater


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
def test_a_floater_is_taken_out_and_reported(command, write, packing, name):
    _, state, with_floater = packing
    results = []
    more = ("--force-tolerance", "1e-13", *(("--soft-modes", "10") if name == "kappa" else ()))
    for k, configuration in enumerate((state, with_floater)):
        file = write(configuration, f"{k}.gsd")
        assert command(*run(name, file, HARMONIC, *more, "--overwrite", "--plot", f"{k}.png"))[0] == 0
        results.append(xr.load_dataset("result.nc"))
    without, with_one = results
    assert int(with_one["n_rattlers"][0]) == int(without["n_rattlers"][0]) + 1
    if name == "vibrations":
        np.testing.assert_allclose(with_one["omega"], without["omega"], rtol=1e-4)
        assert int(with_one["n_modes"][0]) == 2 * (state.n - int(without["n_rattlers"][0])) - 2
        return
    assert np.isnan(with_one["kappa"].values[0, -1])
    np.testing.assert_allclose(with_one["kappa"].values[0, :-1], without["kappa"].values[0], rtol=1e-3)
    assert float(with_one["soft_mode_stiffness"][0]) == pytest.approx(
        float(without["soft_mode_stiffness"][0]), rel=1e-3
    )
    assert (with_one["softest_mode"].values[0, -1] == 0).all()


def test_a_floater_in_the_library(packing):
    model, state, with_floater = packing
    alone = pelplug.LinearResponse(state, model.potential(state))
    response = pelplug.LinearResponse(with_floater, model.potential(with_floater))
    assert response.rattlers[-1]
    assert response.n_rattlers == alone.n_rattlers + 1
    np.testing.assert_allclose(
        pelplug.dipole_stiffness(response).kappa_ij, pelplug.dipole_stiffness(alone).kappa_ij, rtol=1e-10
    )


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
def test_nothing_but_rattlers(command, write, name):
    rng = np.random.default_rng(0)
    far = pelplug.Configuration(rng.uniform(0, 60, (20, 2)), [60.0] * 2, ["A"] * 20, diameters=np.ones(20))
    code, err = command(*run(name, write(far), HARMONIC))
    assert code == 1
    assert "All 20 particles are rattlers" in err and "use a denser state" in err


# --- crystals: degenerate modes, and unstable ones --------------------------------------------------------------------

EDGE = 1.5496


def dispersion(cells, edge, potential):
    """Squared frequencies from the dynamical matrix of one atom, at every wave vector the periodic cell allows."""
    reach = int(np.ceil(potential.cutoff / edge)) + 1
    half = np.array(list(itertools.product(range(-2 * reach, 2 * reach + 1), repeat=3)))
    vectors = half[half.sum(axis=1) % 2 == 0] * edge / 2
    length = np.linalg.norm(vectors, axis=1)
    near = (length > 0) & (length < potential.cutoff)
    vectors, length = vectors[near], length[near]
    pair = pelplug.Configuration([[0.0, 0, 0], [1.0, 0, 0]], [50.0] * 3, ["A", "A"])
    first, second = np.empty(length.size), np.empty(length.size)
    for k, r in enumerate(length):
        apart = pair.replace(positions=[[0, 0, 0], [r, 0, 0]])
        hessian = potential.hessian(apart).toarray()
        second[k], first[k] = hessian[0, 0], hessian[1, 1] * r
    unit = vectors / length[:, None]
    along = np.einsum("na,nb->nab", unit, unit)
    block = second[:, None, None] * along + (first / length)[:, None, None] * (np.eye(3) - along)
    primitive = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * edge
    seen, values = set(), []
    for m in itertools.product(range(-2 * cells, 2 * cells + 1), repeat=3):
        k = 2 * np.pi * np.array(m) / (cells * edge)
        phases = tuple(np.round((primitive @ k / (2 * np.pi)) % 1.0, 9) % 1.0)
        if phases not in seen:
            seen.add(phases)
            values.extend(np.linalg.eigvalsh(np.einsum("n,nab->ab", 1 - np.cos(vectors @ k), block)))
    assert len(seen) == 4 * cells**3
    return np.sort(values)


def test_degenerate_modes_of_a_crystal_by_dispersion(command, write):
    state = crystal("fcc", 4, density=4 / EDGE**3)
    potential = pelplug.model("kob-andersen", truncation="smooth").potential(state)
    expected = dispersion(4, EDGE, potential)
    assert np.abs(expected[:3]).max() < 1e-9 < expected[3]
    for modes in ("all", 40):
        assert (
            command(*run("vibrations", write(state), SMOOTH, "--modes", modes, "--overwrite", "--plot", "v.png"))[0]
            == 0
        )
        omega = xr.load_dataset("result.nc")["omega"].values
        np.testing.assert_allclose(omega, np.sqrt(expected[3 : 3 + omega.size]), rtol=1e-6)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_kappa_of_a_crystal_by_a_pseudo_inverse(command, write, solver):
    state = crystal("fcc", 4, density=4 / EDGE**3)
    assert command(*run("kappa", write(state), SMOOTH, "--solver", solver, "--plot", "k.png"))[0] == 0
    result = xr.load_dataset("result.nc")
    exact = pelplug.Configuration(result["positions"].values[0], result["cell"].values[0], state.species)
    potential = pelplug.model("kob-andersen", truncation="smooth").potential(exact)
    pairs = potential.pairs(exact)
    inverse = np.linalg.pinv(potential.hessian(exact).toarray(), hermitian=True, rcond=1e-10)
    places = {pair: k for k, pair in enumerate(zip(result["pair_i"].values, result["pair_j"].values, strict=True))}
    assert len(places) == len(pairs)
    for p in range(0, len(pairs), 500):
        dipole = np.zeros((exact.n, 3))
        dipole[pairs.j[p]] = pairs.vectors[p] / pairs.distances[p] / np.sqrt(2)
        dipole[pairs.i[p]] -= dipole[pairs.j[p]]
        z = inverse @ dipole.ravel()
        expected = (dipole.ravel() @ z) / (z @ z)
        found = result["kappa_ij"].values[places[pairs.i[p], pairs.j[p]]]
        assert found == pytest.approx(expected, rel=1e-8)
    # Every particle is like every other.
    np.testing.assert_allclose(result["kappa"], float(result["kappa_mean"]), rtol=1e-9)


def lattice(kind):
    """A simple cubic Lennard-Jones crystal, and a square one of discs under pressure: stationary, but no minima."""
    if kind == "cubic":
        positions = np.array(list(itertools.product(range(6), repeat=3))) * 1.05
        return pelplug.Configuration(positions, [6.3] * 3, ["A"] * 216), SMOOTH
    positions = np.array(list(itertools.product(range(10), repeat=2))) * 0.95
    return pelplug.Configuration(positions, [9.5] * 2, ["A"] * 100, diameters=np.ones(100)), HARMONIC


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
@pytest.mark.parametrize("kind", ["cubic", "square"])
def test_a_crystal_that_is_no_minimum(command, write, name, kind):
    state, model = lattice(kind)
    code, err = command(*run(name, write(state), model))
    assert code == 1
    assert "not a minimum: its Hessian has a negative eigenvalue" in err


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
def test_a_crystal_with_zero_modes(command, write, name):
    # Discs that just touch: unstressed, and rows of the square lattice slide for free. Rattlers have three contacts
    # or fewer, these have four.
    spacing = 1 - 1e-9
    positions = np.array(list(itertools.product(range(8), repeat=2))) * spacing
    state = pelplug.Configuration(positions, [8 * spacing] * 2, ["A"] * 64, diameters=np.ones(64))
    code, err = command(*run(name, write(state), HARMONIC))
    assert code == 1
    assert "not a minimum: its Hessian has a" in err
    assert "zero" in err or "negative eigenvalue" in err
    with pytest.raises(pelplug.NotAMinimumError, match="not a minimum"):
        pelplug.LinearResponse(state, pelplug.model("harmonic-spheres", dimension=2).potential(state))


# --- EAM files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def metal(write):
    start = np.array(list(itertools.product(range(3), repeat=3))) * 3.0
    return write(pelplug.Configuration(start, [9.0] * 3, np.resize(["Cu", "Zr"], 27)))


def eam_commands(file, eam):
    model = ("--model", "eam", "--model-param", f"file={eam}")
    yield from (run(name, file, model) for name in ANALYSES)
    yield ("quench", file, *model, "-o", "is.gsd")


def test_an_eam_file_that_is_cut_off(command, metal, folder):
    write_table(folder / "cut.eam.fs", "fs", n_r=100, n_rho=100, change=lambda lines: lines[:-3])
    for args in eam_commands(metal, "cut.eam.fs"):
        code, err = command(*args)
        assert code == 2
        assert "cut.eam.fs is cut off" in err and "get a complete copy" in err
    with pytest.raises(pelplug.InputError, match="is cut off"):
        pelplug.model("eam", file=folder / "cut.eam.fs")


def test_an_eam_file_that_lacks_an_element(command, metal, folder):
    write_table(folder / "copper.eam.fs", "fs", n_r=100, n_rho=100, elements=("Cu",))
    for args in eam_commands(metal, "copper.eam.fs"):
        code, err = command(*args)
        assert code == 2
        assert "Zr" in err and "Cu" in err
    model = pelplug.model("eam", file=folder / "copper.eam.fs")
    with pytest.raises(pelplug.InputError, match="Zr"):
        model.potential(pelplug.read_configuration(metal))


def test_an_eam_file_that_is_not_there(command, metal):
    for args in eam_commands(metal, "nowhere.eam.fs"):
        code, err = command(*args)
        assert code == 2
        assert "nowhere.eam.fs cannot be read" in err


# --- diameters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [HARMONIC, ("--model", "polydisperse-soft-spheres-2d")], ids=["harmonic", "soft-spheres"]
)
def test_a_polydisperse_model_without_diameters(command, write, model):
    start = pelplug.model("inverse-power-law-2d").random_configuration(50, 1)
    file = write(start.replace(species=["A"] * 50))
    for args in (*(run(name, file, model) for name in ANALYSES), ("quench", file, *model, "-o", "is.gsd")):
        code, err = command(*args)
        assert code == 2
        assert "needs the diameter of each particle" in err and "pass diameters=" in err
    options = {"dimension": 2} if "harmonic-spheres" in model else {}
    with pytest.raises(pelplug.InputError, match="needs the diameter of each particle"):
        pelplug.model(model[1], **options).potential(pelplug.read_configuration(file))
