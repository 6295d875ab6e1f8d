"""XTC and TRR files looked at before MDAnalysis's C code reads them, which writes beyond its buffers if damaged.

Frames are found by their own headers, which is quick, and each is checked just before it is read: sizes that belong
together, numbers that are finite, and, in an XTC, that the compressed positions hold as many atoms as the frame says
and as many bits as it has. Nothing is decompressed twice, and no file of offsets is left beside the trajectory.
"""

from __future__ import annotations

import functools
import os
import struct

import numpy as np
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile

from pelplug.errors import InputError
from pelplug.trajectories.readers.base import about_frame

__all__ = ["GuardedTRR", "GuardedXTC", "check_first"]

_XTC = struct.Struct(">3if9fi")  # magic, atoms, step, time, box, atoms again
_PACKED = struct.Struct(">f3i3i2i")  # precision, smallest, largest, index of small sizes, bytes
_UNPACKED = 9  # atoms up to which positions are not compressed
_TRR = struct.Struct(">2i4s12s13i")  # magic, length, string, and the sizes
_SMALLEST, _LARGEST = 9, 72  # indices of the sizes of small differences
_FAR = 1e6  # nm, beyond which no box reaches


class XDRFrames:
    """Where the frames of a file begin, and what is wrong with one.

    Parameters
    ----------
    path : path_like
    kind : str
        "XTC" or "TRR".
    most : int, optional
        How many frames to find; all by default.

    Attributes
    ----------
    offsets : ndarray of int
        First byte of every frame; the last one may be damaged.
    """

    def __init__(self, path, kind: str, most: int | None = None):
        self.path = os.fspath(path)
        self._descriptor = os.open(self.path, os.O_RDONLY)
        self._length = os.fstat(self._descriptor).st_size
        self._measure = {"XTC": self._xtc, "TRR": self._trr}[kind]
        self.n_atoms: int | None = None
        offsets: list[int] = []
        position = 0
        while position < self._length and len(offsets) != most:
            offsets.append(position)
            try:
                position += self._measure(position)[0]
            except InputError:
                break
        self.offsets = np.array(offsets, dtype=np.int64)

    def __del__(self) -> None:
        if (descriptor := self.__dict__.pop("_descriptor", None)) is not None:
            os.close(descriptor)

    def check(self, frame: int) -> dict:
        """Return the header of a frame after looking at all of it.

        Raises
        ------
        InputError
            If it cannot be what a program wrote.
        """
        if frame >= len(self.offsets):
            return {}
        size, header = self._measure(int(self.offsets[frame]))
        if self.offsets[frame] + size > self._length:
            raise InputError("the file ends in the middle of it; it is truncated, use the frames before it")
        if "bits" in header:
            data = np.frombuffer(os.pread(self._descriptor, header["bytes"], header["begin"]), dtype=np.uint8)
            used = _kernels()[0](data, header["atoms"], header["bits"], header["small"], _SMALLEST, _LARGEST)
            if used < 0 or not 0 <= len(data) - (used + 7) // 8 < 4:
                raise InputError("its compressed positions do not fit its header; it is damaged, use other frames")
        return header

    def _bytes(self, form: struct.Struct, position: int):
        data = os.pread(self._descriptor, form.size, position)
        if len(data) < form.size:
            raise InputError("the file ends in its header; it is truncated, use the frames before it")
        return form.unpack(data)

    def _atoms(self, n: int) -> None:
        if self.n_atoms is None:
            self.n_atoms = n
        if n != self.n_atoms or n <= 0:
            raise InputError(
                f"it says that it has {n} atoms, where the first frame has {self.n_atoms}; it is damaged, use the "
                "frames before it"
            )

    def _xtc(self, position: int) -> tuple[int, dict]:
        magic, n, _, time, *box, again = self._bytes(_XTC, position)
        if magic == 2023:
            raise InputError("it has more atoms than an XTC of the usual kind holds; write fewer atoms")
        if magic != 1995 or again != n:
            raise InputError("it does not begin as a frame of an XTC does: it is damaged, use the frames before it")
        self._atoms(n)
        _plausible([time], np.inf)
        _plausible(box, _FAR)
        if n <= _UNPACKED:
            return _XTC.size + 12 * n, {}
        precision, *limits, small, size = self._bytes(_PACKED, position + _XTC.size)
        low, high = np.array(limits[:3], dtype=np.int64), np.array(limits[3:], dtype=np.int64)
        extent = high - low + 1
        if not (0 < precision < 1e12) or np.any(extent < 1) or np.any(extent > 0xFFFFFFFF) or size < 1:
            raise InputError("its header is damaged; use the frames before it")
        if not _SMALLEST <= small <= _LARGEST or size > 4 * int(3.6 * n) - 12:  # what the C code has room for
            raise InputError("its header is damaged; use the frames before it")
        begin = position + _XTC.size + _PACKED.size
        header = {
            "begin": begin, "bytes": size, "atoms": n, "bits": _bits(extent.tolist()), "small": small,
            "precision": precision, "low": low, "high": high,
        }  # fmt: skip
        return _XTC.size + _PACKED.size + (size + 3) // 4 * 4, header

    def _trr(self, position: int) -> tuple[int, dict]:
        magic, length, count, name, ir, e, box, virial, pressure, top, sym, x, v, f, n, _, _ = self._bytes(
            _TRR, position
        )
        if magic != 1993 or length != 13 or count != b"\0\0\0\x0c" or name != b"GMX_trn_file":
            raise InputError("it does not begin as a frame of a TRR does: it is damaged, use the frames before it")
        self._atoms(n)
        width = box // 9 if box else next((size // (3 * n) for size in (x, v, f) if size), 4)
        whole = {0, 9 * width}
        if (
            width not in (4, 8)
            or any((ir, e, top, sym))
            or not {box, virial, pressure} <= whole
            or not {x, v, f} <= {0, 3 * n * width}
        ):
            raise InputError("the sizes in its header do not belong together; it is damaged, use the frames before it")
        start = position + _TRR.size
        _plausible(self._bytes(struct.Struct(">2d" if width == 8 else ">2f"), start)[:1], np.inf)
        if box:
            _plausible(self._bytes(struct.Struct(">9d" if width == 8 else ">9f"), start + 2 * width), _FAR)
        return _TRR.size + 2 * width + box + virial + pressure + x + v + f, {}


def _plausible(numbers, limit: float) -> None:
    if not all(abs(number) < limit for number in numbers):  # NaN too
        raise InputError("its time or box is no number that a program wrote; it is damaged, use other frames")


def _bits(extent: list[int]) -> int:
    """Bits of one position that is not packed as a small difference."""
    if max(extent) > 0xFFFFFF:
        return sum(one.bit_length() for one in extent)
    # As in the C code: the bits of the last byte of the product, and eight for each one before it.
    product = extent[0] * extent[1] * extent[2]
    before = (product.bit_length() + 7) // 8 - 1
    return 8 * before + (product >> 8 * before).bit_length()


@functools.cache
def _kernels():
    from pelplug.execution.compile import Family

    family = Family(constants=("xtc",))

    @family.kernel()
    def scan(data, n, bits, small, smallest, largest):
        """Bits that ``n`` compressed positions take, or -1 if they do not come out."""
        total = 8 * len(data)
        position, i, run = 0, 0, 0
        while i < n:
            position += bits
            i += 1
            if position >= total:
                return -1
            change = 0
            flag = (data[position >> 3] >> (7 - (position & 7))) & 1
            position += 1
            if flag:
                if position + 5 > total:
                    return -1
                run = 0
                for _ in range(5):
                    run = 2 * run + ((data[position >> 3] >> (7 - (position & 7))) & 1)
                    position += 1
                change = run % 3
                run -= change
                change -= 1
            i += run // 3
            position += run // 3 * small
            small += change
            if small < smallest or small > largest:
                return -1
        return position if i == n and position <= total else -1

    @family.kernel()
    def limits(x):
        """Smallest and largest of every column, shape (2, 3); numpy takes longer for them than the decompression."""
        result = np.empty((2, 3))
        for k in range(3):
            low = high = x[0, k]
            for i in range(1, len(x)):
                low = min(low, x[i, k])
                high = max(high, x[i, k])
            result[0, k], result[1, k] = low, high
        return result

    return scan, limits


def check_first(path, kind: str) -> None:
    """Refuse a file whose first header is damaged: the C code reads it, and divides by its numbers, as it opens.

    Parameters
    ----------
    path : path_like
    kind : str
        "XTC" or "TRR".
    """
    try:
        XDRFrames(path, kind, most=1).check(0)
    except InputError as error:
        raise InputError(about_frame(0, os.fspath(path), f"it cannot be read: {error}.")) from None


class _Guarded:
    """Check each frame before the C code reads it."""

    kind = ""
    fname: str | bytes

    @functools.cached_property
    def frames(self) -> XDRFrames:
        """Where the frames begin."""
        path = self.fname.decode() if isinstance(self.fname, bytes) else self.fname
        return XDRFrames(path, self.kind)

    def _checked(self, read, *arrays):
        number = self.tell()
        try:
            header = self.frames.check(number)
            frame = read(*arrays)
            if header.get("bits"):
                _check_extent(header, arrays[0] if arrays else frame.x)
        except InputError as error:
            raise InputError(about_frame(number, self.frames.path, f"it cannot be read: {error}.")) from None
        return frame

    def read(self):
        """Read the next frame."""
        return self._checked(super().read)


def _check_extent(header, x) -> None:
    """Refuse positions that are not within the limits that the header gives, which they reach."""
    stated = np.array([header["low"], header["high"]])
    grid = _kernels()[1](np.asarray(x)) * float(header["precision"])
    if not np.all(np.abs(grid - stated) <= 0.5 + 1e-6 * np.abs(stated)):
        raise InputError("its positions are not within the limits of its header; it is damaged, use other frames")


class GuardedXTC(_Guarded, XTCFile):
    """An `XTCFile` that refuses damaged frames."""

    kind = "XTC"

    def read_direct_x(self, positions):
        """Read the next frame into an array."""
        return self._checked(super().read_direct_x, positions)


class GuardedTRR(_Guarded, TRRFile):
    """A `TRRFile` that refuses damaged frames."""

    kind = "TRR"

    def read_direct_xvf(self, positions, velocities, forces):
        """Read the next frame into arrays."""
        return self._checked(super().read_direct_xvf, positions, velocities, forces)
