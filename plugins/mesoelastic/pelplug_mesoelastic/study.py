"""Relaxation times against the dipole stiffness of inherent structures, over temperatures and densities."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np

import pelplug
from pelplug_mesoelastic.equal import interpolated
from pelplug_mesoelastic.fits import at_level, line, propagated
from pelplug_mesoelastic.states import State, largest_kind
from pelplug_mesoelastic.trial import trial_results
from pelplug_mesoelastic.variables import COUNTS, FITTED, INTERPOLATED, PROVIDES, QUANTITIES

__all__ = ["Mesoelastic"]

ANALYSES = ("kappa", "dynamics")
COLDER = "give results of lower temperatures, or lower --activated"


class Mesoelastic(pelplug.Study):
    """The mesoelastic law ln(tau_alpha/t0) = l^2 kappa a0^2 / k_B T + ln t, and what goes with it.

    Notes
    -----
    Errors of kappa and of tau_alpha are taken as independent and carried through every fit and interpolation. Where
    both are of the same runs, stiffer ones are slower: the stated errors are then somewhat too large.
    """

    name = "mesoelastic"
    summary = "Relaxation times against the dipole stiffness over temperature, at one density or several"
    uses = ANALYSES
    takes = ("inherent-structure-transitions", "propensity")
    varies = ("liquid_temperature", "density", "n", "dynamics.wave_number", "propensity.wave_number")
    compares = ("liquid_temperature",)
    provides = PROVIDES
    cites = ("Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)", "D. York et al., Am. J. Phys. 72, 367 (2004)")
    trial = {"results": trial_results, "parameters": {"activated": 0.1}}  # noqa: RUF012

    def __init__(
        self,
        collection=None,
        *,
        activated: Annotated[
            float, pelplug.Param("smallest tau_alpha/t0 in the fits: the law holds from about 10 on", minimum=0)
        ] = 10.0,
        kind: Annotated[
            str, pelplug.Param("whose tau_alpha and D: a species, or all; auto: the species of the largest diameter")
        ] = "auto",
        equal_at: Annotated[
            tuple[float, ...],
            pelplug.Param(
                "tau_alpha/t0 at which densities are compared; without any, the middle of what all of them reach",
                exclusive_minimum=0,
                metavar="TAU,...",
            ),
        ] = (),
        modulus_growth: Annotated[
            float,
            pelplug.Param("growth of the shear modulus at which that of kappa is told", exclusive_minimum=1),
        ] = 1.26,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.activated, self.kind, self.equal_at = activated, kind, equal_at
        self.modulus_growth, self.resamples, self.seed = modulus_growth, resamples, seed

    def compute(self, collection):
        """Read every state, fit each density, and compare densities at equal relaxation times."""
        self._remarks: list[str] = []
        self._methods: dict[str, list[str]] = {}
        densities = _by_density(collection)
        states = {density: self._states(density, results) for density, results in densities.items()}
        temperatures = sorted({one.temperature for some in states.values() for one in some})
        shape = (len(states), len(temperatures))
        values = {f"{name}{end}": np.full(shape, np.nan) for name in QUANTITIES for end in ("", "_error")} | {
            name: np.zeros(shape, dtype=int) for name in (*COUNTS, "fitted")
        }
        values |= {"density": np.array(list(states)), "temperature": np.array(temperatures)}
        for name in FITTED:
            values |= {f"{name}{end}": np.full(shape[0], np.nan) for end in ("", "_error")}
        for name in ("chi_square", "freedom", "probability", "points"):
            values[name] = (
                np.full(shape[0], np.nan) if name in ("chi_square", "probability") else np.zeros(shape[0], int)
            )
        for row, (density, some) in enumerate(states.items()):
            columns = np.array([temperatures.index(one.temperature) for one in some])
            self._fill(values, row, columns, some, density, densities[density])
            self._fit(values, row, columns, density)
        values |= self._equal(values, list(states))
        return values

    # --- one density ------------------------------------------------------------------------------------------------

    def _states(self, density: float, results) -> list[State]:
        """Return the states of one density, from cold to hot; what cannot be read together is refused."""
        for analysis in ANALYSES:
            if not len(results.of(analysis)):
                raise pelplug.InputError(
                    f"There is no result of {analysis} at the density {density:g}; give one (pelplug analyze --plugin "
                    f"{analysis}), or leave out those of this density."
                )
        results.value("n")
        results.parameter("dynamics", "wave_number")
        groups = results.groups("liquid_temperature")
        if len(groups) < 2:
            raise pelplug.InputError(
                f"All results at the density {density:g} are of one temperature, and the law is about several; give "
                "results of another too (pelplug analyze --plugin kappa, dynamics)."
            )
        kind = largest_kind(results.of("kappa")) if self.kind == "auto" else self.kind
        bootstrap = {"resamples": self.resamples, "seed": self.seed}
        states = [State(group, kind, bootstrap) for group in groups]
        for one in states:
            self._remarks += one.remarks
            for name, method in one.methods.items():
                self._methods.setdefault(name, []).append(method)
            without = [name for name in ANALYSES if not len(one.group.of(name))]
            if without:
                self._remarks.append(f"There is no result of {without[0]} at T = {one.temperature:g}.")
        both = [one for one in states if _known(one, "kappa") and _known(one, "reduced_tau_alpha")]
        if len(both) < 2:
            have = f"at T = {both[0].temperature:g} alone" if both else "at no temperature"
            why = "".join(f" ({one[0].lower()}{one[1:].rstrip('.')})" for one in self._remarks[:1])
            raise pelplug.InputError(
                f"The density {density:g} has both kappa and tau_alpha {have}{why}, and the law is about several; give "
                "results of kappa and of dynamics at the same temperatures, from longer runs where F_s does not fall "
                "far enough."
            )
        return states

    def _fill(self, values, row: int, columns: np.ndarray, states: list[State], density: float, results) -> None:
        dimension = next(iter(results.of("kappa"))).sizes.get("dimension", 3)
        for column, one in zip(columns, states, strict=True):
            for name, (value, error) in one.values.items():
                values[name][row, column], values[f"{name}_error"][row, column] = value, error
            for name, count in one.counts.items():
                values[name][row, column] = count
            scale = density ** (-2.0 / dimension) / self.units.thermal(one.temperature)
            for end in ("", "_error"):
                values[f"reduced_stiffness{end}"][row, column] = values[f"kappa{end}"][row, column] * scale
        for name in ("kappa", "shear_modulus"):
            known = columns[np.isfinite(values[name][row, columns])]
            ratio, error = pelplug.relative_to(values[name][row, known], values[f"{name}_error"][row, known])
            values[f"{name}_relative"][row, known], values[f"{name}_relative_error"][row, known] = ratio, error

    def _fit(self, values, row: int, columns: np.ndarray, density: float) -> None:
        """Fit the law and the Stokes-Einstein exponent where relaxation is activated, and tell how kappa grows."""

        def at(name, places):
            return values[name][row, places], values[f"{name}_error"][row, places]

        tau, stiffness = values["reduced_tau_alpha"][row], values["reduced_stiffness"][row]
        fitted = columns[(tau[columns] >= self.activated) & np.isfinite(stiffness[columns])]
        values["fitted"][row, fitted] = 1
        values["points"][row] = fitted.size
        where = f"at the density {density:g}"
        if fitted.size < 2:
            self._remarks.append(
                f"No law {where}: tau_alpha/t0 is {self.activated:g} or more at {fitted.size} of {columns.size} "
                f"temperatures; {COLDER}."
            )
        else:
            self._law(values, row, fitted, where)
            diffusion = fitted[np.isfinite(values["reduced_diffusion"][row, fitted])]
            if diffusion.size < 2:
                self._remarks.append(f"No Stokes-Einstein exponent {where}: D is known at {diffusion.size} of them.")
            else:
                (x, sx), (y, sy) = (at(name, diffusion) for name in ("reduced_tau_alpha", "reduced_diffusion"))
                found = line(np.log(x), np.log(y), sx / x, sy / y)
                values["stokes_einstein_exponent"][row] = -found.slope
                values["stokes_einstein_exponent_error"][row] = np.sqrt(found.covariance[1, 1])
        names = ("shear_modulus_relative", "kappa_relative")
        known = columns[np.isfinite(stiffness[columns])]
        curves = np.stack([values[name][row, known] for name in names])
        errors = np.stack([values[f"{name}_error"][row, known] for name in names])
        errors[:, -1] = 0.0  # the reference, which is 1
        growth = at_level(self.modulus_growth, *curves)
        values["kappa_growth"][row] = growth
        if np.isfinite(growth):
            covariance = propagated(lambda both: at_level(self.modulus_growth, *both), curves, errors)
            values["kappa_growth_error"][row] = np.sqrt(covariance[0, 0])
        else:
            self._remarks.append(
                f"No growth of kappa {where} where the shear modulus has grown by {self.modulus_growth:g}: it grows by "
                f"{np.nanmax(curves[0]):.4g} at most, or not steadily; choose another --modulus-growth."
            )

    def _law(self, values, row: int, fitted: np.ndarray, where: str) -> None:
        tau, tau_error = values["reduced_tau_alpha"][row, fitted], values["reduced_tau_alpha_error"][row, fitted]
        x, x_error = values["reduced_stiffness"][row, fitted], values["reduced_stiffness_error"][row, fitted]
        found = line(x, np.log(tau), x_error, tau_error / tau)
        values["chi_square"][row], values["freedom"][row] = found.chi_square, found.freedom
        values["probability"][row] = found.probability
        if np.isnan(found.covariance).any():
            self._remarks.append(
                f"No errors of the law {where}: a state in it has no error of kappa or of tau_alpha; give results of "
                f"{pelplug.FEWEST_FOR_ERROR} or more independent runs at each temperature."
            )
        if not found.slope > 0.0:
            self._remarks.append(
                f"No law {where}: tau_alpha does not grow with kappa/T there (slope {found.slope:.3g}); {COLDER}."
            )
            return
        errors = np.sqrt(np.diag(found.covariance))
        length, time = np.sqrt(found.slope), np.exp(found.intercept)
        fits = {
            "reduced_length": (length, errors[1] / (2.0 * length)),
            "log_reduced_time": (found.intercept, errors[0]),
            "reduced_time": (time, time * errors[0]),
        }
        for name, (value, error) in fits.items():
            values[name][row], values[f"{name}_error"][row] = value, error
        if found.probability < 0.01:
            self._remarks.append(
                f"The law does not hold {where} within errors: chi-square is {found.chi_square:.3g} for {found.freedom}"
                " degrees of freedom, and the errors of its parameters are too small."
            )

    # --- several densities ------------------------------------------------------------------------------------------

    def _equal(self, values, densities: list[float]) -> dict[str, np.ndarray]:
        """Interpolate between the temperatures of each density to states of equal relaxation times."""
        tau = values["reduced_tau_alpha"]
        low, high = np.nanmin(tau, axis=1), np.nanmax(tau, axis=1)
        levels = np.array(self.equal_at, dtype=float)
        for level in levels:
            for density, least, most in zip(densities, low, high, strict=True):
                if not least <= level <= most:
                    raise pelplug.InputError(
                        f"tau_alpha/t0 = {level:g} is not measured at the density {density:g}, where it goes from "
                        f"{least:.4g} to {most:.4g}; choose --equal-at there, or give results of other temperatures."
                    )
        if not levels.size and len(densities) > 1:
            if low.max() < high.min():
                levels = np.array([np.sqrt(low.max() * high.min())])
            else:
                self._remarks.append(
                    "No states of equal relaxation time: no tau_alpha/t0 is measured at all densities; give results of "
                    "other temperatures."
                )
        found = {
            f"equal_{name}{end}": np.full((len(densities), levels.size), np.nan)
            for name in INTERPOLATED
            for end in ("", "_error")
        }
        for row in range(len(densities)):
            for place, level in enumerate(levels):
                for name in INTERPOLATED:
                    result = interpolated(values, row, name, level)
                    found[f"equal_{name}"][row, place], found[f"equal_{name}_error"][row, place] = result
        return {"tau_level": levels, **found} if levels.size else {}

    def summarize(self, dataset):
        """Say of errors how they were found, and why numbers are missing."""
        samples = {
            "reduced_tau_alpha": "motion_runs",
            "reduced_diffusion": "motion_runs",
            "reduced_rate": "rate_runs",
            "spearman": "spearman_runs",
        }
        for name in QUANTITIES:
            source = {"reduced_stiffness": "kappa"}.get(name, name.removesuffix("_relative"))
            method = " and ".join(dict.fromkeys(self._methods.get(source, ["none"])))
            pelplug.state_errors(dataset, [f"{name}_error"], method, samples.get(name, "samples"))
        carried = "errors of both axes carried through"
        pelplug.state_errors(dataset, [f"{name}_error" for name in FITTED], f"{carried} the fit", "points")
        equal = [f"equal_{name}_error" for name in INTERPOLATED]
        pelplug.state_errors(dataset, equal, f"{carried} the interpolation", "points")
        dataset.attrs["not_found"] = json.dumps(list(dict.fromkeys(self._remarks)))
        return dataset

    # --- figures ----------------------------------------------------------------------------------------------------

    def plot(self, ax=None, **keywords):
        """Draw tau_alpha/t0 over kappa a0^2 / k_B T with the law."""
        from pelplug_mesoelastic.drawing import draw_law

        return draw_law(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what is drawn of several studies, as of several models, over each other."""
        from pelplug_mesoelastic.drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Return a Figure of the law, of how kappa and G grow, of D over tau_alpha, and of what else is known."""
        from pelplug_mesoelastic.drawing import draw_figure

        return draw_figure(self.to_dataset())


def _known(state: State, name: str) -> bool:
    return bool(np.isfinite(state.values.get(name, (np.nan,))[0]))


def _by_density(collection) -> dict[float, pelplug.Collection]:
    """Return the results of each density, which files may have with another last digit."""
    found: dict[float, list] = {}
    for group in collection.groups("density"):
        found.setdefault(float(f"{group.value('density'):.6g}"), []).extend(group)
    return {density: pelplug.Collection(results) for density, results in found.items()}
