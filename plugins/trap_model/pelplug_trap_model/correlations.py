"""Correlations between the errors of parameters, from a matrix of them or of covariances."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import pelplug

__all__ = ["KINDS", "correlation_of", "read_matrix"]

KINDS = ("correlation", "covariance")
_ROUNDED = 1e-6  # of the largest entry, by which written digits may be off


def read_matrix(kind: str, given: Any, called: Callable[[str], str]) -> tuple[list[str], np.ndarray]:
    """Return the names of the parameters of a matrix, and the matrix.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    given : mapping
        ``parameters``, a list of names, and ``matrix``, a list of rows.
    called : callable
        Returns the name of a parameter of what it is called.

    Raises
    ------
    InputError
        If it is none, not symmetric, or has a negative eigenvalue.
    """
    if not isinstance(given, Mapping) or set(given) != {"parameters", "matrix"} or isinstance(given["parameters"], str):
        raise pelplug.InputError(
            f"The {kind} of errors must have parameters, a list of names, and matrix, a list of rows, and nothing else."
        )
    names = [called(one) for one in given["parameters"]]
    if twice := [one for one in names if names.count(one) > 1]:
        raise pelplug.InputError(f"The {kind} of errors names {twice[0]} twice; name it once.")
    try:
        matrix = np.array(given["matrix"], dtype=float)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (len(names), len(names)) or not names or not np.isfinite(matrix).all():
        raise pelplug.InputError(
            f"The matrix of the {kind} of errors must be {len(names)} rows of {len(names)} numbers, as many as there "
            "are parameters."
        )
    scale = np.sqrt(np.abs(np.diag(matrix)))
    near = _ROUNDED * np.outer(scale, scale) + 1e-300
    if kind == "correlation" and not np.allclose(np.diag(matrix), 1.0, rtol=0.0, atol=_ROUNDED):
        raise pelplug.InputError(
            "The matrix of the correlation of errors must be 1 on its diagonal; a matrix with the squares of errors "
            "there is a covariance."
        )
    if np.any(apart := np.abs(matrix - matrix.T) > near):
        j, k = np.argwhere(apart)[0]
        raise pelplug.InputError(
            f"The matrix of the {kind} of errors must be symmetric, and it has {matrix[j, k]:g} and {matrix[k, j]:g} "
            f"for {names[j]} and {names[k]}."
        )
    matrix = (matrix + matrix.T) / 2
    # of what has no error nothing but 0 can stand beside; the others relative to their errors
    scale = np.where(scale > 0, scale, 1.0)
    lowest = np.linalg.eigvalsh(matrix / np.outer(scale, scale)).min()
    if lowest < -_ROUNDED * len(names):
        raise pelplug.InputError(
            f"The matrix of the {kind} of errors must have no negative eigenvalue, and one is {lowest:.3g} in units of "
            "the errors: no errors go together like that."
        )
    return names, matrix


def correlation_of(errors: Mapping[str, float], matrices: Mapping[str, tuple[list[str], np.ndarray]]) -> np.ndarray:
    """Return the correlations of all errors, 0 where nothing is said of them.

    Parameters
    ----------
    errors : mapping of str to float
        Those above 0, by name.
    matrices : mapping
        What `read_matrix` gave, by kind; one or none.

    Raises
    ------
    InputError
        If a correlation is of a parameter without an error.
    """
    found, places = np.eye(len(errors)), {name: k for k, name in enumerate(errors)}
    for kind, (names, matrix) in matrices.items():
        scale = np.sqrt(np.diag(matrix))
        if kind == "correlation" and (lost := [name for name in names if name not in places]):
            raise pelplug.InputError(f"The correlation of errors names {lost[0]}, which has no error; give it one.")
        for (j, one), (k, other) in itertools.product(enumerate(names), repeat=2):
            if one in places and other in places:
                found[places[one], places[other]] = matrix[j, k] / (scale[j] * scale[k])
    np.fill_diagonal(found, 1.0)
    return found
