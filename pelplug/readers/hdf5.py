"""A look at what makes the HDF5 library run for ever: free space of no size in a heap of texts."""

from __future__ import annotations

import os
import struct

from pelplug.errors import InputError

__all__ = ["check_heaps"]

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
    with open(path, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        for begin in {0, max(0, length - _NEAR)}:
            file.seek(begin)
            text = file.read(_NEAR)
            place = text.find(_MARK)
            while place >= 0:
                if not (begin + place) % 8 and not _is_whole(text[place : place + 16], file, begin + place):
                    raise InputError(f"{path} is damaged (a heap of texts at byte {begin + place}); copy it again.")
                place = text.find(_MARK, place + 1)


def _is_whole(head: bytes, file, begin: int) -> bool:
    if len(head) < 16:
        return True  # the library says that the file ends
    (size,) = struct.unpack("<Q", head[8:])
    file.seek(begin)
    heap = file.read(min(size, _NEAR))
    place = 16
    while place + 16 <= len(heap):
        index, _, _, extent = struct.unpack("<HHIQ", heap[place : place + 16])
        step = extent if index == 0 else 16 + (extent + 7) // 8 * 8
        if step < 16 or place + step > size:
            return False
        place += step
    return True
