"""Which dipole responses z_ij are kept, and what a result has of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

import pelplug

__all__ = ["FIELDS", "check_choices", "kept_responses", "missing_pairs"]

OF = ("frame", "response")
FIELDS = {
    "response_field": pelplug.Field(
        (*OF, "particle", "dimension"),
        "length**2 / energy",
        "displacements z_ij by a dipole of strength one that pushes the pair apart; zero for rattlers",
    ),
    "response_i": pelplug.Field(OF, "1", "first particle of the pair, -1 where there is no such pair"),
    "response_j": pelplug.Field(OF, "1", "second particle of the pair"),
    "response_direction": pelplug.Field((*OF, "dimension"), "1", "unit vector from the first to the second particle"),
    "response_kappa": pelplug.Field(OF, "energy / length**2", "dipole stiffness of the pair"),
}
EXTREMES = {"softest": np.argmin, "stiffest": np.argmax}
_PAIR = re.compile(r"(\d+)-(\d+)")


def check_choices(choices: Sequence[str], n: int) -> None:
    """Refuse what names no pair of N particles, or one twice.

    Raises
    ------
    InputError
        With the remedy.
    """
    for one in choices:
        pair = _PAIR.fullmatch(one)
        if one not in EXTREMES and pair is None:
            raise pelplug.InputError(
                f"A response is of the {' or the '.join(EXTREMES)} pair, or of two particles as 17-42, not {one!r}."
            )
        if pair and (max(map(int, pair.groups())) >= n or pair[1] == pair[2]):
            raise pelplug.InputError(
                f"{one} is no pair of these {n} particles, which are numbered from 0 to {n - 1}; choose another "
                "(--response)."
            )
    if len(set(choices)) < len(choices):
        raise pelplug.InputError("A response is asked for twice; name each once (--response).")


def kept_responses(response: pelplug.LinearResponse, stiffness: Any, choices: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the variables of the responses of one inherent structure, through its factorisation.

    Parameters
    ----------
    response : LinearResponse
        The inherent structure.
    stiffness : DipoleStiffness
        Its pairs, among which the softest and stiffest are looked for.
    choices : sequence of str
        As `check_choices` lets pass.
    """
    n, d, k = response.configuration.n, response.configuration.dimension, len(choices)
    values: dict[str, np.ndarray] = {
        "response_field": np.full((k, n, d), np.nan),
        "response_i": np.full(k, -1),
        "response_j": np.full(k, -1),
        "response_direction": np.full((k, d), np.nan),
        "response_kappa": np.full(k, np.nan),
    }
    for place, one in enumerate(choices):
        if one in EXTREMES:
            found = EXTREMES[one](stiffness.kappa_ij)
            i, j, unit = stiffness.i[found], stiffness.j[found], stiffness.unit[found]
        else:
            i, j = map(int, one.split("-"))
            unit = None
        try:
            answer = pelplug.dipole_response(response, i, j, unit)
        except pelplug.InputError:  # these two do not interact in this frame: `missing_pairs` says so
            continue
        rows = (answer.fields, answer.i, answer.j, answer.unit, answer.kappa)
        for array, row in zip(values.values(), rows, strict=True):
            array[place] = row[0]
    return values


def missing_pairs(dataset: Any, choices: Sequence[str]) -> list[str]:
    """Return a sentence for each pair that has no dipole in some frames."""
    said = []
    for place, one in enumerate(choices):
        without = dataset["frame"].values[dataset["response_i"].values[:, place] < 0]
        if without.size:
            frames = ", ".join(map(str, without[:5])) + (", ..." if without.size > 5 else "")
            said.append(
                f"No response of {one} in {without.size} of {dataset.sizes['frame']} frames ({frames}): the two "
                "particles do not interact there, or one is a rattler; choose an interacting pair."
            )
    return said
