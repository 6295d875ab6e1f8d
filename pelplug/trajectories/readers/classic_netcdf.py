"""Classic NetCDF files (CDF-1, CDF-2 and CDF-5): the numbers of a frame, without a library that knows all three.

scipy, which MDAnalysis uses, does not read CDF-5, which LAMMPS writes. The layout is that of "NetCDF Classic Format
Specification" (Unidata) and "CDF-5 Format Specification" (Northwestern University).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from pelplug.errors import InputError

__all__ = ["ClassicNetCDF", "Variable"]

_TYPES = {1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
_DIMENSION, _VARIABLE, _ATTRIBUTE = 10, 11, 12
_MOST = 1 << 20  # entries of a list, or letters of a name: more is damage


@dataclasses.dataclass(frozen=True)
class Variable:
    """What the header says of a variable.

    Attributes
    ----------
    shape : tuple of int
        Of one record where there are records.
    dtype : numpy.dtype
    attributes : dict
    begin : int
        Place of its first byte.
    is_record : bool
        Whether it has a value in each record.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: dict[str, Any]
    begin: int
    is_record: bool

    @property
    def size(self) -> int:
        """Bytes of one record, or of the whole."""
        return math.prod(self.shape) * self.dtype.itemsize


class ClassicNetCDF:
    """A classic NetCDF file, of which one record is read at a time.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    attributes : dict
        Of the file.
    variables : dict of str to Variable
    n_records : int

    Raises
    ------
    InputError
        If it is another file, or its header is damaged.
    """

    def __init__(self, path: str):
        self._data = np.memmap(path, dtype=np.uint8, mode="r")
        self._at = 4
        head = bytes(self._data[:4])
        if head[:3] != b"CDF" or head[3] not in (1, 2, 5):
            raise InputError(f"{path} is not a classic NetCDF file; pass its true format (--format).")
        self._wide, self._far = head[3] == 5, head[3] >= 2  # counts, and places, in eight bytes
        try:
            records = self._count(any_value=True)
            sizes = [self._dimension() for _ in range(self._list(_DIMENSION))]
            self.attributes = self._attributes()
            self.variables = dict(self._variable(sizes) for _ in range(self._list(_VARIABLE)))
        except (ValueError, LookupError, UnicodeDecodeError) as error:
            raise InputError(f"The header of {path} is damaged or cut off ({error}); copy it again.") from None
        sizes = [one.size for one in self.variables.values() if one.is_record]
        padded = [-(-size // 4) * 4 for size in sizes]
        self._record = sizes[0] if len(sizes) == 1 else sum(padded)
        streamed = (1 << 64) - 1 if self._wide else (1 << 32) - 1
        first = min((one.begin for one in self.variables.values() if one.is_record), default=len(self._data))
        whole = max(0, len(self._data) - first) // self._record if self._record else 0
        self.n_records = whole if records == streamed else records

    def read(self, name: str, record: int = 0) -> np.ndarray:
        """Return a variable, or one record of it, in the byte order of this machine.

        Raises
        ------
        InputError
            If the file ends before.
        """
        one = self.variables[name]
        start = one.begin + (record * self._record if one.is_record else 0)
        content = self._data[start : start + one.size]
        if len(content) < one.size:
            raise InputError("the file is cut off; use the frames before it.")
        found = np.frombuffer(content.tobytes(), dtype=one.dtype).reshape(one.shape)
        return found.astype(one.dtype.newbyteorder("="))

    def _number(self, size: int) -> int:
        content = bytes(self._data[self._at : self._at + size])
        if len(content) < size:
            raise ValueError("it ends there")
        self._at += size
        return int.from_bytes(content, "big")

    def _count(self, any_value: bool = False) -> int:
        found = self._number(8 if self._wide else 4)
        if found > _MOST and not any_value:
            raise ValueError(f"a count of {found}")
        return found

    def _list(self, tag: int) -> int:
        """Return how many entries a list has, whose tag is 0 where there are none."""
        found, count = self._number(4), self._count()
        if found not in (0, tag) or (found == 0 and count):
            raise ValueError(f"a list of kind {found}")
        return count

    def _name(self) -> str:
        count = self._count()
        found = bytes(self._data[self._at : self._at + count]).decode()
        self._at += -(-count // 4) * 4
        return found

    def _dimension(self) -> int:
        self._name()
        return self._count(any_value=True)

    def _attributes(self) -> dict[str, Any]:
        found = {}
        for _ in range(self._list(_ATTRIBUTE)):
            name, kind = self._name(), np.dtype(_TYPES[self._number(4)])
            count = self._count()
            content = bytes(self._data[self._at : self._at + count * kind.itemsize])
            self._at += -(-count * kind.itemsize // 4) * 4
            found[name] = content.decode("utf-8") if kind.kind == "S" else np.frombuffer(content, dtype=kind)
        return found

    def _variable(self, sizes: list[int]) -> tuple[str, Variable]:
        name = self._name()
        shape = [sizes[self._count()] for _ in range(self._count())]
        attributes, kind = self._attributes(), np.dtype(_TYPES[self._number(4)])
        self._count(any_value=True)  # a size that is no use above 4 GiB
        begin = self._number(8 if self._far else 4)
        is_record = bool(shape) and shape[0] == 0
        return name, Variable(tuple(shape[1:] if is_record else shape), kind, attributes, begin, is_record)
