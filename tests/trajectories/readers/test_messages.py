"""What readers say of files that they cannot read: the whole reason, once, with a way out; never a traceback."""

import bz2
import gzip
import importlib.util
import lzma
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.detect import PACKAGES

L, N = 5.0, 400


def extxyz(frames=6):
    rng = np.random.default_rng(0)
    walk = L * rng.random((N, 3)) + np.cumsum(rng.normal(0, 0.02, (frames, N, 3)), axis=0)
    text = []
    for k, frame in enumerate(walk % L):
        text.append(f'{N}\nLattice="{L} 0 0 0 {L} 0 0 0 {L}" time={k}\n')
        text += [f"A {x} {y} {z}\n" for x, y, z in frame]
    return "".join(text).encode()


def dump(frames=6):
    rng = np.random.default_rng(0)
    text = []
    for k, frame in enumerate(L * rng.random((frames, N, 3))):
        text.append(f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n" + f"0 {L}\n" * 3)
        text.append("ITEM: ATOMS id type x y z\n")
        text += [f"{i + 1} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(frame)]
    return "".join(text).encode()


def said(path, **options):
    with pytest.raises(InputError) as caught:
        pelplug.open_trajectory(path, **options)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 600
    return text


@pytest.mark.parametrize("content", [extxyz, dump])
@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)])
def test_a_compressed_file_that_is_cut_off(tmp_path, content, ending, pack):
    """A run that was killed: what the sentence says gets the frames that are whole."""
    frames = 60 if ending == "bz2" else 6  # bzip2 unpacks whole blocks of 900 kB only
    packed = pack(content(frames))
    name = f"a.{'xyz' if content is extxyz else 'dump'}"
    path = tmp_path / f"{name}.{ending}"
    path.write_bytes(packed[: int(0.9 * len(packed))])
    text = said(path)
    assert f"-dc '{name}.{ending}' > 'part-{name}'" in text
    subprocess.run(text.partition("unpacked: ")[2].rstrip("."), shell=True, cwd=tmp_path, stderr=subprocess.DEVNULL)
    with pelplug.open_trajectory(tmp_path / f"part-{name}") as trajectory:
        assert trajectory.n_frames > 2
        assert trajectory.configuration(1).n == N


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.gsd", b"hello world\n" * 30, "is not a GSD file but a text file; pass its true format (--format)"),
        ("a.xyz", b"hello world\n" * 30, "is not an XYZ file"),
        ("a.dump", b"hello world\n" * 30, "is not a LAMMPS text dump"),
        ("a.h5md", b"hello world\n" * 30, "is not an HDF5 file"),
    ],
)
def test_a_reason_is_given_once(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    text = said(tmp_path / name)
    assert words in text and text.count(str(tmp_path / name)) + text.count(f" {name}") <= 1
    assert "copy it again" not in text


@pytest.mark.parametrize(
    "ending", ["gro", "pdb", "mol2", "crd", "tpr", "txyz", "in", "config", "history", "dms", "gms"]
)
@pytest.mark.parametrize("content", [b"\x00\x01\xff junk\n" * 30, b"hello world\nthis is text\n" * 10])
def test_what_mdanalysis_says(tmp_path, capfd, ending, content):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    text = said(path)
    assert "parser" not in text and "<class" not in text and "(--format)" in text
    (tmp_path / "good.xyz").write_bytes(extxyz(1))
    text = said(tmp_path / "good.xyz", topology=path)
    assert "parser" not in text and "<class" not in text
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", ["xtc", "trr", "dcd", "ncdf", "trz", "trj", "trc", "nc", "inpcrd", "namdbin"])
@pytest.mark.parametrize("content", [b"\x00\x01\xff junk\n" * 30, b"hello world\nthis is text\n" * 10])
def test_files_of_another_kind_beside_a_topology(tmp_path, capfd, ending, content):
    """MDAnalysis's readers complain when they are thrown away half made; of this nobody hears."""
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    (tmp_path / "good.xyz").write_bytes(extxyz(1))
    answer = CliRunner().invoke(
        cli, ["analyze", "--plugin", "dynamics", str(path), "--topology", str(tmp_path / "good.xyz")]
    )
    assert answer.exit_code == 2 and answer.stderr.count("\n") == 1, answer.stderr
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_not_there(tmp_path, monkeypatch, name):
    module, package = PACKAGES[name]
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda one: None if one == module else find(one))
    path = tmp_path / f"a.{name.lower()}"
    path.write_bytes(b"something")
    (tmp_path / "good.xyz").write_bytes(extxyz(1))
    for options in ({}, {"topology": tmp_path / "good.xyz"}):
        text = said(path, format=name, **options)
        assert text.endswith(f"run: pip install {package}")


@pytest.mark.parametrize("name", ["IMD", "MEMORY", "OPENMMAPP", "PARMED", "RDKIT", "nonsense"])
def test_formats_that_are_no_files(tmp_path, name):
    (tmp_path / "a.xyz").write_bytes(extxyz(1))
    assert "is not one that pelplug reads; pass the format (--format)" in said(tmp_path / "a.xyz", format=name)


@pytest.mark.parametrize("name", ["XYZ", "xyz", ".xyz", "extxyz"])
def test_names_of_formats_that_mdanalysis_has(tmp_path, name):
    (tmp_path / "a.dat").write_bytes(extxyz(1))
    assert pelplug.open_trajectory(tmp_path / "a.dat", format=name).n == N


def test_format_nc_is_ambers_where_the_file_is(tmp_path):
    from scipy.io import netcdf_file

    with netcdf_file(tmp_path / "a.dat", "w", version=2) as file:
        file.Conventions, file.ConventionVersion, file.application = "AMBER", "1.0", "here"
        file.program, file.programVersion = "here", "1"
        for dim, size in (("frame", None), ("atom", 3), ("spatial", 3), ("cell_spatial", 3), ("cell_angular", 3)):
            file.createDimension(dim, size)
        coordinates = file.createVariable("coordinates", "f4", ("frame", "atom", "spatial"))
        coordinates.units = "angstrom"
        lengths = file.createVariable("cell_lengths", "f8", ("frame", "cell_spatial"))
        angles = file.createVariable("cell_angles", "f8", ("frame", "cell_angular"))
        times = file.createVariable("time", "f4", ("frame",))
        lengths.units, angles.units, times.units = "angstrom", "degree", "picosecond"
        for k in range(2):
            coordinates[k] = np.arange(9).reshape(3, 3) / 3 + k
            lengths[k], angles[k], times[k] = [9] * 3, [90] * 3, 0.5 * k
    (tmp_path / "top.xyz").write_text('3\nLattice="9 0 0 0 9 0 0 0 9"\n' + "A 0 0 0\n" * 3)
    with pelplug.open_trajectory(tmp_path / "a.dat", topology=tmp_path / "top.xyz", format="NC") as trajectory:
        assert [conf.time for conf in trajectory] == [0.0, 0.5]
        np.testing.assert_allclose(trajectory[1].positions, np.arange(9).reshape(3, 3) / 3 + 1, rtol=1e-6)


def test_reasons_in_one_line():
    long = "Failed to construct topology from file a.x with parser <class 'a.B'>.\nError: line 3\n\x00 is bad."
    assert reason_of(ValueError(long)) == "line 3 is bad"
    assert reason_of(KeyError()) == "KeyError" and len(reason_of(ValueError("x" * 900))) < 320


@pytest.mark.parametrize("name", ["a.xsf", "run.xsf"])
def test_what_ase_reads_and_mdanalysis_does_not(tmp_path, name):
    """The sentence tells the command that converts it, which then gives the same positions and cell."""
    ase = pytest.importorskip("ase")
    from ase.io import write

    positions = np.array([[1.0, 2.0, 3.0], [4.0, 1.5, 0.5], [2.5, 5.0, 4.0]])
    frames = [ase.Atoms("ArArKr", positions + 0.1 * k, cell=[6, 6.5, 7], pbc=True) for k in range(3)]
    write(tmp_path / name, frames, format="xsf")
    text = said(tmp_path / name)
    command = text.partition("then: ")[2].rstrip(".").replace("ase convert", f"{sys.executable} -m ase convert")
    subprocess.run(command, shell=True, check=True)
    with pelplug.open_trajectory(tmp_path / f"{name}.extxyz", frame_interval=1.0) as trajectory:
        last = trajectory[-1]
        moved = (last.positions - positions) @ np.linalg.inv(last.cell)
        expected = np.full((3, 3), 0.2) / [6, 6.5, 7]
        np.testing.assert_allclose(moved - np.rint(moved), expected, atol=1e-6)
        np.testing.assert_allclose(last.cell, np.diag([6, 6.5, 7]))
        assert last.species.tolist() == ["Ar", "Ar", "Kr"]
