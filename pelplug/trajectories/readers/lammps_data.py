"""LAMMPS data files as `write_data` makes them: one frame in double precision, with masses and image flags."""

from __future__ import annotations

import re

import numpy as np

from pelplug.core.units import SYSTEMS
from pelplug.errors import InputError
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.identity import order_by_id
from pelplug.trajectories.readers.text import DAMAGED, TEXT, open_binary, read_table, text_of

__all__ = ["DataReader"]

# Columns after which x y z come, by the style that write_data notes behind "Atoms".
_STYLES = {
    "atomic": ("id", "type"),
    "charge": ("id", "type", "q"),
    "bond": ("id", "molecule", "type"),
    "angle": ("id", "molecule", "type"),
    "molecular": ("id", "molecule", "type"),
    "full": ("id", "molecule", "type", "q"),
    "sphere": ("id", "type", "diameter", "density"),
}
_BY_WIDTH = {5: "atomic", 8: "atomic", 7: "full", 10: "full"}  # where no style is noted, as MDAnalysis has it


class DataReader(FrameReader):
    """Reader of a LAMMPS data file; it has one frame.

    MDAnalysis's own reader does not look at the atom style that LAMMPS notes in the file, rounds to float32, drops
    image flags and diameters, and leaves the origin of the box in the coordinates.
    """

    label = "LAMMPS data file"
    handles = ()

    def _open(self) -> None:
        self._count = 1

    def close(self) -> None:
        """Do nothing: the file is read at once and not kept open."""

    def _load(self, frame):
        header, sections = self._sections()
        n = int(header.get("atoms", 0))
        self.ignored = {name: int(header[name]) for name in ("bonds", "angles", "dihedrals") if header.get(name)}
        if "Atoms" not in sections or n == 0:
            raise InputError("there is no section 'Atoms': it is not a LAMMPS data file; give one made by write_data.")
        style, lines = sections["Atoms"]
        width = len(lines[0].split()) if lines else 0
        if not style:
            style = _BY_WIDTH.get(width, "")
        if style not in _STYLES:
            raise InputError(
                f"its atom style ({style or 'not noted'}) is not one of {', '.join(_STYLES)}; note the style as "
                "write_data does ('Atoms # atomic')."
            )
        columns = [*_STYLES[style], "x", "y", "z"]
        if width == len(columns) + 3:
            columns += ["ix", "iy", "iz"]
        elif width != len(columns):
            raise InputError(f"the atoms have {width} columns, which the style {style} does not; repair the file.")
        kinds = [(name, TEXT if name == "type" else "f8") for name in columns]
        atoms = read_table(lines, n, kinds)
        atoms = atoms[order_by_id(atoms["id"])]
        if "q" in columns and (charges := np.count_nonzero(atoms["q"])):
            self.ignored["charged atoms"] = int(charges)
        cell, origin = _cell(header)
        names = _type_names(sections)
        types = atoms["type"].astype(str)
        velocities = masses = None
        if "Velocities" in sections:
            kinds = [("id", "f8"), ("vx", "f8"), ("vy", "f8"), ("vz", "f8")]
            speeds = read_table(sections["Velocities"][1], n, kinds, range(4))
            speeds = speeds[np.argsort(speeds["id"], kind="stable")]
            velocities = np.column_stack([speeds["vx"], speeds["vy"], speeds["vz"]])
        if "Masses" in sections:
            by_type = {}
            for line in sections["Masses"][1]:
                words = line.split()
                by_type[words[0]] = by_type[names.get(words[0], words[0])] = float(words[1])
            if set(types.tolist()) <= set(by_type):
                masses = np.array([by_type[name] for name in types.tolist()])
        labels = {"types": types}
        images = None
        if "ix" in columns:
            images = np.column_stack([atoms["ix"], atoms["iy"], atoms["iz"]])
        if names:
            labels = {"names": np.array([names.get(name, name) for name in types.tolist()]), "types": types}
        return RawFrame(
            positions=np.column_stack([atoms["x"], atoms["y"], atoms["z"]]) - origin,
            cell=cell,
            images=images,
            velocities=velocities,
            diameters=atoms["diameter"] if "diameter" in columns else None,
            masses=masses,
            charges=atoms["q"] if "q" in columns else None,
            labels=labels,
            ids=atoms["id"].astype(np.int64),
        )

    def _sections(self):
        """Split the file into header values by keyword, and (style, lines) by section."""
        header, sections, current = {}, {}, None
        try:
            with open_binary(self.filename) as file:
                title = file.readline().decode(errors="replace")
                if units := re.search(r"\bunits = (\w+)", title):  # as write_data notes them
                    self.stated_units = SYSTEMS.get(units[1], self.stated_units)
                for raw in file:
                    text, _, comment = text_of(raw).partition("#")
                    text = text.strip()
                    if not text:
                        continue
                    if text[0].isalpha():
                        first = comment.split()[:1]
                        current = sections.setdefault(text, (first[0] if first else "", []))[1]
                    elif current is not None:
                        current.append(text)
                    else:
                        _header_line(text, header)
        except DAMAGED as error:
            raise InputError(f"it cannot be read ({error}); check the file.") from None
        return header, sections


def _header_line(text, header):
    words = text.split()
    numbers = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    key = " ".join(words[len(numbers) :])
    header[key] = numbers[0] if len(numbers) == 1 else np.array(numbers)


def _cell(header):
    if {"avec", "bvec", "cvec"} <= set(header):
        cell = np.array([header["avec"], header["bvec"], header["cvec"]])
        return cell, np.asarray(header.get("abc origin", np.zeros(3)))
    bounds = [header.get(f"{axis}lo {axis}hi") for axis in "xyz"]
    if any(bound is None or np.size(bound) != 2 for bound in bounds):
        raise InputError("the header gives no box (xlo xhi, ylo yhi, zlo zhi); write one.")
    low, high = np.array(bounds).T
    xy, xz, yz = header.get("xy xz yz", np.zeros(3))
    length = high - low
    return np.array([[length[0], 0.0, 0.0], [xy, length[1], 0.0], [xz, yz, length[2]]]), low


def _type_names(sections):
    """Names of the numbered types, where the file has the section "Atom Type Labels"."""
    lines = sections.get("Atom Type Labels", ("", []))[1]
    return dict(line.split()[:2] for line in lines if len(line.split()) >= 2)
