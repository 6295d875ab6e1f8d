"""A look at what makes the HDF5 library run for ever: free space of no size in a heap of texts."""

from __future__ import annotations

import mmap
import struct

from pelplug.errors import InputError

__all__ = ["check_heaps"]

_FILE = b"\x89HDF\r\n\x1a\n"
_MARK = b"GCOL\x01\0\0\0"
_NEAR = 1 << 20  # bytes at both ends of the file, where the texts of attributes are


def check_heaps(path) -> None:
    """Refuse a file one of whose global heaps HDF5 could not walk through.

    Parameters
    ----------
    path : path_like

    Raises
    ------
    InputError
        If an entry leaves the heap, or free space has no size, at which the library goes round and round.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if text[:8] != _FILE or text[14 if text[8] < 2 else 10] != 8:  # lengths are not of 8 bytes, which h5py's are
            return
        for begin in {0, max(0, len(text) - _NEAR)}:
            end = min(len(text), begin + _NEAR)
            place = text.find(_MARK, begin, end)
            while place >= 0:
                if not place % 8 and not _is_whole(text, place):
                    raise InputError(f"{path} is damaged (a heap of texts at byte {place}); copy it again.")
                place = text.find(_MARK, place + 1, end)


def _is_whole(text, begin: int) -> bool:
    if begin + 16 > len(text):
        return True  # the library says that the file ends
    (size,) = struct.unpack_from("<Q", text, begin + 8)
    place, end = 16, min(size, _NEAR, len(text) - begin)
    while place + 16 <= end:
        index, _, _, extent = struct.unpack_from("<HHIQ", text, begin + place)
        step = extent if index == 0 else 16 + (extent + 7) // 8 * 8
        if step < 16 or place + step > size:
            return False
        place += step
    return True
