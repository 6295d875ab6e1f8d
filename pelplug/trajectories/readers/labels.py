"""Which of a file's labels (elements, names, types) are the species, and what they are called."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import natural_order
from pelplug.errors import InputError

__all__ = ["LABELS", "choose_labels", "rename"]

# Keys of ts.data that may name the species.
LABELS = ("pelplug_elements", "pelplug_names", "pelplug_types")


def choose_labels(candidates: dict[str, np.ndarray], mapping: dict[str, str] | None, path) -> str:
    """Return the kind of label that names the species.

    Parameters
    ----------
    candidates : dict of ndarray of str
        Labels of the particles by kind, the preferred kind first.
    mapping : dict of str, or None
        New names by label; the first kind that has all these labels is taken.
    path : path_like
        The file, for the sentence.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If there are no labels, or the mapping names one that is not there.
    """
    if not candidates:
        raise InputError(
            f"{path} does not tell the species of its particles; pass a topology (--topology) that does, such as a "
            "LAMMPS data file, GRO, PDB or PSF."
        )
    if mapping is None:
        return next(iter(candidates))
    present: set[str] = set()
    for kind, labels in candidates.items():
        found = {str(label) for label in np.unique(labels)}
        if set(mapping) <= found:
            return kind
        present |= found
    unknown = natural_order(set(mapping) - present) or natural_order(mapping)
    raise InputError(
        f"The species mapping names {', '.join(map(repr, unknown))}, but {path} has "
        f"{', '.join(map(repr, natural_order(present)))}; map those (--species 1=A,2=B)."
    )


def rename(labels: np.ndarray, mapping: dict[str, str] | None) -> np.ndarray:
    """Return the species of labels; those that are not in the mapping keep their name."""
    if mapping is None:
        return np.array(labels, dtype=str)
    names, index = np.unique(labels, return_inverse=True)
    return np.array([mapping.get(str(name), str(name)) for name in names])[index]
