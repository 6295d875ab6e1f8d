"""QuenchingAnalysis: the base of analyses that quench frames; the minimiser is declared, checked and recorded here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.minimisation import ForceTolerance, MaxEvaluations, Method, MinimiserParameters, Quenching
from pelplug.landscape.minimise.quench import QuenchResult, quench, quench_parameters
from pelplug.tasks.analysis import Analysis

__all__ = ["QuenchingAnalysis"]


class QuenchingAnalysis(Analysis):
    """Base of analyses that quench frames; the attribute ``quench`` of their datasets has `quench_arguments` as JSON.

    Attributes
    ----------
    quench_arguments : dict
        All that decides where a quench ends, as `pelplug.quench` takes it: method, tolerance, the allowed evaluations
        and every parameter of the minimiser.

    Raises
    ------
    InputError
        If the minimiser has no such parameter, or a value does not fit.
    """

    def __init__(
        self,
        trajectory: Any,
        *,
        method: Method = Quenching.method,
        force_tolerance: ForceTolerance = Quenching.force_tolerance,
        max_evaluations: MaxEvaluations = Quenching.max_evaluations,
        minimiser_parameters: MinimiserParameters = Quenching.minimiser_parameters,
        **base: Any,
    ) -> None:
        super().__init__(trajectory, **base)
        used = quench_parameters(method, **(minimiser_parameters or {}))
        self.parameters["minimiser_parameters"] = used
        self.quench_arguments: dict[str, Any] = {
            "method": method,
            "force_tolerance": force_tolerance,
            "max_evaluations": max_evaluations,
            **used,
        }
        self.attributes["quench"] = json.dumps(self.quench_arguments)

    def check_before(self, frames: np.ndarray) -> None:
        """Refuse a model whose minima no minimiser can reach."""
        self.check_minima(frames, self.quench_arguments["force_tolerance"])

    def quench(self, configuration: Configuration) -> QuenchResult:
        """Return the inherent structure of a configuration.

        Raises
        ------
        NotConvergedError
            With the reason.
        """
        return quench(configuration, self.potential_of(configuration), **self.quench_arguments).require_converged()
