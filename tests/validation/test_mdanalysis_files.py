"""Every file of MDAnalysisTests: read as it stands, or refused for a reason that is true.

Cells, positions, times and species are compared with plain parsing and with MDAnalysis as it is, and from five frames
on the mean squared displacement with plain numpy (`oracles.raw_frames`). Run::

    pytest -m validation tests/validation/test_mdanalysis_files.py
    python tests/validation/test_mdanalysis_files.py          # the table of docs/trajectories.md
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import functools
import importlib.util
import itertools
import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import MDAnalysis
from MDAnalysis.lib.mdamath import triclinic_vectors
from oracles import raw_frames

import pelplug
from pelplug.trajectories.readers.detect import detect_format

pytestmark = [pytest.mark.validation, pytest.mark.filterwarnings("ignore")]

datafiles = pytest.importorskip("MDAnalysisTests.datafiles", reason="pip install MDAnalysisTests (it has the files)")

FRAMES = 12  # compared of each file
# Pairs as MDAnalysis's own tests have them: trajectory, topology, and the format where the ending does not tell.
PAIRS = """
    COORDINATES_XTC=COORDINATES_TOPOLOGY COORDINATES_TRR=COORDINATES_TOPOLOGY COORDINATES_DCD=COORDINATES_TOPOLOGY
    COORDINATES_H5MD=COORDINATES_TOPOLOGY COORDINATES_TNG=COORDINATES_TOPOLOGY COORDINATES_XYZ=COORDINATES_TOPOLOGY
    COORDINATES_XYZ_BZ2=COORDINATES_TOPOLOGY XTC=GRO TRR=GRO DCD=PSF DCD2=PSF DCD_NAMD_GBIS=PSF_NAMD_GBIS
    DCD_NAMD_TRICLINIC=PSF_NAMD_TRICLINIC DCD_TRICLINIC=PSF_TRICLINIC LAMMPSdcd2=LAMMPSdata2 waterDCD=waterPSF
    AUX_EDR_XTC=AUX_EDR_TPR XTC_MEMPROT=GRO_MEMPROT XTC_sub_sol=PDB_sub_sol TRR_sub_sol=PDB_sub_sol TRR_xvf=TPR_xvf
    RANDOM_WALK=RANDOM_WALK_TOPO SURFACE_TRR=SURFACE_PDB XTC_multi_frame=TEN_ATOMS TRR_multi_frame=TEN_ATOMS
    CPPTRAJ_TRAJ=CPPTRAJ_TRAJ_TOP TRJ=PRM TRJ_bz2=PRM WIN_TRJ=PRM TRJ12_bz2=PRM12 TRJpbc_bz2=PRMpbc TRJncdf=PRMncdf
    NCDF=PRMncdf PFncdf_Trj=PFncdf_Top TRJ_NCBOX=PRM_NCBOX NCDFtruncoct=PRM7 INPCRD=XYZ_five RST7_ala2=PRM7_ala2
    TRZ=TRZ_psf trz4data=TRZ_psf TRC_TRAJ1_VAC=TRC_PDB_VAC TRC_TRAJ1_VAC_EXTRA_POS=TRC_PDB_VAC
    TRC_TRAJ1_VAC_MISSING_POS=TRC_PDB_VAC TRC_TRAJ1_VAC_WHITESPACE=TRC_PDB_VAC TRC_TRAJ2_VAC=TRC_PDB_VAC
    TRC_TRAJ_SOLV=TRC_PDB_SOLV TRC_TRICLINIC_SOLV=TRC_PDB_SOLV TRC_TRUNCOCT_VAC=TRC_PDB_VAC
    TRC_GENBOX_ORIGIN=TRC_PDB_VAC TRC_GENBOX_EULER=TRC_PDB_VAC TRC_EMPTY=TRC_PDB_VAC TRC_CLUSTER_VAC=TRC_PDB_VAC
    TNG_traj=TNG_traj_gro TNG_traj_uneven_blocks=TNG_traj_gro TNG_traj_vels_forces=TNG_traj_gro NAMDBIN=PDB_small
    XYZ=XYZ_psf XYZ_bz2=XYZ_psf H5MD_xvf=TPR_xvf CRD=PSF PDB_NAMD=PSF_NAMD RNA_PDB=RNA_PSF
    LAMMPSDUMP_additional_columns=LAMMPSdata_additional_columns
"""
TOPOLOGIES = dict(re.findall(r"(\w+)=(\w+)", PAIRS))
LAMMPS_DCD = "ifabp_apo_100mM.dcd"  # whose times MDAnalysis takes to be in AKMA units
OCTAHEDRA = ("anti.top",)  # whose trajectory keeps lengths only: POINTERS has IFBOX = 2
FORMATS = {"LAMMPScnt2": "DATA", "LAMMPShyd2": "DATA", "PDBX": "MMCIF", "TRC_CLUSTER_VAC": "TRC", "XPDB_small": "XPDB"}


def path_of(name: str) -> str | None:
    """The file of an entry, or None if it is a folder."""
    path = str(getattr(datafiles, name))
    return path if os.path.isfile(path) else None


NAMES = [name for name in sorted(datafiles.__all__) if path_of(name)]


@dataclasses.dataclass
class Outcome:
    """What became of an entry: its format, and what was compared or why it was refused."""

    name: str
    kind: str
    read: bool
    what: str


@functools.cache
def ten_atoms() -> str:
    """A topology for the two files of MDAnalysisTests that have none."""
    import tempfile

    path = os.path.join(tempfile.mkdtemp(), "ten.xyz")
    Path(path).write_text("10\n\n" + "A 0 0 0\n" * 10)
    return path


def examine(name: str) -> Outcome:
    """Read an entry and compare it, or prove the reason of its refusal."""
    path, kind = path_of(name), FORMATS.get(name)
    topology = TOPOLOGIES.get(name)
    topology = topology and (ten_atoms() if topology == "TEN_ATOMS" else path_of(topology))
    found = kind or detect_format(path)
    try:
        trajectory = pelplug.open_trajectory(path, topology=topology, format=kind)
    except pelplug.InputError as error:
        return Outcome(name, found, False, prove(str(error), found, path, topology, 0))
    compared = 0
    number = 0
    raws = raw_frames.frames(trajectory.format, path, trajectory.n, FRAMES)
    seen = []
    try:
        for number in range(min(len(trajectory), FRAMES)):
            conf = trajectory[number]
            raw = next(raws)
            compare(conf, raw, trajectory, number)
            seen.append((np.asarray(raw.positions, dtype=float), conf.cell if raw.cell is None else raw.cell))
            compared += 1
    except pelplug.InputError as error:
        return Outcome(name, trajectory.format, False, prove(str(error), trajectory.format, path, topology, number))
    check_species(trajectory, path, topology, kind)
    what = f"{compared} of {len(trajectory)} frames" if len(trajectory) > 1 else "1 frame"
    if compared >= 5:
        what += ", " + check_displacements(trajectory, seen)
    return Outcome(name, trajectory.format, True, what)


def compare(conf, raw, trajectory, number: int) -> None:
    """Compare a frame with what stands in the file."""
    assert conf.frame == number
    x, d = np.asarray(raw.positions, dtype=float), conf.dimension
    if trajectory.topology and trajectory.topology.name in OCTAHEDRA:  # MDAnalysis assumes right angles
        raw.cell = triclinic_vectors([*np.diag(raw.cell), *[np.degrees(np.arccos(-1 / 3))] * 3], dtype=float)
    if raw.cell is not None:
        np.testing.assert_allclose(conf.cell, raw.cell[:d, :d], rtol=2e-6, atol=2e-5 * np.abs(raw.cell).max())
    moved = (conf.unwrapped_positions() if trajectory.format in raw_frames.OWN else conf.positions) - x[:, :d]
    if trajectory.format in raw_frames.OWN:  # wrapped, or with the origin of the box elsewhere
        turns = moved @ np.linalg.inv(conf.cell)
        moved = (turns - np.rint(turns)) @ conf.cell
    assert np.abs(moved).max() <= 1e-5 * max(1.0, np.abs(x).max())
    if conf.time is not None and raw.time is not None and trajectory.path.name != LAMMPS_DCD:
        assert conf.time == pytest.approx(raw.time, rel=1e-6)
    if raw.step is not None:
        assert conf.step == raw.step
    if raw.species is not None:
        assert set(zip(conf.species.tolist(), raw.species.tolist(), strict=True)).__len__() == len(set(raw.species))


def check_species(trajectory, path, topology, kind) -> None:
    """Species are the elements, types or names that MDAnalysis has, or that plain parsing gave (`compare`)."""
    if trajectory.format in ("GSD", "LAMMPSDUMP", "H5MD") and topology is None:
        return
    known = topology or path
    try:
        atoms = MDAnalysis.Universe(known, topology_format=None if topology else kind, to_guess=()).atoms
    except Exception:  # formats that MDAnalysis reads with its own name only
        return
    labels = [getattr(atoms, one).astype(str) for one in ("elements", "types", "names") if hasattr(atoms, one)]
    assert any(np.array_equal(trajectory.species, label) for label in labels)


def check_displacements(trajectory, seen) -> str:
    """Mean squared displacement from frame 0, against sums of displacements that preserve the toroidal view.

    In a cell that changes, the displacement of a step is that of the wrapped positions, and the crossings times the
    later cell (von Buelow, Bullerjahn and Hummer, J. Chem. Phys. 153, 021101 (2020)).
    """
    d = trajectory.dimension
    if trajectory.has("images") and trajectory.format not in ("GSD", "LAMMPSDUMP"):
        return "images of the file"
    fractional = [x[:, :d] @ np.linalg.inv(cell[:d, :d]) for x, cell in seen]
    steps = np.diff(fractional, axis=0)
    sure = np.abs(steps - np.rint(steps)).max() <= 0.45
    spread = (np.max(fractional, axis=0) - np.min(fractional, axis=0)).max()
    moved, expected = np.zeros_like(fractional[0]), [0.0]
    # Positions are wrapped around the origin or from it; each sees the cell grow from where it begins.
    low = -0.5 if np.abs(fractional[0]).max() < 0.55 and fractional[0].min() < -0.45 else 0.0
    for (before, after), (_, cell_before), (_, cell) in zip(
        itertools.pairwise(fractional), seen[:-1], seen[1:], strict=True
    ):
        inside_before, inside = before - np.floor(before - low), after - np.floor(after - low)
        turns = -np.rint(inside - inside_before) if spread <= 2 else np.floor(after) - np.floor(before)
        moved += inside @ cell[:d, :d] - inside_before @ cell_before[:d, :d] + turns @ cell[:d, :d]
        expected.append(float(np.mean(np.sum(moved**2, axis=1))))
    try:
        found = [conf.unwrapped_positions() for conf in trajectory.unwrapped(stop=len(seen))]
    except pelplug.InputError as error:
        if "both are possible" in str(error):
            assert np.abs(steps).max() > 0.5
            return "MSD refused: wrapped or not, one must say"
        assert not sure, error
        return "MSD refused: a particle moves half a cell between frames"
    msd = [float(np.mean(np.sum((one - found[0]) ** 2, axis=1))) for one in found]
    np.testing.assert_allclose(msd, expected, rtol=2e-4, atol=1e-6 * max(expected))
    return "MSD"


def plain(path, kind, topology):
    """MDAnalysis's own universe, or the error it raises."""
    try:
        arguments = [topology, path] if topology else [path]
        formats = {"format": kind} if kind in MDAnalysis._READERS else {}
        if not topology and kind in MDAnalysis._PARSERS:
            formats["topology_format"] = kind
        return MDAnalysis.Universe(*arguments, to_guess=(), **formats)
    except Exception as error:
        return error


def prove(sentence: str, kind: str, path: str, topology: str | None, number: int) -> str:
    """Check that the reason of a refusal is true; return it in short."""
    text = Path(path).read_bytes()
    own = "EXTXYZ" if kind == "XYZ" else kind

    def has(pattern):
        return re.search(pattern, sentence) is not None

    if has("is empty"):
        assert not text
        return "the file is empty"
    if has("is a topology"):
        assert kind in MDAnalysis._PARSERS and kind not in MDAnalysis._READERS
        return "a topology without positions: belongs behind `--topology`"
    if has("does not tell the species"):
        if own in raw_frames.OWN:
            raw = next(raw_frames.frames(own, path, 0, 1))
            assert raw.species is None
        else:
            assert kind not in MDAnalysis._PARSERS
        return "needs a topology"
    if has("no ending|is not one that pelplug reads|has no ending"):
        assert kind not in MDAnalysis._READERS and kind not in MDAnalysis._PARSERS
        return "not a format of positions"
    if needed := re.search(r"(?:pip|please) install (\w+)", sentence):
        module = needed.group(1)
        assert importlib.util.find_spec(module) is None
        return f"needs the package {module}"
    if has("times (shorter|longer) than"):  # H5MD in nm, and a topology in Angstrom
        boxes = [float(number) for number in re.findall(r"[\d.]+(?= long)|(?<=than the )[\d.]+", sentence)]
        assert boxes[1] == pytest.approx(10 * boxes[0], rel=1e-3) and b"nm" in text
        return "its box is another one than the topology's"
    if has("no periodic box"):
        if own in ("EXTXYZ",):
            universe = plain(topology or path, None, None)
            assert b"Lattice" not in text and (
                getattr(universe, "_trajectory", None) is None or universe.dimensions is None
            )
        else:
            raw = list(raw_frames.frames(kind, path, _atoms(topology, path, kind), number + 1))[number]
            assert raw.cell is None or abs(np.linalg.det(raw.cell)) == 0
        return "no periodic box"
    if has("not periodic along"):
        assert b"BOX BOUNDS" in text and not re.search(rb"BOX BOUNDS.* pp pp pp", text)
        return "not periodic in every direction"
    if has("middle of a line"):
        assert not text.endswith(b"\n")
        return "the last line is not complete"
    if has("no coordinates"):
        assert next(raw_frames.frames("LAMMPSDUMP", path, 0, 1), None) is None
        return "no coordinates"
    if has("atom style"):
        assert not re.search(rb"Atoms *# *(atomic|charge|bond|angle|molecular|full|sphere)", text)
        return "a LAMMPS data file whose atom style is not told"
    if has("columns instead of"):
        with raw_frames.opened(path) as file:
            lines = file.read().splitlines()
        stated = next(len(line.split()) - 2 for line in lines if line.startswith("ITEM: ATOMS"))
        begin = next(k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS")) + 1
        assert any(len(line.split()) != stated for line in lines[begin : begin + int(lines[3])])
        return "rows longer than their header"
    if has("cannot be read") and has(r"Frame \d"):
        universe = plain(path, kind, topology)
        with pytest.raises(Exception, match=""):
            universe.trajectory[number]
        return "a damaged frame"
    if has("cannot be read|has no frames"):
        assert isinstance(plain(path, kind, topology), Exception), sentence
        return "MDAnalysis cannot read it"
    raise AssertionError(f"a reason that is not known here: {sentence}")


def _atoms(topology, path, kind) -> int:
    universe = plain(topology or path, None if topology else kind, None)
    return universe.atoms.n_atoms


@pytest.mark.parametrize("name", NAMES)
def test_is_read_right_or_refused(name):
    examine(name)


def table() -> str:
    """Markdown: a line for each format, how many files were read and what became of the others."""
    import importlib.metadata

    warnings.simplefilter("ignore")
    rows = collections.defaultdict(list)
    for name in NAMES:
        try:
            outcome = examine(name)
        except Exception as error:
            outcome = Outcome(name, detect_format(path_of(name)), False, f"WRONG: {name}: {str(error)[:200]}")
        rows[outcome.kind or "(none)"].append(outcome)
    lines = ["| format | files | read | frames with an MSD | refused because |", "|---|---|---|---|---|"]
    for kind, found in sorted(rows.items()):
        reasons = collections.Counter(one.what for one in found if not one.read)
        msd = sum("MSD" in one.what and "refused" not in one.what for one in found)
        lines.append(
            f"| {kind} | {len(found)} | {sum(one.read for one in found)} | {msd or ''} | "
            f"{'; '.join(f'{what} ({count})' for what, count in reasons.most_common())} |"
        )
    versions = ", ".join(
        f"{one} {importlib.metadata.version(one)}" for one in ("MDAnalysis", "MDAnalysisTests", "numpy")
    )
    total = [one for found in rows.values() for one in found]
    head = f"{len(total)} files, {sum(one.read for one in total)} read; {versions}; {datetime.date.today()}."
    return "\n".join([head, "", *lines])


if __name__ == "__main__":
    print(table())
