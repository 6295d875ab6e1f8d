"""Outputs that the same command has written already."""

from __future__ import annotations

import os
from pathlib import Path

from pelplug.errors import InputError

__all__ = ["FinishedOutput"]


class FinishedOutput:
    """Finds out whether a command has done its work already, and refuses to replace anything else.

    Parameters
    ----------
    output : path_like
        Results, ``.nc``, or inherent structures, ``.gsd``.
    beside : iterable of path_like
        Other outputs of the command.
    overwrite : bool
        Whether all is to be made again.
    inputs : iterable of path_like
        Files that the command reads.

    Raises
    ------
    InputError
        If an output cannot be written, or is there and was not made by such a command.
    """

    def __init__(self, output, beside, overwrite: bool, inputs):
        from pelplug.core.outputs import check_outputs

        self.output, self.beside = Path(output), list(beside)
        self._there = {} if overwrite else _datasets(self.output)
        self._check = lambda overwrite: check_outputs([self.output, *self.beside], overwrite, inputs)
        # Whether it is the same command is not known before the trajectory is read.
        self._check(overwrite or bool(self._there))

    def __call__(self, requests: dict[str, str]):
        """Return the datasets of a command that asks for the same, None if there is work to do."""
        if not self._there:
            return None
        if {name: one.attrs.get("request") for name, one in self._there.items()} != requests:
            self._check(False)
        if missing := [path for path in self.beside if not Path(path).exists()]:
            raise InputError(
                f"{self.output} was finished by this command already, but {missing[0]} is not there; pass --overwrite "
                "to make all anew."
            )
        return self._there


def _datasets(path: Path) -> dict:
    """Return what was recorded of a request in a file; empty if nothing was."""
    import xarray as xr

    from pelplug.files.results import read_results
    from pelplug.trajectories.readers.write import read_record

    found = {}
    if path.suffix.lower() == ".gsd":
        # The attributes of the datasets that it was made from.
        attributes = read_record(path, "provenance") or {}
        found = {name: xr.Dataset(attrs=attrs) for name, attrs in attributes.items() if isinstance(attrs, dict)}
    elif os.path.isfile(path):  # False for a name that cannot be
        try:
            found = read_results(path)
        except InputError:
            return {}
    return found if all("request" in one.attrs for one in found.values()) else {}
