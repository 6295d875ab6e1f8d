"""A checksum of an input file that stays cheap for files of many GiB."""

from __future__ import annotations

import hashlib
import os

__all__ = ["checksum", "kept_checksum"]

SAMPLED_ABOVE = 1 << 30
SAMPLE = 1 << 24

_kept: dict[tuple[str, int, int], str] = {}


def checksum(path) -> str:
    """Return the SHA-256 of a file, "sha256:...".

    Parameters
    ----------
    path : path_like

    Returns
    -------
    str
        Above 1 GiB, that of the size (in decimal) and the first and last 16 MiB, beginning with "sha256-sampled:".
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= SAMPLED_ABOVE:
            while block := file.read(1 << 20):
                digest.update(block)
            return f"sha256:{digest.hexdigest()}"
        digest.update(str(size).encode())
        digest.update(file.read(SAMPLE))
        file.seek(-SAMPLE, os.SEEK_END)
        digest.update(file.read(SAMPLE))
    return f"sha256-sampled:{digest.hexdigest()}"


def kept_checksum(path) -> str:
    """Return the checksum of a file, computed once while the file stays as it is."""
    state = os.stat(path)
    key = (os.path.abspath(path), state.st_size, state.st_mtime_ns)
    if key not in _kept:
        _kept[key] = checksum(path)
    return _kept[key]
