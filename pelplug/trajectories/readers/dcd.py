"""The header of a DCD file, looked at before MDAnalysis's C code takes memory and indices from it."""

from __future__ import annotations

import os
import struct

import numpy as np

from pelplug.errors import InputError

__all__ = ["check_dcd"]


def check_dcd(path) -> bool:
    """Refuse a DCD file whose header does not fit the file, and tell whether its last frame is cut off.

    Parameters
    ----------
    path : path_like

    Returns
    -------
    bool
        Whether the file ends in the middle of a frame.

    Raises
    ------
    InputError
        If a size in the header is not what its neighbours say, or the first frame is longer than the file.

    Notes
    -----
    The frames themselves have their lengths before and behind every record, which the C code compares.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(4)
        order = {b"T\0\0\0": "<", b"\0\0\0T": ">"}.get(head)
        if order is None:
            raise InputError(f"{path} is not a DCD file; pass its true format (--format).")

        def numbers(count: int) -> tuple[int, ...]:
            data = file.read(4 * count)
            if len(data) < 4 * count:
                raise InputError(f"The header of {path} is cut off; copy the file again.")
            return struct.unpack(f"{order}{count}i", data)

        def insist(fits: bool) -> None:
            if not fits:
                raise InputError(f"The header of {path} is damaged; copy the file again or write it anew.")

        insist(file.read(4) == b"CORD")
        control = numbers(20)
        fixed, charmm = control[8], control[19] != 0
        (closing, title) = numbers(2)
        insist(closing == 84 and title >= 4 and (title - 4) % 80 == 0 and title < size)
        (count,) = numbers(1)
        insist(0 <= count <= 1000)  # MDAnalysis's own writer states another length of the titles than their number has
        file.seek(80 * count, os.SEEK_CUR)
        (closing, before, n, behind) = numbers(4)
        insist(before == behind == 4 and n > 0 and 0 <= fixed < n)
        extra = 56 if charmm and control[10] else 0
        four = charmm and control[11] == 1
        # What must be there for the first frame, whatever the number of frames says.
        records = 16 if four else 12
        first = extra + records * (n + 2)
        if file.tell() + first > size:
            raise InputError(
                f"The header of {path} says that it has {n} atoms, and the file is too short for one frame of them; it "
                "is damaged or truncated, copy it again."
            )
        rest = size - file.tell() - first
        if fixed:
            free = n - fixed
            (before,) = numbers(1)
            insist(before == 4 * free)
            indices = np.array(numbers(free))
            insist(indices.min() >= 1 and indices.max() <= n)
            (closing,) = numbers(1)
            rest = size - file.tell() - first
        return rest % (extra + records * (n - fixed + 2)) != 0
