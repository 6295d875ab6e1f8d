"""Frames of MDAnalysis's own test files by other ways than pelplug's: plain parsing, gsd, h5py, MDAnalysis as it is."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import itertools
import re
import sqlite3
import warnings

import gsd.hoomd
import h5py
import MDAnalysis
import numpy as np
from MDAnalysis.lib.formats.libdcd import DCDFile
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile
from MDAnalysis.lib.mdamath import triclinic_vectors

OWN = ("GSD", "LAMMPSDUMP", "EXTXYZ", "DATA", "H5MD")
"""Formats of which MDAnalysis's readers are no oracle: they drop the box, shift by the origin, or round."""


@dataclasses.dataclass
class Raw:
    """Positions and cell in the file's or MDAnalysis's unit; `cell` None where there is no box."""

    positions: np.ndarray
    cell: np.ndarray | None
    time: float | None = None
    step: int | None = None
    species: np.ndarray | None = None


def opened(path):
    """Text of a file, also compressed."""
    return {".gz": gzip.open, ".bz2": bz2.open}.get(path[path.rfind(".") :], open)(path, "rt", errors="replace")


def frames(kind: str, path: str, n_atoms: int, limit: int):
    """Yield the first `limit` frames."""
    reader = {
        "GSD": _gsd,
        "LAMMPSDUMP": _dump,
        "EXTXYZ": _xyz,
        "H5MD": _h5md,
        "DATA": _data,
        "GRO": _gro,
    }.get(kind)
    yield from itertools.islice(reader(path) if reader else _mdanalysis(kind, path, n_atoms), limit)


def _gsd(path):
    with gsd.hoomd.open(path) as file:
        for frame in file:
            lx, ly, lz, xy, xz, yz = np.asarray(frame.configuration.box, dtype=float)
            cell = np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])
            species = np.array(frame.particles.types)[frame.particles.typeid]
            yield Raw(frame.particles.position, cell, None, int(frame.configuration.step), species)


def _dump(path):
    with opened(path) as file:
        while line := file.readline():
            if line.startswith("ITEM: TIMESTEP"):
                step = int(file.readline())
            elif line.startswith("ITEM: NUMBER"):
                n = int(file.readline())
            elif line.startswith("ITEM: BOX"):
                box = np.array([file.readline().split() for _ in range(3)], dtype=float)
            elif line.startswith("ITEM: ATOMS"):
                names = line.split()[2:]
                suffix = next((s for s in ("u", "su", "", "s") if f"x{s}" in names), None)
                if suffix is None:
                    return
                rows = np.array([file.readline().split() for _ in range(n)])
                rows = rows[np.argsort(rows[:, names.index("id")].astype(int))] if "id" in names else rows
                tilt = box[:, 2] if box.shape[1] == 3 else np.zeros(3)
                (xy, xz, yz), (low, high) = tilt, box[:, :2].T.copy()
                low[:2] -= min(0, xy, xz, xy + xz), min(0, yz)
                high[:2] -= max(0, xy, xz, xy + xz), max(0, yz)
                (lx, ly, lz) = high - low
                cell = np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]])
                columns = [names.index(axis + suffix) for axis in "xyz"]
                x = rows[:, columns].astype(float)
                x = x @ cell if "s" in suffix else x - low
                species = rows[:, names.index("type")] if "type" in names else None
                yield Raw(x, cell, None, step, species)


def _xyz(path):
    with opened(path) as file:
        while (line := file.readline()).strip():
            file.readline()
            rows = [file.readline().split() for _ in range(int(line))]
            yield Raw(np.array([row[1:4] for row in rows], dtype=float), None, species=np.array([r[0] for r in rows]))


def _h5md(path):
    with h5py.File(path) as file:
        group = next(one for one in file["particles"].values() if "position" in one)
        for k, positions in enumerate(group["position/value"]):
            edges = group["box/edges"]
            edges = np.asarray(edges["value"][k] if hasattr(edges, "keys") else edges)
            cell = np.diag(edges) if edges.ndim == 1 else edges
            time = group["position/time"]
            yield Raw(positions, cell, float(time[k] if time.shape else k * time[()]), int(group["position/step"][k]))


def _data(path):
    box, rows = {}, {}
    with opened(path) as file:
        section = None
        for line in file:
            words = line.partition("#")[0].split()
            if words and words[0][0].isalpha():
                section = words[0]
            elif words[2:4] in (["xlo", "xhi"], ["ylo", "yhi"], ["zlo", "zhi"]):
                box[words[2][0]] = float(words[0]), float(words[1])
            elif words[3:] == ["xy", "xz", "yz"]:
                box["tilt"] = [float(word) for word in words[:3]]
            elif section == "Atoms" and words:
                rows[int(words[0])] = words
    table = [rows[key] for key in sorted(rows)]
    # x is the first column that is no whole number and not the charge, which is followed by three positions.
    width = len(table[0])
    first = {5: 2, 6: 3, 7: 4, 8: 2, 9: 3, 10: 4}[width]
    low = np.array([box[axis][0] for axis in "xyz"])
    (lx, ly, lz), (xy, xz, yz) = [box[a][1] - box[a][0] for a in "xyz"], box.get("tilt", (0, 0, 0))
    x = np.array([row[first : first + 3] for row in table], dtype=float) - low
    yield Raw(x, np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]]))


def _gro(path):
    with opened(path) as file:
        while title := file.readline().strip():
            n = int(file.readline())
            rows = [file.readline() for _ in range(n)]
            width = rows[0][25:].find(".") + 1
            x = [[float(row[20 + k * width : 20 + (k + 1) * width]) for k in range(3)] for row in rows]
            box = 10.0 * np.array(re.findall(r"-?\d+\.\d{5}", file.readline()), dtype=float)
            cell = np.concatenate([box, np.zeros(9 - box.size)])[[[0, 3, 4], [5, 1, 6], [7, 8, 2]]]
            time = re.search(r"\bt= *([-+.\deE]+)", title)
            yield Raw(10.0 * np.array(x), cell if box.any() else None, float(time.group(1)) if time else None)


def _mdanalysis(kind, path, n_atoms):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = MDAnalysis._READERS[kind](path, n_atoms=n_atoms)
        for number in range(len(reader)):
            ts = reader[number]
            vectors = _vectors(kind, path, number)
            if vectors is None and ts.dimensions is not None and np.all(ts.dimensions[:3] > 0):
                vectors = triclinic_vectors(ts.dimensions, dtype=float)
            cell = None if vectors is None or not np.any(vectors) else np.asarray(vectors, dtype=float)
            yield Raw(ts.positions.copy(), cell, float(ts.time) if "time" in ts.data else None)
        reader.close()


def _vectors(kind, path, number):
    """Cell vectors as they stand in the file, or None where it gives lengths and angles."""
    if kind in ("XTC", "TRR"):
        with {"XTC": XTCFile, "TRR": TRRFile}[kind](path) as file:
            file.seek(number)
            return 10.0 * file.read().box.astype(float)
    if kind == "DCD":
        with DCDFile(path) as file:
            file.seek(number)
            box = file.read().unitcell.copy()
            title = file.header["remarks"]
        if not box[[0, 2, 5]].any():
            return np.zeros((3, 3))
        return box[[[0, 1, 3], [1, 2, 4], [3, 4, 5]]] if title.startswith("*") else None
    if kind in ("CONFIG", "HISTORY"):
        with open(path) as file:
            lines = file.read().splitlines()
        if int(lines[1].split()[1]) == 0:
            return np.zeros((3, 3))
        starts = [2] if kind == "CONFIG" else [k + 1 for k, line in enumerate(lines) if line.startswith("timestep")]
        return np.array([line.split()[:3] for line in lines[starts[number] : starts[number] + 3]], dtype=float)
    if kind in ("IN", "FHIAIMS"):
        with open(path) as file:
            return np.array([line.split()[1:] for line in file if line.startswith("lattice_vector")], dtype=float)
    if kind == "DMS":
        with sqlite3.connect(path) as connection:
            return np.array(connection.execute("SELECT x, y, z FROM global_cell").fetchall(), dtype=float)
    return None
