"""LAMMPS dumps in YAML (dump style yaml): the columns of a text dump, in another writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pelplug.core.units import SYSTEMS, Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.lammps import DumpReader
from pelplug.trajectories.readers.text import DAMAGED, copy_or_unpack

__all__ = ["YamlReader"]

_BLOCK = 1 << 18
_MARK = b"\ntimestep:"


class YamlReader(DumpReader):
    """Reader of dumps that LAMMPS writes as YAML, one document a frame; all else is as in a text dump."""

    label = "LAMMPS YAML dump"

    def _open(self) -> None:
        self._connect()
        self._offsets = self._marks()
        self._count = len(self._offsets)
        self._times = np.full(self._count, np.nan)
        if self._count == 0:
            raise InputError(
                f"{self.filename} has no 'timestep:': it is not a YAML dump of LAMMPS, or it is empty; pass its true "
                "format (--format) or write it with 'dump yaml'."
            )
        units = self._above(0)[0].get("units", "")
        self.stated_units = SYSTEMS.get(units, Units())

    def _marks(self) -> np.ndarray:
        """Return the byte offset of the line of the step of every frame."""
        offsets, tail, base = [], b"\n", -1  # base: offset in the file of the first byte of tail
        try:
            while block := self._file.read(_BLOCK):
                data = tail + block
                at = data.find(_MARK)
                while at >= 0:
                    offsets.append(base + at + 1)
                    at = data.find(_MARK, at + 1)
                keep = min(len(data), len(_MARK) - 1)
                tail, base = data[len(data) - keep :], base + len(data) - keep
        except DAMAGED as error:
            raise InputError(
                f"{self.filename} is truncated or damaged ({error}); {copy_or_unpack(self.filename)}."
            ) from None
        self._cut = not tail.endswith(b"\n")
        return np.array(offsets, dtype=np.int64)

    def _above(self, frame: int) -> tuple[dict[str, str], list[list[float]]]:
        """Return the entries above the atoms and the rows of the box; leaves the file at the first atom."""
        self._file.seek(int(self._offsets[frame]))
        entries: dict[str, str] = {}
        box: list[list[float]] = []
        key = ""
        while key != "data":
            line = self._file.readline().decode(errors="replace")
            if not line or line.startswith(("---", "...")):
                raise InputError("the file ends or is damaged above the atoms; use the frames before it.")
            if line.startswith(" "):
                if key == "box":
                    box.append([_number(word) for word in _words(line)])
                continue
            key, colon, value = line.partition(":")
            if not colon:
                raise InputError("the lines above the atoms are damaged; use the frames before it.")
            entries[key] = value.strip()
        return entries, box

    def _header(self, frame: int) -> dict[str, Any]:
        entries, box = self._above(frame)
        for key in ("timestep", "natoms", "boundary", "keywords"):
            if key not in entries:
                raise InputError(f"the entry {key} is missing above the atoms; write the dump again.")
        if "time" in entries:
            self._times[frame] = _number(entries["time"])
        sizes = [len(row) for row in box]
        if sizes[:3] == [4, 4, 4]:
            rows = np.array(box[:3])
        elif sizes in ([2, 2, 2], [2, 2, 2, 3]):
            rows = np.array(box[:3])
            if len(box) == 4:
                rows = np.column_stack([rows, box[3]])
        else:
            raise InputError("the rows of the box are damaged; use the frames before it.")
        flags = _words(entries["boundary"])
        return {
            "step": int(_number(entries["timestep"])),
            "n": int(_number(entries["natoms"])),
            "box": rows,
            "bounds": ["".join(flags[k : k + 2]) for k in range(0, len(flags), 2)],
            "columns": _words(entries["keywords"]),
        }

    def _rows(self, n: int) -> Iterator[bytes]:
        for _ in range(n):
            line = self._file.readline()
            begin, end = line.find(b"["), line.rfind(b"]")
            if begin < 0 or end < 0:
                raise InputError("the file ends or is damaged among the atoms; use the frames before it.")
            yield line[begin + 1 : end].replace(b",", b" ") + b"\n"


def _words(text: str) -> list[str]:
    """Return what stands in ``[ a, b, ]``."""
    return text.partition("[")[2].partition("]")[0].replace(",", " ").split()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            "a number above the atoms is none; the file is cut off or damaged, use the frames before it."
        ) from None
