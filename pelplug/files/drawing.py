"""What results say of drawing their particles: diameters, and bonds as sticks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr

from pelplug.files.gsd import Drawn

__all__ = ["Drawing"]

# Rules by which diameters and bonds are the particles' own, which a reader may take for what they are.
_OWN_DIAMETERS, _OWN_BONDS = ("configuration",), ("force field",)


class Drawing:
    """Diameters and bonds of each frame, of the first results that have them.

    Parameters
    ----------
    datasets : mapping of str to Dataset
        With variables ``diameter`` (frame, particle), and ``bond_i`` and ``bond_j`` over a dimension whose coordinate
        ``bond_frame`` has their frames. ``diameter_rule`` and ``bond_rule`` (frame) say where they are from.
    """

    def __init__(self, datasets: Mapping[str, xr.Dataset]):
        found = datasets.values()
        self._sized = next((one for one in found if _dims(one, "diameter") == ("frame", "particle")), None)
        self._bonded = next((one for one in found if {"bond_i", "bond_j", "bond_frame"} <= set(one.variables)), None)

    def record(self) -> dict[str, str]:
        """Return by which rule diameters and bonds are drawn that are not those of the particles themselves."""
        rules = {}
        if self._sized is not None and (rule := _rules(self._sized, "diameter_rule", _OWN_DIAMETERS)):
            rules["diameters"] = rule
        if self._bonded is not None and (rule := _rules(self._bonded, "bond_rule", _OWN_BONDS)):
            rules["bonds"] = rule
        return rules

    def of(self, label: int | None) -> Drawn:
        """Return how to draw the frame of a label.

        Parameters
        ----------
        label : int or None
        """
        diameters = bonds = None
        if self._sized is not None and len(at := np.flatnonzero(self._sized["frame"].values == label)):
            diameters = self._sized["diameter"].values[at[0]]
        if self._bonded is None:
            return Drawn(diameters)
        mine = self._bonded["bond_frame"].values == label
        bonds = np.stack([self._bonded[name].values[mine] for name in ("bond_i", "bond_j")], axis=1)
        rule = _rules(self._bonded, "bond_rule", ()) or "bond"
        return Drawn(diameters, bonds, "bond" if rule in _OWN_BONDS else rule)


def _dims(dataset: xr.Dataset, name: str) -> tuple[Hashable, ...] | None:
    return dataset[name].dims if name in dataset else None


def _rules(dataset: xr.Dataset, name: str, own: tuple[str, ...]) -> str:
    """Return the rules of all frames, without those of ``own``; "unstated" where none is said."""
    if name not in dataset:
        return "unstated"
    return ", ".join(sorted(set(map(str, dataset[name].values)) - set(own)))
