"""Errors of the parameters of a landscape, carried through by drawing sets of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import pelplug
from pelplug_trap_model.correlations import KINDS, correlation_of, read_matrix

__all__ = ["ParameterErrors"]

_FEWEST = 0.9  # least share of drawn sets that must be possible


@dataclasses.dataclass(frozen=True)
class ParameterErrors:
    """Standard errors of the parameters of a landscape, and of what is multiplied to its results.

    Attributes
    ----------
    errors : dict of str to float
        By the names of the parameters.
    values : dict of str to float
        What the parameters themselves are.
    correlation : ndarray, shape (len(errors), len(errors))
        Of the errors, in their order.
    """

    errors: dict[str, float]
    values: dict[str, float]
    correlation: np.ndarray

    @classmethod
    def of(cls, given: Mapping[str, Any] | None, landscape: pelplug.TrapLandscape, **others: float) -> ParameterErrors:
        """Read errors by the names of parameters, or of their options, and how they go together.

        Parameters
        ----------
        given : mapping
            Errors by names; ``correlation`` or ``covariance``, each with ``parameters``, a list of names, and
            ``matrix``, of the correlations between their errors, or of their covariances, which are their errors too.
        landscape : TrapLandscape
        **others : float
            Further values that may have errors.

        Raises
        ------
        InputError
            If there is no such parameter, an error is no number or negative, or a matrix is none of that kind.
        """
        values = {name: getattr(landscape, name) for name in landscape.parameter_specs() if name != "plateau"} | others
        names = {spec.option.replace("-", "_"): name for name, spec in landscape.parameter_specs().items()}

        def called(key: str) -> str:
            name = names.get(str(key).replace("-", "_"), str(key).replace("-", "_"))
            if name not in values:
                raise pelplug.InputError(
                    f"There is no parameter {key} to have an error; these are {', '.join(values)}."
                )
            return name

        given = dict(given or {})
        matrices = {kind: read_matrix(kind, given.pop(kind), called) for kind in KINDS if kind in given}
        if len(matrices) == 2:
            raise pelplug.InputError("Errors have a correlation and a covariance; give one of both.")
        errors: dict[str, float] = {}
        for key, text in given.items():
            name = called(key)
            try:
                error = float(text)
            except (TypeError, ValueError):
                error = np.nan
            if not 0.0 <= error < np.inf:
                raise pelplug.InputError(f"The error of {key} must be a number that is at least 0, not {text!r}.")
            if name in errors:
                raise pelplug.InputError(f"The parameter {name} has two errors, one as {key}; leave one of them out.")
            errors[name] = error
        if "covariance" in matrices:
            known, matrix = matrices["covariance"]
            for name, error in zip(known, np.sqrt(np.diag(matrix)), strict=True):
                if name in errors:
                    raise pelplug.InputError(
                        f"The parameter {name} has an error, and another in the covariance; leave one of them out."
                    )
                errors[name] = float(error)
        for name, error in errors.items():
            if error and not np.isfinite(values[name]):
                raise pelplug.InputError(f"The parameter {name} is {values[name]:g} and has no error; leave it out.")
        errors = {name: error for name, error in errors.items() if error}
        return cls(errors, values, correlation_of(errors, matrices))

    def draws(self, landscape: pelplug.TrapLandscape, number: int, seed: int) -> Iterator[tuple[Any, dict[str, float]]]:
        """Yield possible landscapes, each with the other values, drawn from a normal distribution.

        Raises
        ------
        InputError
            If too many sets of parameters are none of a landscape.
        """
        rng = np.random.default_rng(seed)
        fields = landscape.parameter_specs()
        possible = 0
        share, axes = np.linalg.eigh(self.correlation)
        root = axes * np.sqrt(np.maximum(share, 0.0)) @ axes.T  # symmetric, the unit matrix without correlations
        for _ in range(number):
            away = root @ rng.standard_normal(len(self.errors))
            drawn = {name: self.values[name] + error * away[k] for k, (name, error) in enumerate(self.errors.items())}
            others = {name: value for name, value in drawn.items() if name not in fields}
            try:
                one = dataclasses.replace(landscape, **{name: drawn[name] for name in drawn if name in fields})
            except pelplug.InputError:
                continue
            if all(value > 0.0 for value in others.values()):
                possible += 1
                yield one, others
        if possible < _FEWEST * number:
            raise pelplug.InputError(
                f"Of {number} sets of parameters within the errors given only {possible} are those of a landscape, the "
                "others have a width or a rate below 0, or a cutoff above the centre; give smaller errors."
            )

    def spread(
        self,
        landscape: pelplug.TrapLandscape,
        values: Mapping[str, np.ndarray],
        compute: Callable[..., Mapping[str, np.ndarray]],
        number: int,
        seed: int,
    ) -> tuple[dict[str, np.ndarray], int]:
        """Return within what of each value 68 of 100 drawn sets lie, and how many sets there were.

        Parameters
        ----------
        landscape : TrapLandscape
            That of the values.
        values : mapping of str to ndarray
            What `compute` gives of it.
        compute : callable
            Returns such values of a landscape, and of the other values by keyword.
        number, seed : int
            Of the sets that are drawn.
        """
        away = [
            {name: np.nan_to_num(np.abs(found[name] - values[name]), nan=np.inf) for name in values}
            for found in (compute(one, **others) for one, others in self.draws(landscape, number, seed))
        ]
        errors = {
            name: np.sort([one[name] for one in away], axis=0)[int(pelplug.ONE_SIGMA * len(away))] for name in values
        }
        return {name: np.where(np.isfinite(error), error, np.nan) for name, error in errors.items()}, len(away)

    def in_words(self) -> str:
        """Return which parameters have which error, for a sentence."""
        said = ", ".join(f"{name} {self.values[name]:g} +- {error:g}" for name, error in self.errors.items())
        names, pairs = list(self.errors), np.argwhere(np.triu(self.correlation, 1) != 0)
        if not len(pairs):
            return f"{said}, independently of each other"
        told = ", ".join(f"{names[j]} and {names[k]} {self.correlation[j, k]:.2g}" for j, k in pairs)
        return f"{said}, with correlations of {told}"
