"""Errors of the parameters of a landscape, carried through by drawing sets of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import pelplug

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
    """

    errors: dict[str, float]
    values: dict[str, float]

    @classmethod
    def of(cls, given: Mapping[str, Any] | None, landscape: pelplug.TrapLandscape, **others: float) -> ParameterErrors:
        """Read errors by the names of parameters, or of their options.

        Raises
        ------
        InputError
            If there is no such parameter, or an error is no number or negative.
        """
        values = {name: getattr(landscape, name) for name in landscape.parameter_specs() if name != "plateau"} | others
        names = {spec.option.replace("-", "_"): name for name, spec in landscape.parameter_specs().items()}
        errors: dict[str, float] = {}
        for key, text in (given or {}).items():
            name = names.get(key.replace("-", "_"), key.replace("-", "_"))
            if name not in values:
                raise pelplug.InputError(
                    f"There is no parameter {key} to have an error; these are {', '.join(values)}."
                )
            try:
                error = float(text)
            except (TypeError, ValueError):
                error = np.nan
            if not 0.0 <= error < np.inf:
                raise pelplug.InputError(f"The error of {key} must be a number that is at least 0, not {text!r}.")
            if error and not np.isfinite(values[name]):
                raise pelplug.InputError(f"The parameter {key} is {values[name]:g} and has no error; leave it out.")
            if name in errors:
                raise pelplug.InputError(f"The parameter {name} has two errors, one as {key}; leave one of them out.")
            errors[name] = error
        return cls({name: error for name, error in errors.items() if error}, values)

    def draws(self, landscape: pelplug.TrapLandscape, number: int, seed: int) -> Iterator[tuple[Any, dict[str, float]]]:
        """Yield possible landscapes, each with the other values, drawn independently from normal distributions.

        Raises
        ------
        InputError
            If too many sets of parameters are none of a landscape.
        """
        rng = np.random.default_rng(seed)
        fields = landscape.parameter_specs()
        possible = 0
        for _ in range(number):
            drawn = {name: self.values[name] + error * rng.standard_normal() for name, error in self.errors.items()}
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
        return ", ".join(f"{name} {self.values[name]:g} +- {error:g}" for name, error in self.errors.items())
