"""XYZ and extended XYZ: the cell, species and columns that the comment line describes."""

from __future__ import annotations

import collections
import functools
import itertools
import re

import numpy as np

from pelplug.errors import InputError
from pelplug.trajectories.readers.base import ROUNDING, FrameReader, RawFrame, unevenness
from pelplug.trajectories.readers.identity import order_by_id
from pelplug.trajectories.readers.text import DAMAGED, TEXT, connect, copy_or_unpack, read_table
from pelplug.trajectories.readers.xyz_comments import describe_comment, masses_of, parse_comment, step_of, time_of

__all__ = ["XYZReader"]

# Names that ASE, OVITO, quippy and LAMMPS give to the same column.
_COLUMNS = {
    "positions": ("pos", "position", "positions"),
    "velocities": ("velo", "vel", "velocity", "velocities"),
    "images": ("map_shift", "image", "images"),
    "unwrapped": ("unwrapped_position", "unwrapped_positions"),
    "diameters": ("diameter", "diameters"),
    "radius": ("radius", "radii"),
    "masses": ("mass", "masses"),
    "charges": ("charge", "charges", "initial_charges"),
    "id": ("id", "ids", "particle_id", "particle_identifier", "atom_id"),
    "elements": ("species", "element"),
    "types": ("type", "types"),
}
_WHO = ("id", "elements", "types")


class XYZReader(FrameReader):
    """Reader of XYZ and extended XYZ files (also compressed), which MDAnalysis reads without box and in float32.

    Notes
    -----
    ``Lattice`` holds the three cell vectors one after the other; ``pbc`` defaults to periodic where there is a
    Lattice. Plain XYZ has no cell: a topology must supply it. Momenta are left alone (they need masses).
    """

    label = "XYZ file"

    def _open(self) -> None:
        self._connect()
        offsets: list[int] = []
        try:
            while line := self._file.readline():
                if not line.strip():
                    continue
                start = self._file.tell() - len(line)
                try:
                    n = int(line)
                except ValueError:
                    where = f"frame {len(offsets)}" if offsets else "the file"
                    raise InputError(
                        f"{self.filename} is not an XYZ file: {where} does not begin with a number of particles; "
                        "pass its true format (--format) or repair it."
                    ) from None
                offsets.append(start)
                self._file.readline()
                collections.deque(itertools.islice(self._file, n), maxlen=0)
        except DAMAGED as error:
            raise InputError(
                f"{self.filename} is truncated or damaged ({error}); {copy_or_unpack(self.filename)}."
            ) from None
        self._offsets = np.array(offsets, dtype=np.int64)
        self._count = len(offsets)

    def _connect(self) -> None:
        self._file = connect(self.filename)

    def close(self) -> None:
        """Close the file."""
        if (file := self.__dict__.get("_file")) is not None:
            file.close()

    def _header(self, frame):
        self._file.seek(int(self._offsets[frame]))
        n = int(self._file.readline())
        return n, self._file.readline().decode(errors="replace").strip()

    def _load(self, frame):
        n, comment = self._header(frame)
        if n == 0:
            raise InputError("there are no particles; leave the frame out.")
        pairs = describe_comment(comment)
        layout = _layout(pairs.get("properties", ""))
        kinds, places = _fields(layout)
        table = read_table(itertools.islice(self._file, n), n, kinds, places, _width(pairs.get("properties", "")))
        if "id_0" in table.dtype.names:
            table = table[order_by_id(table["id_0"])]

        def column(name, dtype=np.float64):
            if name not in layout:
                return None
            width = layout[name][1]
            if width == 1:
                return table[f"{name}_0"].astype(dtype)
            return np.column_stack([table[f"{name}_{k}"] for k in range(width)]).astype(dtype)

        unwrapped = "unwrapped" in layout and "images" not in layout
        positions = column("unwrapped" if unwrapped else "positions")
        d = positions.shape[1]
        cell, periodic = _cell(pairs, d)
        flat = (
            d == 3
            and periodic is not None
            and periodic == (True, True, False)
            and unevenness(positions, cell) <= ROUNDING
        )
        diameters = column("diameters")
        if diameters is None and "radius" in layout:
            diameters = 2.0 * column("radius")
        labels = _labels(table, pairs)
        return RawFrame(
            positions=positions,
            cell=cell,
            images=column("images"),
            unwrapped=unwrapped,
            velocities=column("velocities"),
            diameters=diameters,
            masses=masses_of(pairs, next(iter(labels.values()), None)) if "masses" not in layout else column("masses"),
            charges=column("charges"),
            labels=labels,
            step=step_of(pairs),
            time=time_of(pairs),
            periodic=periodic,
            dimension=2 if flat or d == 2 else None,
            ids=column("id", np.int64),
        )

    @functools.cached_property
    def unordered(self) -> str:
        """Why rows are not the same particles in every frame, if the file was made from one whose rows are not."""
        return parse_comment(self._header(0)[1]).get("unfollowed", "")

    def rows(self, frame):
        """Return ids and labels of a frame, sorted by id."""
        n, comment = self._header(frame)
        pairs = describe_comment(comment)
        layout = {name: one for name, one in _layout(pairs.get("properties", "")).items() if name in _WHO}
        if not layout:
            return None, {}
        kinds, places = _fields(layout)
        lines = itertools.islice(self._file, n)
        table = read_table(lines, n, kinds, places, _width(pairs.get("properties", "")))
        if "id" not in layout:
            return None, _labels(table, pairs)
        table = table[order_by_id(table["id_0"])]
        return table["id_0"].astype(np.int64), _labels(table, pairs)

    def log(self, frame):
        """Return the ``key=value`` pairs of the frame's comment line, as text."""
        _, comment = self._header(frame)
        return {key: value for key, value in parse_comment(comment).items() if key != "properties"}


def _labels(table, pairs) -> dict[str, np.ndarray]:
    kinds = {"elements_0": "elements" if "properties" in pairs else "names", "types_0": "types"}
    return {kind: table[name].astype(str) for name, kind in kinds.items() if name in table.dtype.names}


def _layout(properties: str) -> dict[str, tuple[int, int, str]]:
    """First column, width and kind (S, R, I, L) of the columns pelplug uses."""
    if not properties:
        return {"elements": (0, 1, "S"), "positions": (1, 3, "R")}
    words = properties.split(":")
    layout, place = {}, 0
    try:
        for name, kind, width in zip(words[::3], words[1::3], words[2::3], strict=True):
            for field, names in _COLUMNS.items():
                if name.lower() in names and field not in layout:
                    layout[field] = (place, int(width), kind.upper())
            place += int(width)
    except ValueError:
        raise InputError(
            f"Properties={properties} is not a list of name:kind:width; repair the comment line."
        ) from None
    if not {"positions", "unwrapped"} & set(layout):
        raise InputError("Properties names no pos column; write one.")
    return layout


def _width(properties: str) -> int | None:
    """Columns that Properties names; unknown where it names none."""
    return sum(int(width) for width in properties.split(":")[2::3]) or None


def _fields(layout):
    kinds, places = [], []
    for field, (place, width, kind) in layout.items():
        text = field in ("elements", "types") or kind == "S"
        kinds += [(f"{field}_{k}", TEXT if text else "f8") for k in range(width)]
        places += range(place, place + width)
    return kinds, places


def _cell(pairs, d):
    if "lattice" not in pairs:
        return None, None
    try:
        numbers = np.array(re.split(r"[\s,]+", pairs["lattice"].strip("[]() ")), dtype=np.float64)
    except ValueError:
        numbers = np.empty(0)
    if numbers.size == 9:
        cell = numbers.reshape(3, 3)[:d, :d]
    elif numbers.size == d:
        cell = np.diag(numbers)
    elif numbers.size == d * d:
        cell = numbers.reshape(d, d)
    else:
        raise InputError(f'Lattice="{pairs["lattice"]}" is not three cell vectors; repair the comment line.')
    flags = re.split(r"[\s,]+", pairs.get("pbc", "T T T").strip("[]() "))
    periodic = tuple(flag.strip("\"'").upper() in ("T", "TRUE", "1") for flag in flags)[:d]
    return np.ascontiguousarray(cell), periodic if len(periodic) == d else (True,) * d
