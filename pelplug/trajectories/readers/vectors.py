"""MDAnalysis's readers, with the cell vectors that stand in the file: MDAnalysis itself keeps lengths and angles only.

Three lengths and three angles do not say which way the cell lies, and MDAnalysis makes vectors of them with a along x
and b in the xy plane. The readers here keep the vectors of the file, unturned like its positions, and turn both for
MDAnalysis where its convention asks for it.
"""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np
from MDAnalysis.coordinates.DCD import DCDReader
from MDAnalysis.coordinates.DLPoly import ConfigReader, HistoryReader
from MDAnalysis.coordinates.DMS import DMSReader
from MDAnalysis.coordinates.FHIAIMS import FHIAIMSReader
from MDAnalysis.coordinates.GRO import GROReader
from MDAnalysis.coordinates.INPCRD import INPReader
from MDAnalysis.coordinates.MMCIF import MMCIFReader
from MDAnalysis.coordinates.PDB import PDBReader
from MDAnalysis.coordinates.TNG import TNGReader
from MDAnalysis.coordinates.TPR import TPRReader
from MDAnalysis.coordinates.TRJ import TRJReader
from MDAnalysis.coordinates.TRR import TRRReader
from MDAnalysis.coordinates.TRZ import TRZReader
from MDAnalysis.coordinates.XTC import XTCReader
from MDAnalysis.lib.mdamath import triclinic_box
from MDAnalysis.lib.util import openany

from pelplug.errors import InputError
from pelplug.trajectories.readers import boxes
from pelplug.trajectories.readers.base import mdanalysis_cell
from pelplug.trajectories.readers.dcd import check_dcd
from pelplug.trajectories.readers.gro import GROFrames
from pelplug.trajectories.readers.xdr import GuardedTRR, GuardedXTC, check_first

__all__ = ["READERS", "keep_vectors"]

_NO_LATTICE = {4: "a truncated octahedron", 5: "a rhombic dodecahedron", 7: "a hexagonal prism"}


def keep_vectors(ts, vectors):
    """Give a timestep the cell vectors of its file.

    Parameters
    ----------
    ts : MDAnalysis.coordinates.timestep.Timestep
        Changed: ``ts.data["pelplug_vectors"]`` holds the vectors. Where MDAnalysis orients such a cell otherwise, its
        positions, velocities and forces are turned with it, and ``ts.data["pelplug_unturned"]`` holds those of the
        file by name.
    vectors : array_like, shape (3, 3), or None
        Cell vectors as rows, in the unit of ``ts.positions``; None or zeros if the frame has no box.
    """
    for key in ("pelplug_vectors", "pelplug_unturned"):
        ts.data.pop(key, None)
    vectors = None if vectors is None else np.array(vectors, dtype=np.float64)
    if vectors is None or not vectors.any():
        ts.dimensions = None
        return ts
    if not np.all(np.isfinite(vectors)):
        raise InputError("the cell contains NaN or infinity; the frame is damaged, leave it out or repair it")
    ts.data["pelplug_vectors"] = vectors
    cell, turn = mdanalysis_cell(vectors, 1.0)
    ts.dimensions = triclinic_box(*cell)
    if not np.array_equal(turn, np.eye(3)):
        names = [name for name in ("positions", "velocities", "forces") if getattr(ts, f"has_{name}")]
        ts.data["pelplug_unturned"] = {name: getattr(ts, name).copy() for name in names}
        for name in names:
            setattr(ts, name, getattr(ts, name) @ turn)
    return ts


def _nm(reader) -> float:
    """Return a nm in the unit of a reader's positions: Angstrom, unless it was told to leave the numbers alone."""
    return 10.0 if reader.convert_units else 1.0


class _Quiet:
    """A reader whose making failed says nothing more when it goes."""

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            super().__del__()


class _XDR(_Quiet):
    """Of XTC and TRR: frames are found and checked before they are read, and no offsets are stored."""

    def __init__(self, filename, **kwargs):
        check_first(filename, self._file.kind)
        super().__init__(filename, **kwargs)

    def _load_offsets(self) -> None:
        self._xdr.set_offsets(self._xdr.frames.offsets)

    def _read_frame(self, i):
        self._frame = i - 1
        self._xdr.seek(i)
        return self._read_next_timestep()

    def _frame_to_ts(self, frame, ts):
        return keep_vectors(super()._frame_to_ts(frame, ts), _nm(self) * frame.box.astype(np.float64))


class _XTC(_XDR, XTCReader):
    _file = GuardedXTC


class _TRR(_XDR, TRRReader):
    _file = GuardedTRR


class _TNG(_Quiet, TNGReader):
    def _frame_to_ts(self, curr_step, ts):
        ts = super()._frame_to_ts(curr_step, ts)
        box = getattr(self, "_box_temp", None)
        return ts if ts.dimensions is None or box is None else keep_vectors(ts, _nm(self) * box.reshape(3, 3))


class _DCD(_Quiet, DCDReader):
    def __init__(self, filename, **kwargs):
        self._cut = check_dcd(filename)
        super().__init__(filename, **kwargs)

    @property
    def n_frames(self):
        """Frames of the file; the last one may be cut off."""
        return len(self._file) + self._cut

    def _read_frame(self, i):
        self._whole(i)
        return super()._read_frame(i)

    def _read_next_timestep(self, ts=None):
        self._whole(self._frame + 1)
        return super()._read_next_timestep(ts)

    def _whole(self, frame):
        if self._cut and frame == len(self._file):
            raise InputError(
                f"Frame {frame} of {self.filename} is cut off: the file ends within it; use the frames before it."
            )

    def _frame_to_ts(self, frame, ts):
        ts = super()._frame_to_ts(frame, ts)
        return keep_vectors(ts, boxes.of_dcd(frame.unitcell, str(self._file.header.get("remarks", ""))))


class _TRZ(_Quiet, TRZReader):
    def _read_next_timestep(self, ts=None):
        start = self.trzfile.tell()
        ts = super()._read_next_timestep(ts)
        end = self.trzfile.tell()
        kind, offset = self._dtype.fields["box"][:2]
        self.trzfile.seek(start + offset)
        box = np.frombuffer(self.trzfile.read(kind.itemsize), "<f8")
        self.trzfile.seek(end)
        return keep_vectors(ts, _nm(self) * box.reshape(3, 3))


class _History(_Quiet, HistoryReader):
    def _read_next_timestep(self, ts=None):
        start = self._file.tell()
        words = self._file.readline().split()
        vectors = None
        if self._has_cell:
            vectors = [self._file.readline().split() for _ in range(3)]
        self._file.seek(start)
        ts = super()._read_next_timestep(ts)
        # "timestep", step, atoms, level, kind of box, time step [ps], time [ps] (DL_POLY 4 only)
        if len(words) > 5:
            ts.data["step"] = int(words[1])
            ts.data["time"] = float(words[6]) if len(words) > 6 else int(words[1]) * float(words[5])
        return keep_vectors(ts, _box_of_dlpoly(self._imcon, vectors))


class _Config(_Quiet, ConfigReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        with open(self.filename) as file:
            file.readline()
            imcon = int(file.readline().split()[1])
            vectors = [file.readline().split()[:3] for _ in range(3)] if imcon else None
        keep_vectors(self.ts, _box_of_dlpoly(imcon, vectors))


def _box_of_dlpoly(imcon: int, vectors):
    """Vectors of a DL_POLY box, or None where it says that there is none; other shapes than a cell are refused."""
    if imcon in _NO_LATTICE:
        raise InputError(
            f"the periodic box is {_NO_LATTICE[imcon]} (imcon {imcon}), of which its cell vectors are not the lattice; "
            "write the file with a parallelepiped (imcon 3)"
        )
    if imcon == 6:
        raise InputError("it is not periodic along z (imcon 6); pelplug treats periodic systems")
    return None if imcon == 0 else vectors


class _GRO(_Quiet, GROReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        with openany(self.filename, "rt") as file:
            file.readline()
            n = int(file.readline())
            keep_vectors(self.ts, _nm(self) * boxes.of_gro([file.readline() for _ in range(n + 1)][-1]))


class _GROFrames(_Quiet, GROFrames):
    single = _GRO


class _FHIAIMS(_Quiet, FHIAIMSReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        with openany(self.filename, "rt") as file:
            rows = [line.split()[1:4] for line in file if line.strip().startswith("lattice_vector")]
        keep_vectors(self.ts, rows or None)


class _DMS(_Quiet, DMSReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        with sqlite3.connect(self.filename) as connection:
            # A row is a vector; MDAnalysis takes the columns.
            rows = connection.execute("SELECT x, y, z FROM global_cell ORDER BY rowid").fetchall()
        keep_vectors(self.ts, rows if len(rows) == 3 else None)


class _TPR(_Quiet, TPRReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        vectors = boxes.of_tpr(self.filename)
        keep_vectors(self.ts, None if vectors is None else _nm(self) * vectors)


class _INPCRD(_Quiet, INPReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        # MDAnalysis leaves the box alone.
        keep_vectors(self.ts, boxes.of_inpcrd(self.filename, self.n_atoms))


class _TRJ(_Quiet, TRJReader):
    """Amber's text trajectory, which has the lengths of the box; the angles stand in the topology."""

    angles = None

    def of_topology(self, path):
        """Take the angles from an Amber topology; MDAnalysis assumes right angles."""
        if self.periodic and (angle := boxes.angle_of_prmtop(path)) is not None:
            self.angles = [angle] * 3

    def _read_next_timestep(self):
        ts = super()._read_next_timestep()
        if self.angles is not None and ts.dimensions is not None:
            ts.dimensions = [*ts.dimensions[:3], *self.angles]
        return ts


class _PDB(_Quiet, PDBReader):
    def _read_frame(self, frame):
        ts = super()._read_frame(frame)
        if not hasattr(self, "_scale"):
            self._scale = boxes.scale_of_pdb(self.filename)
        return keep_vectors(ts, boxes.turned_by_scale(boxes.cell_of(ts.dimensions), self._scale))


class _MMCIF(_Quiet, MMCIFReader):
    def _read_first_frame(self) -> None:
        super()._read_first_frame()
        if self.ts.dimensions is not None:
            # Its columns are the vectors, turned where the file has a matrix that says so.
            keep_vectors(self.ts, np.array(self._get_structure().cell.orth.mat.tolist()).T)


READERS = {
    "XTC": _XTC,
    "TRR": _TRR,
    "TNG": _TNG,
    "DCD": _DCD,
    "TRZ": _TRZ,
    "HISTORY": _History,
    "CONFIG": _Config,
    "GRO": _GROFrames,
    "IN": _FHIAIMS,
    "FHIAIMS": _FHIAIMS,
    "DMS": _DMS,
    "TPR": _TPR,
    "INPCRD": _INPCRD,
    "RESTRT": _INPCRD,
    "TRJ": _TRJ,
    "MDCRD": _TRJ,
    "CRDBOX": _TRJ,
    "CIF": _MMCIF,
    "CIF.GZ": _MMCIF,
    "MMCIF": _MMCIF,
    "MMCIF.GZ": _MMCIF,
    "PDB": _PDB,
    "ENT": _PDB,
}
"""Readers by MDAnalysis's names of formats whose files say more of the cell than MDAnalysis keeps."""
