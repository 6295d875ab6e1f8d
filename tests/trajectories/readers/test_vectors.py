"""Cells that do not have a along x: distances and displacements as they are in the file, in every format."""

import itertools
import sqlite3
import struct
import warnings

import h5py
import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.analysis.distances import distance_array
from MDAnalysis.lib.formats.libdcd import DCDFile
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile

from pelplug import InputError, analyze, open_trajectory
from pelplug.testing import states
from pelplug.trajectories.readers import boxes

# An fcc crystal of 27 atoms, 4 apart, in 3 x 3 x 3 primitive cells, whose vectors lie along (0 1 1), (1 0 1), (1 1 0).
PRIMITIVE = 4.0 / np.sqrt(2.0) * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
CELL = 3 * PRIMITIVE
SITES = np.array(list(itertools.product(range(3), repeat=3))) @ PRIMITIVE
TURN = states.rotation(3, 5)
N = len(SITES)


def neighbours(conf, reach=4.4) -> tuple[float, set]:
    """Nearest distance and numbers of neighbours, over all images within two cells."""
    x, cell = np.asarray(conf.positions), np.asarray(conf.cell)
    shifts = np.array(list(itertools.product(range(-2, 3), repeat=3))) @ cell
    distance = np.linalg.norm(x[None, :, None] - x[None, None] + shifts[:, None, None], axis=3)
    distance[distance < 1e-9] = np.inf
    return float(distance.min()), set((distance < reach).sum(axis=(0, 2)).tolist())


def walk(frames=6, cell=CELL, sites=SITES, seed=3):
    """Wrapped positions of a random walk, and its mean squared displacement from frame 0."""
    rng = np.random.default_rng(seed)
    paths = sites + np.concatenate([np.zeros((1, N, 3)), np.cumsum(0.8 * rng.normal(size=(frames - 1, N, 3)), axis=0)])
    fractional = paths @ np.linalg.inv(cell)
    moved = paths - paths.mean(axis=1, keepdims=True)
    return (fractional - np.floor(fractional)) @ cell, np.mean(np.sum((moved - moved[0]) ** 2, axis=2), axis=1)


def lines(array, form="{:20.10f}"):
    return "\n".join("".join(form.format(value) for value in row) for row in array) + "\n"


def topology(folder):
    path = folder / "names.xyz"
    path.write_text(f"{N}\n\n" + "Ar 0 0 0\n" * N)
    return path


def as_aims(folder, x, cell):
    text = "".join(f"lattice_vector {a!r} {b!r} {c!r}\n" for a, b, c in cell.tolist())
    (folder / "a.in").write_text(text + "".join(f"atom {a!r} {b!r} {c!r} Ar\n" for a, b, c in x[0].tolist()))
    return open_trajectory(folder / "a.in")


def as_gro(folder, x, cell):
    nm, c = x[0] / 10, cell / 10
    atoms = "".join(f"{1:5d}AR   {'AR':>5}{k + 1:5d}" + "{:12.7f}{:12.7f}{:12.7f}\n".format(*nm[k]) for k in range(N))
    order = [c[0, 0], c[1, 1], c[2, 2], c[0, 1], c[0, 2], c[1, 0], c[1, 2], c[2, 0], c[2, 1]]
    (folder / "a.gro").write_text(f"fcc\n{N}\n{atoms}" + " ".join(f"{value:.7f}" for value in order) + "\n")
    return open_trajectory(folder / "a.gro")


def as_config(folder, x, cell):
    rows = "".join(f"Ar {k + 1}\n{lines(x[0, k : k + 1])}" for k in range(N))
    (folder / "CONFIG").write_text(f"fcc\n0 3 {N}\n{lines(cell)}{rows}")
    return open_trajectory(folder / "CONFIG")


def as_history(folder, x, cell):
    text = f"fcc\n0 3 {N} {len(x)} 0\n"
    for number, positions in enumerate(x):
        text += f"timestep {10 * number} {N} 0 3 0.001 {0.01 * number}\n{lines(cell)}"
        text += "".join(f"Ar {k + 1} 39.9 0.0\n{lines(positions[k : k + 1])}" for k in range(N))
    (folder / "HISTORY").write_text(text)
    return open_trajectory(folder / "HISTORY")


def as_xtc(folder, x, cell):
    with XTCFile(str(folder / "a.xtc"), "w") as file:
        for k, positions in enumerate(x):
            file.write((positions / 10).astype("f4"), (cell / 10).astype("f4"), 10 * k, 0.01 * k, 100000.0)
    return open_trajectory(folder / "a.xtc", topology=topology(folder))


def as_trr(folder, x, cell):
    with TRRFile(str(folder / "a.trr"), "w") as file:
        for k, positions in enumerate(x):
            empty = np.zeros((N, 3), "f4")
            file.write((positions / 10).astype("f4"), empty, empty, (cell / 10).astype("f4"), 10 * k, 0.01 * k, 0.0, N)
    return open_trajectory(folder / "a.trr", topology=topology(folder))


def as_charmm(folder, x, cell):
    """CHARMM turns the cell to a symmetric matrix, and the positions with it."""
    values, vectors = np.linalg.eigh(cell @ cell.T)
    symmetric = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    turn = np.linalg.inv(cell) @ symmetric
    with DCDFile(str(folder / "a.dcd"), "w") as file:
        file.write_header("* FCC", N, 0, 10, 0.02, 1)
        for positions in x:
            file.write((positions @ turn).astype("f4"), symmetric[[0, 1, 1, 2, 2, 2], [0, 0, 1, 0, 1, 2]])
    return open_trajectory(folder / "a.dcd", topology=topology(folder))


def as_dms(folder, x, cell):
    with sqlite3.connect(folder / "a.dms") as file:
        file.execute("CREATE TABLE global_cell (id INTEGER PRIMARY KEY, x REAL, y REAL, z REAL)")
        file.executemany("INSERT INTO global_cell (x, y, z) VALUES (?, ?, ?)", cell.tolist())
        file.execute(
            "CREATE TABLE particle (id INTEGER PRIMARY KEY, anum INTEGER, name TEXT, x REAL, y REAL, z REAL, vx REAL, "
            "vy REAL, vz REAL, resname TEXT, resid INTEGER, chain TEXT, segid TEXT, mass REAL, charge REAL)"
        )
        row = "INSERT INTO particle (anum, name, x, y, z, vx, vy, vz, resname, resid, chain, segid, mass, charge) "
        for position in x[0].tolist():
            values = (18, "Ar", *position, 0.0, 0.0, 0.0, "AR", 1, "A", "A", 39.9, 0.0)
            file.execute(row + f"VALUES ({', '.join('?' * 14)})", values)
        file.execute("CREATE TABLE bond (p0 INTEGER, p1 INTEGER, 'order' INTEGER)")
    return open_trajectory(folder / "a.dms")


def as_trz(folder, x, cell):
    universe = MDAnalysis.Universe.empty(N, trajectory=True, velocities=True)
    universe.dimensions = [10, 10, 10, 90, 90, 90]
    path = folder / "a.trz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with MDAnalysis.Writer(str(path), n_atoms=N) as writer:
            for k, positions in enumerate(x):
                universe.atoms.positions = positions
                universe.trajectory.ts.frame, universe.trajectory.ts.time = k, 0.01 * k
                writer.write(universe.atoms)
    upright = struct.pack("<9d", *np.eye(3).ravel())  # MDAnalysis writes a along x, in nm
    data = path.read_bytes()
    assert data.count(upright) == len(x)
    path.write_bytes(data.replace(upright, struct.pack("<9d", *(cell / 10).ravel())))
    return open_trajectory(path, topology=topology(folder))


def as_pdb(folder, x, cell):
    lengths = np.linalg.norm(cell, axis=1)
    angles = [np.degrees(np.arccos(cell[a] @ cell[b] / lengths[a] / lengths[b])) for a, b in ((1, 2), (0, 2), (0, 1))]
    text = "CRYST1{:9.3f}{:9.3f}{:9.3f}{:7.2f}{:7.2f}{:7.2f} P 1           1\n".format(*lengths, *angles)
    for k, row in enumerate(np.linalg.inv(cell).T):
        text += f"SCALE{k + 1}    " + "{:10.6f}{:10.6f}{:10.6f}".format(*row) + f"     {0:10.5f}\n"
    for k, position in enumerate(x[0]):
        text += f"ATOM  {k + 1:5d}  AR  AR  A   1    " + "{:8.3f}{:8.3f}{:8.3f}".format(*position)
        text += "  1.00  0.00          Ar\n"
    (folder / "a.pdb").write_text(text + "END\n")
    return open_trajectory(folder / "a.pdb")


def as_mmcif(folder, x, cell):
    pytest.importorskip("gemmi", reason="pip install gemmi (MDAnalysis reads mmCIF with it)")
    lengths = np.linalg.norm(cell, axis=1)
    text = "data_fcc\n" + "".join(f"_cell.length_{a} {b:.6f}\n" for a, b in zip("abc", lengths, strict=True))
    pairs = {"alpha": (1, 2), "beta": (0, 2), "gamma": (0, 1)}
    for name, (a, b) in pairs.items():
        text += f"_cell.angle_{name} {np.degrees(np.arccos(cell[a] @ cell[b] / lengths[a] / lengths[b])):.6f}\n"
    for k, row in enumerate(np.linalg.inv(cell).T):
        text += "".join(f"_atom_sites.fract_transf_matrix[{k + 1}][{j + 1}] {row[j]:.9f}\n" for j in range(3))
        text += f"_atom_sites.fract_transf_vector[{k + 1}] 0.0\n"
    names = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_entity_id label_seq_id"
    )
    names += " Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv auth_seq_id auth_asym_id pdbx_PDB_model_num"
    text += "loop_\n" + "".join(f"_atom_site.{name}\n" for name in names.split())
    for k, position in enumerate(x[0]):
        text += f"ATOM {k + 1} Ar AR . AR A 1 1 " + "{:.5f} {:.5f} {:.5f}".format(*position) + " 1.0 0.0 1 A 1\n"
    (folder / "a.cif").write_text(text)
    return open_trajectory(folder / "a.cif")


def as_extxyz(folder, x, cell):
    head = f'{N}\nLattice="{" ".join(map(repr, cell.ravel().tolist()))}" Properties=species:S:1:pos:R:3 '
    text = "".join(head + f"step={10 * k} time={0.01 * k}\n" + "".join(f"Ar {lines([row])}" for row in positions)
                   for k, positions in enumerate(x))  # fmt: skip
    (folder / "a.xyz").write_text(text)
    return open_trajectory(folder / "a.xyz")


def as_h5md(folder, x, cell):
    with h5py.File(folder / "a.h5md", "w") as file:
        group = file.create_group("particles/all")
        group["position/value"], group["position/step"] = x, 10 * np.arange(len(x))
        group["position/time"] = 0.01 * np.arange(len(x))
        group["species"] = np.full(N, 18)
        group.create_group("box").attrs["boundary"] = ["periodic"] * 3
        group["box/edges"] = cell
    return open_trajectory(folder / "a.h5md")


def as_dump(folder, x, cell):
    """LAMMPS's general triclinic box: three vectors and the origin."""
    origin = np.array([0.3, -0.7, 1.1])
    text = ""
    for k, positions in enumerate(x):
        text += f"ITEM: TIMESTEP\n{10 * k}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS abc origin pp pp pp\n"
        text += "".join(f"{lines([[*row, low]])}" for row, low in zip(cell, origin, strict=True))
        text += "ITEM: ATOMS id type x y z ix iy iz\n"
        text += "".join(f"{i + 1} 1 {lines([row]).rstrip()} 0 0 0\n" for i, row in enumerate(positions + origin))
    (folder / "a.dump").write_text(text)
    return open_trajectory(folder / "a.dump")


SINGLE = [as_aims, as_gro, as_config, as_dms, as_pdb, as_mmcif]
MANY = [as_history, as_xtc, as_trr, as_charmm, as_trz, as_extxyz, as_h5md, as_dump]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cell", [CELL, CELL @ TURN, CELL[[1, 0, 2]]], ids=["fcc", "turned", "left-handed"])
@pytest.mark.parametrize("make", SINGLE + MANY, ids=lambda make: make.__name__)
def test_neighbours_of_a_crystal(tmp_path, make, cell):
    """4.0 and twelve neighbours, whichever way the cell lies; MDAnalysis's universe has the same."""
    turn = TURN if cell is not CELL and np.linalg.det(cell) * np.linalg.det(CELL) > 0 else np.eye(3)
    trajectory = make(tmp_path, SITES[None] @ turn, cell)
    conf = trajectory[0]
    nearest, counts = neighbours(conf)
    assert nearest == pytest.approx(4.0, abs=0.01) and counts == {12}
    assert conf.frame == 0 and conf.dimension == 3
    if make is not as_charmm:
        np.testing.assert_allclose(conf.positions, SITES @ turn, atol=1e-3)
        np.testing.assert_allclose(conf.cell, cell, atol=5e-3)
    ts = trajectory.reader[0]
    with_box = distance_array(ts.positions, ts.positions, box=ts.dimensions)
    assert np.sort(with_box, axis=1)[:, 1] == pytest.approx(4.0, abs=0.01)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [one for one in MANY if one is not as_dump], ids=lambda make: make.__name__)
def test_displacements_in_a_turned_cell(tmp_path, make):
    """Unwrapped by plain numpy before it was written: MDAnalysis's own cell gives 0.71 of such a walk."""
    x, msd = walk(cell=CELL @ TURN, sites=SITES @ TURN)
    trajectory = make(tmp_path, x, CELL @ TURN)
    found = np.array([conf.unwrapped_positions() for conf in trajectory.unwrapped()])
    found -= found.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(np.mean(np.sum((found - found[0]) ** 2, axis=2), axis=1), msd, rtol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_dynamics_of_a_turned_cell(tmp_path):
    x, msd = walk(cell=CELL @ TURN, sites=SITES @ TURN)
    as_xtc(tmp_path, x, CELL @ TURN).close()
    trajectory = open_trajectory(tmp_path / "a.xtc", topology=tmp_path / "names.xyz")
    found = analyze("dynamics", trajectory, quantities="msd", min_origins=1)
    last = found["msd"].sel(species="all") if "species" in found["msd"].dims else found["msd"]
    np.testing.assert_allclose(np.ravel(last.values)[-1], msd[-1], rtol=1e-3)


def test_a_flat_cell_is_flat_and_a_steep_one_is_not(tmp_path):
    path = tmp_path / "a.xyz"
    text = '2\nLattice="{}" Properties=species:S:1:pos:R:3\nA 1 1 0\nA 3 1 0\n'
    path.write_text(text.format("4 0 0 0 5 0 0 0 0"))
    assert open_trajectory(path)[0].dimension == 2
    path.write_text(text.format("0 4 4 4 0 4 4 4 0"))  # c has no height of its own, the cell has
    assert open_trajectory(path)[0].dimension == 3
    path.write_text(text.format("0 0 4 4 0 0 0 4 0"))
    assert open_trajectory(path)[0].dimension == 3


@pytest.mark.parametrize(
    ("numbers", "remarks", "expected"),
    [
        ([40, 0, 41, 0, 0, 42], "", np.diag([40.0, 41, 42])),
        ([40, 90, 41, 90, 90, 42], "Created by NAMD", np.diag([40.0, 41, 42])),
        ([10, 0.5, 10, 0, 0, 10], "Written by LAMMPS", [[10, 0, 0], [5, 75**0.5, 0], [0, 0, 10]]),
        ([10, 60, 10, 90, 90, 10], "REMARKS CREATED BY NAMD", [[10, 0, 0], [5, 75**0.5, 0], [0, 0, 10]]),
        # The same numbers are cosines elsewhere and vectors in CHARMM.
        ([10, 0.5, 10, 0, 0, 10], "* TITLE", [[10, 0.5, 0], [0.5, 10, 0], [0, 0, 10]]),
        ([30, 14, 31, 9, -2, 32], "", [[30, 14, 9], [14, 31, -2], [9, -2, 32]]),
        ([30, 14, 31, 9, 2, 32], "", [[30, 14, 9], [14, 31, 2], [9, 2, 32]]),  # no box has an angle of 2 degrees
        ([0, 90, 0, 90, 90, 0], "* TITLE", None),
    ],
)
def test_the_conventions_of_dcd(numbers, remarks, expected):
    found = boxes.of_dcd(numbers, remarks)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("numbers", [[10, -30, 10, 0, 0, 10], [10, 170, 10, 170, 170, 10], [10, 0, np.nan, 0, 0, 10]])
def test_no_box_by_any_convention_of_dcd(numbers):
    with pytest.raises(InputError, match=r"box"):
        boxes.of_dcd(numbers)


@pytest.mark.parametrize(("imcon", "match"), [(4, "octahedron"), (5, "dodecahedron"), (6, "along z"), (7, "hexagonal")])
def test_other_boundaries_of_dl_poly(tmp_path, imcon, match):
    as_config(tmp_path, SITES[None], CELL)
    path = tmp_path / "CONFIG"
    path.write_text(path.read_text().replace("0 3 27", f"0 {imcon} 27"))
    with pytest.raises(InputError, match=match):
        open_trajectory(path)


def test_steps_and_times_of_dl_poly(tmp_path):
    x, _ = walk()
    trajectory = as_history(tmp_path, x, CELL)
    assert [(conf.step, conf.time) for conf in trajectory] == [(10 * k, pytest.approx(0.01 * k)) for k in range(6)]
    (tmp_path / "HISTORY").write_text((tmp_path / "HISTORY").read_text().replace("0 3 27", "0 0 27", 1))
    with pytest.raises(InputError, match="no periodic box"):
        open_trajectory(tmp_path / "HISTORY")[0]
