"""Diffusion, relaxation and the Stokes-Einstein exponent of a landscape of traps over temperature."""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np

import pelplug
from pelplug_trap_model.closed_forms import LARGEST, ClosedForms, number
from pelplug_trap_model.parameter_errors import ParameterErrors

__all__ = ["TrapModel"]

AT = ("temperature",)
TEMPERATURES = tuple(round(0.3 + 0.025 * k, 3) for k in range(21))
DIFFUSION = "length**2 / time"
METHOD = "quantile over sets of parameters drawn from their errors"
TIMES = 121

WITH_ERRORS = {
    "mean_waiting_time": ("time", "mean waiting time <tau> = 1 / <Gamma>"),
    "diffusion_coefficient": (DIFFUSION, "diffusion coefficient <a^2> / (2 d N <tau>)"),
    "relaxation_time": ("time", "tau_alpha = <tau^2> / (2 <tau>) = exp(sigma_gamma^2) <1/Gamma>"),
    "exponent": ("1", "xi = d ln(D tau_alpha) / d ln tau_alpha along the temperature"),
    "decoupling": ("1", "<Gamma> <1/Gamma>: D tau_alpha over that of one rate for all metabasins"),
    "mean_energy": ("energy", "mean energy of a metabasin at a moment"),
}
WITHOUT = "the same in closed form, without cutoff and crossover"
CLOSED = ("mean_waiting_time", "diffusion_coefficient", "relaxation_time", "exponent")


class TrapModel(pelplug.LandscapeTheory):
    """Diffusion and structural relaxation of a small system from the parameters of its energy landscape.

    Notes
    -----
    All averages are integrals over the Gaussian density of metabasins with its cutoff, and the rate with its crossover;
    beside them stand the closed forms of the paper's Appendix A, which have neither. k_B = 1.

    Attributes of the dataset: ``remarks`` (where closed forms do not hold, with both values; how errors were found).
    """

    name = "trap-model"
    summary = "Diffusion, relaxation and Stokes-Einstein exponent of a landscape of traps over temperature"
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, "temperature", "temperature"),
        **{name: pelplug.Field(AT, unit, said) for name, (unit, said) in WITH_ERRORS.items()},
        **{f"{name}_error": pelplug.Field(AT, WITH_ERRORS[name][0], "its standard error") for name in WITH_ERRORS},
        **{
            f"closed_{name}": pelplug.Field(
                AT, WITH_ERRORS[name][0], "the same in closed form, without cutoff and crossover"
            )
            for name in CLOSED
        },
        "limit_exponent": pelplug.Field((), "1", "2 lambda / (2 + lambda): xi for T to 0 without cutoff"),
        "closed_form_deviation": pelplug.Field(
            (), "1", "largest relative difference of closed forms and quadrature where both are of one integral"
        ),
        "near_cutoff": pelplug.Field(AT, "1", "share of p_eq(e) near the cutoff"),
        "relaxation_near_cutoff": pelplug.Field(AT, "1", "share of <1/Gamma> near the cutoff"),
        "above_crossover": pelplug.Field(AT, "1", "share of p_eq(e) above the crossover"),
        "relaxation_above_crossover": pelplug.Field(AT, "1", "share of <1/Gamma> above the crossover"),
        "jumps_above_crossover": pelplug.Field(AT, "1", "share of <Gamma>, of the jumps, above the crossover"),
        "lag_time": pelplug.Field(("lag_time",), "time", "time"),
        "persistence": pelplug.Field((*AT, "lag_time"), "1", "S_0(t): share of metabasins that are not left yet"),
    }
    prints = (
        "diffusion_coefficient", "closed_diffusion_coefficient", "relaxation_time", "closed_relaxation_time",
        "exponent", "closed_exponent", "limit_exponent", "closed_form_deviation",
    )  # fmt: skip
    trial = {"parameters": {"errors": {"sigma": 0.05}, "draws": 100}}  # noqa: RUF012
    cites = ("Rehwald and Heuer, Phys. Rev. E 86, 051504 (2012)",)

    def __init__(
        self,
        collection: Any = None,
        *,
        temperatures: Annotated[
            tuple[float, ...], pelplug.Param("temperatures", exclusive_minimum=0.0, unit="temperature")
        ] = TEMPERATURES,
        squared_jump: Annotated[
            float, pelplug.Param("<a^2>: of all particles together, a jump", exclusive_minimum=0.0, unit="length**2")
        ] = 1.0,
        particles: Annotated[int, pelplug.Param("N, by which D is one particle's", minimum=1)] = 65,
        dimension: Annotated[int, pelplug.Param("d, dimension of space", minimum=1)] = 3,
        errors: Annotated[
            dict[str, Any] | None,
            pelplug.Param(
                "standard errors of parameters, squared_jump too: sigma=0.1,lambda=0.02; in a file with their "
                "correlation or covariance",
                file=False,
            ),
        ] = None,
        draws: Annotated[
            int, pelplug.Param("sets of parameters drawn for errors", minimum=100, maximum=100_000, meaning=False)
        ] = 500,
        seed: Annotated[int, pelplug.Param("seed of those sets", minimum=0, meaning=False)] = 0,
        near: Annotated[
            float, pelplug.Param("how far above the cutoff is near it", exclusive_minimum=0.0, unit="energy")
        ] = 1.0,
        tolerance: Annotated[
            float, pelplug.Param("relative difference above which a closed form does not hold", exclusive_minimum=0.0)
        ] = 0.1,
        **base: Any,
    ):
        super().__init__(collection, **base)
        if not temperatures:
            raise pelplug.InputError("There is no temperature; give one or more (--temperatures 0.5,0.6).")
        self.temperatures = np.unique(np.asarray(temperatures, dtype=float))
        self.squared_jump, self.particles, self.dimension = squared_jump, particles, dimension
        self.draws, self.seed, self.near, self.tolerance = draws, seed, near, tolerance
        self.parameter_errors = ParameterErrors.of(errors, self.landscape, squared_jump=squared_jump)

    def compute(self, collection):
        """Integrate over the landscape at each temperature."""
        landscape, temperature = self.landscape, self.temperatures
        values = dict(self._values(landscape))
        forms = ClosedForms(landscape, temperature)
        closed = {f"closed_{name}": value for name, value in self._scaled(forms.times()).items()}
        closed["closed_exponent"] = forms.exponent()
        self._remarks = forms.remarks(values | closed, self.tolerance)
        cutoff, crossover = landscape.cutoff, landscape.crossover
        edge = -np.inf if np.isneginf(cutoff) else cutoff + self.near
        shares = {
            "near_cutoff": landscape.share(-np.inf, edge, temperature),
            "relaxation_near_cutoff": landscape.share(-np.inf, edge, temperature, -1),
            "above_crossover": landscape.share(crossover, np.inf, temperature),
            "relaxation_above_crossover": landscape.share(crossover, np.inf, temperature, -1),
            "jumps_above_crossover": landscape.share(crossover, np.inf, temperature, 1),
        }
        log = np.clip([-landscape.log_moment(1, temperature), landscape.log_moment(-1, temperature)], -LARGEST, LARGEST)
        last = min(log.max() + 3.5 + landscape.sigma_gamma**2, LARGEST)
        time = np.exp(np.linspace(log.min() - 7.0, last, TIMES))
        return {
            **values,
            **closed,
            **shares,
            **self._errors(values),
            "temperature": temperature,
            "limit_exponent": 2.0 * landscape.lam / (2.0 + landscape.lam),
            "closed_form_deviation": forms.deviation(),
            "lag_time": time,
            "persistence": [landscape.persistence(time, one) for one in temperature],
        }

    def summarize(self, dataset):
        """Say how errors were found, and what does not hold."""
        names = [f"{name}_error" for name in WITH_ERRORS]
        pelplug.state_errors(dataset, names, METHOD, getattr(self, "_sets", 0))
        dataset.attrs["remarks"] = json.dumps(self._remarks)
        return dataset

    def _scaled(self, times: dict[str, np.ndarray], squared_jump: float | None = None) -> dict[str, np.ndarray]:
        """Return times with the diffusion coefficient that they make."""
        jump = self.squared_jump if squared_jump is None else squared_jump
        diffusion = jump / (2.0 * self.dimension * self.particles * times["mean_waiting_time"])
        return {**times, "diffusion_coefficient": diffusion}

    def _values(self, landscape: pelplug.TrapLandscape, squared_jump: float | None = None) -> dict[str, np.ndarray]:
        """Return what has errors, of a landscape."""
        temperature = self.temperatures
        up, down = landscape.log_moment(1, temperature), landscape.log_moment(-1, temperature)
        times = {"mean_waiting_time": number(-up), "relaxation_time": number(down + landscape.sigma_gamma**2)}
        return {
            **self._scaled(times, squared_jump),
            "exponent": landscape.exponent(temperature),
            "decoupling": number(up + down),
            "mean_energy": landscape.mean_energy(temperature),
        }

    def _errors(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        given = self.parameter_errors
        if not given.errors:
            self._remarks.append("No errors: the parameters were given none (--errors sigma=0.1,lambda=0.02).")
            return {}
        found, self._sets = given.spread(self.landscape, values, self._values, self.draws, self.seed)
        self._remarks.append(
            f"Within the errors lie 68 % of {self._sets} sets of parameters, drawn with {given.in_words()}; "
            "other parameters count as exact."
        )
        return {f"{name}_error": error for name, error in found.items()}

    def plot(self, ax=None, **keywords):
        """Draw the diffusion coefficient and the relaxation rate over the inverse temperature."""
        from pelplug_trap_model.drawing import draw_times

        return draw_times(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what is drawn of several studies over each other."""
        from pelplug_trap_model.drawing import draw_exponent, draw_stokes_einstein

        dataset = self.to_dataset()
        return [
            self.plot,
            lambda ax, **keywords: draw_exponent(dataset, ax, **keywords),
            lambda ax, **keywords: draw_stokes_einstein(dataset, ax, **keywords),
        ]

    def figure(self):
        """Return a Figure: times, exponent, Stokes-Einstein, persistence, energies, and what decides."""
        from pelplug_trap_model.drawing import draw_study

        return draw_study(self.to_dataset())
