"""XYZ, extended XYZ, GRO, XTC, TRR, DCD, PDB and H5MD, written by ASE, MDAnalysis and h5py."""

import gzip
import warnings

import ase
import ase.io
import h5py
import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.lib.mdamath import triclinic_box

from pelplug import InputError, open_trajectory, read_configuration

N = 20
CELL = np.array([[10.0, 0, 0], [2.0, 11.0, 0], [-1.0, 1.5, 12.0]])
# MDAnalysis warns about guesses and missing fields while the test writes its files; ours must be silent by itself.
quiet = pytest.mark.filterwarnings("ignore")


def paths(rng, frames=4):
    """Wrapped positions inside the cell, shape (frames, N, 3)."""
    return rng.random((frames, N, 3)) @ CELL


def atoms_of(positions, cell=CELL, **more):
    return ase.Atoms("Ar" * 15 + "Kr" * 5, positions=positions, cell=cell, pbc=True, **more)


@pytest.fixture
def universe():
    """A universe with names, whose frames are written by MDAnalysis's writers."""
    u = MDAnalysis.Universe.empty(N, n_residues=1, atom_resindex=[0] * N, residue_segindex=[0], trajectory=True)
    for attribute, value in (("names", ["A"] * 15 + ["B"] * 5), ("resnames", ["LIQ"]), ("resids", [1])):
        u.add_TopologyAttr(attribute, value)
    u.dimensions = triclinic_box(*CELL)
    return u


def write(universe, path, frames, velocities=None, **kwargs):
    """Write frames; every tenth step, 0.5 ps apart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with MDAnalysis.Writer(str(path), n_atoms=N, **kwargs) as writer:
            for k, positions in enumerate(frames):
                ts = universe.trajectory.ts
                universe.atoms.positions = positions
                if velocities is not None:
                    ts.has_velocities = True
                    universe.atoms.velocities = velocities[k]
                ts.frame, ts.time, ts.data["step"] = k, 0.5 * k, 10 * k
                writer.write(universe.atoms)
    return path


# extended XYZ, with ASE as the oracle


def test_extxyz_as_ase_reads_it(tmp_path):
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]  # a cell no format with angles could hold
    frames = []
    for k, positions in enumerate(paths(rng)):
        atoms = atoms_of(positions @ rotation, CELL @ rotation)
        atoms.info.update(step=10 * k, time=0.5 * k, comment='a "quoted" word = 3')
        atoms.arrays["diameter"] = rng.uniform(1, 2, N)
        atoms.arrays["vel"] = rng.normal(size=(N, 3))
        atoms.arrays["map_shift"] = rng.integers(-2, 3, (N, 3))
        frames.append(atoms)
    path = tmp_path / "a.extxyz"
    ase.io.write(path, frames)
    (tmp_path / "b.xyz.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("a.extxyz", "b.xyz.gz"):
        traj = open_trajectory(tmp_path / name, species={"Ar": "A", "Kr": "B"})
        assert len(traj) == 4 and traj.length_unit == "file"
        for k, (conf, theirs) in enumerate(zip(traj, ase.io.read(path, ":"), strict=True)):
            np.testing.assert_array_equal(conf.positions, theirs.positions)
            np.testing.assert_array_equal(conf.cell, theirs.cell.array)
            np.testing.assert_array_equal(conf.diameters, theirs.arrays["diameter"])
            np.testing.assert_array_equal(conf.velocities, theirs.arrays["vel"])
            np.testing.assert_array_equal(conf.images, theirs.arrays["map_shift"])
            assert list(conf.species) == ["A"] * 15 + ["B"] * 5
            assert (conf.step, conf.time) == (10 * k, 0.5 * k)
        assert traj.log(1)["comment"].endswith("word = 3")
    assert open_trajectory(path, dt=0.1)[3].time == pytest.approx(3.0)


def test_ovito_style_columns(tmp_path):
    """OVITO names columns and pairs in its own way."""
    path = tmp_path / "o.xyz"
    path.write_text(
        '2\nLattice="5 0 0 0 6 0 0 0 7" Properties=id:I:1:type:I:1:pos:R:3:radius:R:1:mass:R:1 Timestep=30 Time=1.5\n'
        "2 1 1 2 3 .5 1\n1 2 4 5 6 .7 2\n"
    )
    conf = read_configuration(path, species={"1": "A", "2": "B"})
    np.testing.assert_array_equal(conf.positions, [[4, 5, 6], [1, 2, 3]])
    np.testing.assert_array_equal(conf.diameters, [1.4, 1.0])
    assert list(conf.species) == ["B", "A"] and conf.step == 30 and conf.time == 1.5
    np.testing.assert_array_equal(conf.masses, [2, 1])


def test_plain_xyz_takes_its_box_from_the_topology(tmp_path, universe):
    rng = np.random.default_rng(1)
    frames = paths(rng)
    path = tmp_path / "plain.xyz"
    with open(path, "w") as file:
        for k, positions in enumerate(frames):
            file.write(f"{N}\nAtoms. Timestep: {10 * k}\n")
            for name, row in zip(universe.atoms.names, positions, strict=True):
                file.write(f"{name} {' '.join(repr(float(x)) for x in row)}\n")
    traj = open_trajectory(path)
    assert traj.species_names == ("A", "B")
    with pytest.raises(InputError, match=r"no periodic box; pass a topology .*--topology.* extxyz"):
        traj.configuration(0)
    gro = write(universe, tmp_path / "box.gro", frames[:1])
    traj = open_trajectory(path, topology=gro, dt=0.1)
    np.testing.assert_array_equal(traj[3].positions, frames[3])
    np.testing.assert_allclose(traj[3].cell, CELL, atol=1e-4)
    assert traj[3].step == 30 and traj[3].time == pytest.approx(3.0)


def test_two_dimensional_extxyz(tmp_path):
    path = tmp_path / "flat.extxyz"
    head = '2\nLattice="{}" Properties=species:S:1:pos:R:{} pbc="{}"\n'
    path.write_text(head.format("9 0 0 0 8 0 0 0 20", 3, "T T F") + "A 1 2 0\nA 3 4 0\n")
    conf = read_configuration(path)
    np.testing.assert_array_equal(conf.positions, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(conf.cell, [[9, 0], [0, 8]])
    path.write_text(head.format("9 0 0 0 8 0 0 0 20", 2, "T T F") + "A 1 2\nA 3 4\n")
    np.testing.assert_array_equal(read_configuration(path).positions, [[1, 2], [3, 4]])
    path.write_text(head.format("9 0 0 0 8 0 0 0 20", 3, "T T F") + "A 1 2 0\nA 3 4 1\n")
    with pytest.raises(InputError, match="not periodic along z"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("hello\n", "does not begin with a number of particles"),
        ('2\nLattice="1 2 3 4"\nA 0 0 0\nA 1 1 1\n', "not three cell vectors"),
        ('2\nLattice="5 0 0 0 5 0 0 0 5"\nA 0 0 0\n', "only 1 of 2"),
        ('2\nLattice="5 0 0 0 5 0 0 0 5"\nA 0 0 0\nA 1 x 1\n', "cannot be read"),
        ('2\nLattice="5 0 0 0 5 0 0 0 5"\nA 0 0 0\nA 1 nan 1\n', "NaN"),
        ('1\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:x:R:3\nA 0 0 0\n', "no pos column"),
        ('1\nLattice="5 0 0 0 5 0 0 0 5" Properties=pos:R:3\n0 0 0\n', "does not tell the species"),
    ],
)
def test_bad_xyz(tmp_path, text, match):
    path = tmp_path / "bad.xyz"
    path.write_text(text)
    with pytest.raises(InputError, match=match) as caught:
        read_configuration(path)
    assert "\n" not in str(caught.value)


# GRO, XTC, TRR, DCD, PDB


@quiet
@pytest.mark.parametrize(("ending", "tolerance"), [("xtc", 0.006), ("trr", 2e-5), ("dcd", 1e-5)])
def test_binary_trajectories_with_gro_or_pdb(tmp_path, universe, ending, tolerance):
    rng = np.random.default_rng(2)
    frames = paths(rng)
    velocities = rng.normal(size=frames.shape) if ending == "trr" else None
    options = {"dt": 0.5, "nsavc": 10} if ending == "dcd" else {}
    path = write(universe, tmp_path / f"t.{ending}", frames, velocities, **options)
    gro = write(universe, tmp_path / "t.gro", frames[:1])
    pdb = write(universe, tmp_path / "t.pdb", frames[:1])
    for topology in (gro, pdb):
        traj = open_trajectory(path, topology=topology)
        assert (len(traj), traj.n, traj.dimension, traj.length_unit) == (4, N, 3, "angstrom")
        for k, conf in enumerate(traj):
            np.testing.assert_allclose(conf.positions, frames[k], atol=tolerance)
            np.testing.assert_allclose(conf.cell, CELL, atol=2e-5)
            assert list(conf.species) == ["A"] * 15 + ["B"] * 5
            assert conf.time == pytest.approx(0.5 * k, abs=1e-4) and conf.step == 10 * k
    assert traj.has("velocities") is (ending == "trr")
    if ending == "trr":
        np.testing.assert_allclose(traj[2].velocities, velocities[2], rtol=1e-5, atol=1e-6)
    assert open_trajectory(path, topology=gro, dt=0.002)[3].time == pytest.approx(0.06, rel=1e-12)
    with pytest.raises(InputError, match=r"does not tell the species.*--topology"):
        open_trajectory(path)
    small = tmp_path / "small.gro"
    small.write_text("small\n    1\n    1LIQ      A    1   0.000   0.000   0.000\n   1.0   1.0   1.0\n")
    with pytest.raises(InputError, match=r"small\.gro"):
        open_trajectory(path, topology=small)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError):
        open_trajectory(path, topology=gro)


@quiet
@pytest.mark.parametrize(("ending", "tolerance"), [("gro", 0.006), ("pdb", 6e-4)])
def test_text_formats(tmp_path, universe, ending, tolerance):
    rng = np.random.default_rng(3)
    frames = paths(rng, 1)
    path = write(universe, tmp_path / f"t.{ending}", frames)
    conf = read_configuration(path, species={"A": "large"})
    np.testing.assert_allclose(conf.positions, frames[0], atol=tolerance)
    np.testing.assert_allclose(conf.cell, CELL, atol=0.03 if ending == "pdb" else 1e-4)
    assert conf.species_names == ("B", "large")
    with pytest.raises(InputError, match="no simulation steps"):
        open_trajectory(path, dt=0.1)


def test_elements_of_a_pdb_name_the_species(tmp_path):
    path = tmp_path / "silica.pdb"
    path.write_text(
        "CRYST1   10.000   11.000   12.000  90.00  90.00  90.00 P 1           1\n"
        "ATOM      1 Si   SIO     1       1.000   2.000   3.000  1.00  0.00          SI\n"
        "ATOM      2 O1   SIO     1       4.000   5.000   6.000  1.00  0.00           O\n"
        "ATOM      3 O2   SIO     1       7.000   8.000   9.000  1.00  0.00           O\nEND\n"
    )
    conf = read_configuration(path)
    assert list(conf.species) == ["Si", "O", "O"]
    np.testing.assert_array_equal(conf.cell, np.diag([10.0, 11, 12]))
    assert list(read_configuration(path, species={"O1": "A"}).species) == ["Si", "A", "O2"]


def test_reading_is_silent(tmp_path, universe):
    rng = np.random.default_rng(4)
    frames = paths(rng)
    files = [write(universe, tmp_path / f"s.{ending}", frames[:1]) for ending in ("gro", "pdb")]
    xtc = write(universe, tmp_path / "s.xtc", frames)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in files:
            read_configuration(path)
        for conf in open_trajectory(xtc, topology=files[0]):
            assert conf.n == N


# H5MD


@quiet
def test_h5md_by_mdanalysis(tmp_path, universe):
    rng = np.random.default_rng(5)
    frames = paths(rng)
    gro = write(universe, tmp_path / "t.gro", frames[:1])
    path = write(universe, tmp_path / "t.h5md", frames, timeunit="ps", lengthunit="Angstrom")
    traj = open_trajectory(path, topology=gro)
    for k, conf in enumerate(traj):
        np.testing.assert_array_equal(conf.positions, np.float32(frames[k]))
        np.testing.assert_allclose(conf.cell, CELL, atol=2e-5)
        assert conf.time == 0.5 * k and conf.step == 10 * k
    with pytest.raises(InputError, match="does not tell the species"):
        open_trajectory(path)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_h5md_in_float64_with_species_images_and_steps_of_its_own(tmp_path, d):
    rng = np.random.default_rng(6)
    positions, velocities = rng.random((2, 5, N, d))
    images = rng.integers(-2, 3, (5, N, d))
    edges = 1 + rng.random((5, d))
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/all")
        for name, value in (("position", positions), ("image", images)):
            group[f"{name}/value"] = value
            group[f"{name}/step"] = 100  # fixed increment
            group[f"{name}/step"].attrs["offset"] = 50
            group[f"{name}/time"] = 0.25
        group["velocity/value"] = velocities[::2]  # every other frame, listed one by one
        group["velocity/step"] = [50, 250, 450]
        group["box/edges/value"] = edges
        group["box/edges/step"] = 100
        group["box"].attrs["dimension"] = d
        group["box"].attrs["boundary"] = np.array(["periodic"] * d, dtype="S8")
        kinds = h5py.enum_dtype({"A": 1, "B": 7}, basetype="i1")
        group.create_dataset("species", data=np.where(np.arange(N) < 15, 1, 7), dtype=kinds)
        group["id"] = np.arange(N)[::-1]
        file["observables/energy/value"] = np.arange(5.0)
    traj = open_trajectory(path)
    assert traj.dimension == d and traj.species_names == ("A", "B")
    for k, conf in enumerate(traj):
        np.testing.assert_array_equal(conf.positions, positions[k][::-1])
        np.testing.assert_array_equal(conf.images, images[k][::-1])
        np.testing.assert_array_equal(conf.cell, np.diag(edges[k]))
        assert (conf.step, conf.time) == (50 + 100 * k, 0.25 * k)
        assert list(conf.species) == ["B"] * 5 + ["A"] * 15
        if k % 2 == 0:
            np.testing.assert_array_equal(conf.velocities, velocities[k][::-1])
        else:
            assert conf.velocities is None
    assert traj.log(3) == {"energy": 3.0}


def test_h5md_not_periodic_or_not_h5md(tmp_path):
    path = tmp_path / "t.h5md"
    with h5py.File(path, "w") as file:
        file["particles/all/position/value"] = np.random.default_rng(0).random((2, 4, 3))
        file["particles/all/species"] = [1, 1, 2, 2]
        file["particles/all/box/edges"] = [2.0, 2.0, 2.0]
        file["particles/all/box"].attrs["boundary"] = ["periodic", "none", "periodic"]
    with pytest.raises(InputError, match="not periodic along y"):
        read_configuration(path)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match="not an H5MD trajectory"):
        open_trajectory(path)
    path.write_text("hello")
    with pytest.raises(InputError, match="not an HDF5 file"):
        open_trajectory(path)
