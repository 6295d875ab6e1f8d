"""LAMMPS text dumps: every coordinate convention, image flags, tilted cells, in double precision."""

from __future__ import annotations

import itertools

import numpy as np

from pelplug.core.units import SYSTEMS, Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.identity import order_by_id
from pelplug.trajectories.readers.text import DAMAGED, TEXT, connect, copy_or_unpack, read_table

__all__ = ["DumpReader"]

_BLOCK = 1 << 18
_MARK = b"ITEM: T"  # begins both "ITEM: TIMESTEP" and "ITEM: TIME"
_TEXT = {"type", "element", "mol_type", "typelabel"}


class DumpReader(FrameReader):
    """Reader of LAMMPS dumps in text form (styles atom and custom; also compressed).

    MDAnalysis's own reader works in float32 and in a Python loop over atoms, shifts scaled coordinates by the origin
    of the box, and unwraps scaled coordinates wrongly (its issue 5138).

    Notes
    -----
    Positions are x y z, or xs ys zs in units of the cell, where image flags stand beside them or nothing else is
    there; otherwise xu yu zu or xsu ysu zsu. The origin of the box is taken off. Particles are sorted by id.
    """

    label = "LAMMPS dump"
    unordered = (
        "it has no ids, and LAMMPS sorts atoms in space every now and then; write ids too "
        "(dump custom ... id type x y z)"
    )

    def _open(self) -> None:
        self._connect()
        self._offsets, self._times = self._scan()
        self._file.seek(0)
        self.stated_units = _stated_units(self._file.read(256))
        self._count = len(self._offsets)
        if self._count == 0:
            raise InputError(
                f"{self.filename} has no 'ITEM: TIMESTEP': it is not a LAMMPS text dump, or it is empty; "
                "pass its true format or write it with 'dump custom'."
            )

    def _connect(self) -> None:
        self._file = connect(self.filename)

    def close(self) -> None:
        """Close the file."""
        if (file := self.__dict__.get("_file")) is not None:
            file.close()

    def _scan(self):
        """Byte offset of every frame, and the time each records (NaN where none)."""
        offsets, times = [], []
        time = np.nan
        tail, base = b"", 0  # base: offset in the file of the first byte of tail
        try:
            while True:
                block = self._file.read(_BLOCK)
                data = tail + block
                # A mark is handled once the two lines it begins are whole (they are short), or the file ends.
                end = len(data) if not block else max(0, len(data) - 256)
                position = data.find(_MARK)
                while 0 <= position < end:
                    line, _, rest = data[position : position + 256].partition(b"\n")
                    keyword = line[6:].strip()
                    if keyword == b"TIMESTEP":
                        offsets.append(base + position)
                        times.append(time)
                        time = np.nan
                    elif keyword == b"TIME":
                        time = _number(rest.partition(b"\n")[0], "ITEM: TIME")
                    position = data.find(_MARK, position + 1)
                if not block:
                    # LAMMPS ends every line: without it the last number may have lost digits.
                    self._cut = not data.endswith(b"\n")
                    break
                tail, base = data[end:], base + end
        except DAMAGED as error:
            raise InputError(
                f"{self.filename} is truncated or damaged ({error}); {copy_or_unpack(self.filename)}."
            ) from None
        return np.array(offsets, dtype=np.int64), np.array(times)

    def _header(self, frame):
        """Read the lines above the atoms; leaves the file at the first atom."""
        file = self._file
        file.seek(int(self._offsets[frame]))
        header = {}
        while True:
            line = file.readline().decode(errors="replace")
            if not line.startswith("ITEM:"):
                raise InputError("the file ends or is damaged in the header; use the frames before it.")
            words = line.split()
            if words[1] == "TIMESTEP":
                header["step"] = int(_number(file.readline(), "the step"))
            elif line.startswith("ITEM: NUMBER OF ATOMS"):
                header["n"] = int(_number(file.readline(), "the number of atoms"))
            elif line.startswith("ITEM: BOX BOUNDS"):
                header["bounds"] = words[3:]
                rows = [[_number(word, "the box") for word in file.readline().split()] for _ in range(3)]
                if len({len(row) for row in rows}) != 1 or len(rows[0]) not in (2, 3, 4):
                    raise InputError("the three lines of the box are damaged; use the frames before it.")
                header["box"] = np.array(rows)
            elif words[1] == "ATOMS":
                header["columns"] = words[2:]
                break
            else:  # UNITS, TIME and whatever LAMMPS adds: one line of content
                file.readline()
        for key in ("step", "n", "box"):
            if key not in header:
                raise InputError(f"the {key} is missing above the atoms; write the dump again.")
        return header

    def _table(self, frame, header, columns):
        """Read some columns of the atoms as a structured array."""
        kinds = [(name, TEXT if name in _TEXT else "f8") for name in columns]
        places = [header["columns"].index(name) for name in columns]
        if header["n"] == 0:
            raise InputError("there are no particles; leave the frame out.")
        table = read_table(self._rows(header["n"]), header["n"], kinds, places, width=len(header["columns"]))
        if self._cut and frame == self._count - 1:
            raise InputError("the file ends in the middle of a line; use the frames before it.")
        return table

    def _rows(self, n: int):
        """Return the next lines of atoms, as columns with blanks between them."""
        return itertools.islice(self._file, n)

    def _load(self, frame):
        header = self._header(frame)
        present = set(header["columns"])
        cell, origin, periodic = _cell(header)
        style, names = _coordinates(present)
        flags = [name for name in ("ix", "iy", "iz")[: len(names)] if name in present]
        speeds = [name for name in ("vx", "vy", "vz")[: len(names)] if name in present]
        wanted = [*names, *flags, *speeds]
        wanted += [name for name in ("id", "type", "element", "diameter", "radius", "mass", "q") if name in present]
        table = self._table(frame, header, wanted)
        if "id" in present:
            table = table[order_by_id(table["id"])]
            self.missing_ids = int(table["id"].max()) - len(table)
        d = len(names)
        if d == 2:
            cell, origin, periodic = cell[:2, :2], origin[:2], periodic[:2]
        positions = np.column_stack([table[name] for name in names])
        positions = positions @ cell if "s" in style else positions - origin
        diameters = table["diameter"] if "diameter" in present else None
        if diameters is None and "radius" in present:
            diameters = 2.0 * table["radius"]
        images = None
        if len(flags) == d and "u" not in style:  # beside unwrapped coordinates flags would count twice
            images = np.column_stack([table[name] for name in flags])
        time = self._times[frame]
        return RawFrame(
            positions=positions,
            cell=cell,
            images=images,
            unwrapped="u" in style,
            velocities=np.column_stack([table[name] for name in speeds]) if len(speeds) == d else None,
            diameters=diameters,
            masses=table["mass"] if "mass" in present else None,
            charges=table["q"] if "q" in present else None,
            labels=_labels(table, present),
            step=header["step"],
            time=None if np.isnan(time) else float(time),
            periodic=periodic,
            dimension=2 if d == 2 else None,
            ids=table["id"].astype(np.int64) if "id" in present else None,
        )

    def rows(self, frame):
        """Return ids and labels of a frame, sorted by id."""
        header = self._header(frame)
        present = set(header["columns"])
        wanted = [name for name in ("id", "type", "element") if name in present]
        if not wanted:
            return None, {}
        table = self._table(frame, header, wanted)
        if "id" not in present:
            return None, _labels(table, present)
        table = table[order_by_id(table["id"])]
        return table["id"].astype(np.int64), _labels(table, present)

    def log(self, frame):
        """Return the remaining columns (forces, energies, ...) of a frame by name, sorted by id."""
        header = self._header(frame)
        own = {"id", "type", "element", "diameter", "radius", "mass", "q", "ix", "iy", "iz", "vx", "vy", "vz"}
        own |= {name for names in _STYLES.values() for name in names}
        extra = [name for name in header["columns"] if name not in own]
        if not extra:
            return {}
        table = self._table(frame, header, extra + (["id"] if "id" in header["columns"] else []))
        if "id" in table.dtype.names:
            table = table[order_by_id(table["id"])]
        return {name: np.array(table[name], dtype=str if name in _TEXT else None) for name in extra}


def _stated_units(head: bytes) -> Units:
    """Return the units that "ITEM: UNITS" (dump_modify units yes) names above the first frame."""
    _, mark, rest = head.partition(b"ITEM: UNITS")
    words = rest.partition(b"ITEM:")[0].decode(errors="replace").split()
    return SYSTEMS.get(words[0], Units()) if mark and words else Units()


_STYLES = {style: tuple(axis + style for axis in "xyz") for style in ("", "s", "u", "su")}


def _coordinates(present: set[str]):
    """Pick the coordinate convention: a style ("", "s", "u", "su") and its column names."""
    flagged = {"ix", "iy"} <= present
    for style in ("", "s", "u", "su") if flagged else ("u", "su", "", "s"):
        names = _STYLES[style]
        if present.issuperset(names):
            return style, names
        if present.issuperset(names[:2]) and not any(f"z{s}" in present for s in _STYLES):
            return style, names[:2]
    raise InputError("there are no coordinates; dump x y z, xs ys zs, xu yu zu or xsu ysu zsu.")


def _cell(header):
    """Cell vectors, origin and periodicity of a dump's box; see the LAMMPS pages on dump and triclinic boxes."""
    rows, words = header["box"], header["bounds"]
    flags = [word for word in words if len(word) == 2 and set(word) <= set("pfsm")]
    # Old dumps give no boundary flags; the box is then taken to be periodic, as LAMMPS's own default is.
    periodic = tuple(flag == "pp" for flag in flags) if len(flags) == 3 else (True, True, True)
    if rows.shape[1] == 4:  # general triclinic: "abc origin"
        return rows[:, :3].copy(), rows[:, 3].copy(), periodic
    low, high = rows[:, 0].copy(), rows[:, 1].copy()
    xy, xz, yz = rows[:, 2] if rows.shape[1] == 3 else (0.0, 0.0, 0.0)
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    length = high - low
    if np.any(length < 0):
        raise InputError("the box ends before it begins; the frame is damaged, use the frames before it.")
    cell = np.array([[length[0], 0.0, 0.0], [xy, length[1], 0.0], [xz, yz, length[2]]])
    return cell, low, periodic


def _labels(table, present):
    labels = {}
    if "element" in present:
        labels["elements"] = table["element"].astype(str)
    if "type" in present:
        labels["types"] = table["type"].astype(str)
    if len(labels) == 2:
        # LAMMPS writes the element "C" for every type until told otherwise: elements must not merge types.
        pairs = set(zip(labels["elements"].tolist(), labels["types"].tolist(), strict=True))
        if len({element for element, _ in pairs}) < len(pairs):
            labels = {"types": labels["types"], "elements": labels["elements"]}
    return labels


def _number(text, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{what} is not a number; the file is cut off or damaged, use the frames before it.") from None
