"""Local diffusivity against local inherent-structure energy, and the landscape that their law tells."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_local_diffusivity.averages import Means, densities
from pelplug_local_diffusivity.landscape import extrapolated, landscape
from pelplug_local_diffusivity.trajectories import states_of
from pelplug_local_diffusivity.trial import results
from pelplug_local_diffusivity.variables import ERRORS, fields

__all__ = ["LocalDiffusivity"]

_METHOD = "bootstrap over independent runs"
_LONG = 2.0  # t_<MSD>: a run that is longer averages over more than it remembers
_POORLY = 0.5  # relative error of what the runs do not tell


class LocalDiffusivity(pelplug.Study):
    """Diffusivity of each run against the mean of its inherent-structure energies, and the landscape that it tells.

    Temperatures at which there are results of `dynamics` alone are hot ones, for D_inf.

    Notes
    -----
    With S_conf per particle, B is an energy per particle: ``ln(D/D_inf) = -B / (k_B T S_conf/N)``. The paper's Eq. 4
    has S_conf of all particles, with which its B would be N times as large as the 1.85 that it states. With e per
    particle ``a0 = alpha / B``, ``a1 = N / (2 sigma^2 B)`` and ``a2 = E_0 / N``.
    """

    name = "local-diffusivity"
    summary = "Local diffusivity over inherent-structure energy: the collapse, S_conf, D(T) as a sum over basins"
    uses = ("dynamics", "inherent-structures")
    needs = ("n",)
    varies = ("liquid_temperature",)
    compares = ("liquid_temperature",)
    provides = fields()
    trial = {"results": results}  # noqa: RUF012
    cites = ("Paper 1 of docs/reproduction.md, on local diffusivity and local inherent structures",)

    def __init__(
        self,
        collection=None,
        *,
        kind: Annotated[str, pelplug.Param("species whose MSD counts; auto: the first")] = "auto",
        msd_target: Annotated[
            float, pelplug.Param("mean MSD up to which diffusivities are", exclusive_minimum=0, unit="length**2")
        ] = 1.0,
        fit_start: Annotated[
            float,
            pelplug.Param("share of the time of msd_target from which on slopes are", minimum=0, exclusive_maximum=1),
        ] = 0.1,
        diffusion_limit: Annotated[
            Literal["auto", "fit"] | float,
            pelplug.Param(
                "D_inf; auto: extrapolated from hot temperatures, or fitted with the law where there are none",
                exclusive_minimum=0,
                unit="length**2 / time",
            ),
        ] = "auto",
        landscape_variance: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "sigma^2 of the energy of all particles; auto: measured", exclusive_minimum=0, unit="energy**2"
            ),
        ] = "auto",
        hot: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "temperature from which on runs tell D_inf; auto: those without inherent structures",
                exclusive_minimum=0,
                unit="temperature",
            ),
        ] = "auto",
        bins: Annotated[int, pelplug.Param("bins of the distributions of energies", minimum=5)] = 30,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 300,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.kind, self.msd_target, self.fit_start = kind, msd_target, fit_start
        self.diffusion_limit, self.landscape_variance, self.hot = diffusion_limit, landscape_variance, hot
        self.bins, self.resamples, self.seed = bins, resamples, seed

    def compute(self, collection):
        """Measure each run, fit the law, and read the landscape off it."""
        self._said: list[str] = []
        n = collection.value("n")
        states = states_of(collection, self.kind, self.msd_target)
        cold = [one for one in states if one.sampled and (self.hot == "auto" or one.temperature < self.hot)]
        warm = [one for one in states if not one.sampled or (self.hot != "auto" and one.temperature >= self.hot)]
        if len(cold) < 2:
            raise pelplug.InputError(
                f"{len(cold)} temperatures have inherent structures"
                + ("" if self.hot == "auto" else f" and are below hot = {self.hot:g}")
                + ", and the law is compared between temperatures; give results of inherent-structures at two or more."
            )
        means = Means(states, n, self.units, self.fit_start, _dimension(collection), self.resamples, self.seed)
        limit = self._limit(means, warm)
        values = {**self._states(means, cold), **densities(means, cold, self.bins)}
        law, rows = landscape(
            means, cold, limit, None if self.landscape_variance == "auto" else self.landscape_variance
        )
        values |= self._runs(means, cold, law)
        rows["diffusion_coefficient"] = np.stack([means.rows(one, "diffusivity") for one in states], axis=1)
        chosen = [states.index(one) for one in cold]
        rows["diffusion_ratio"] = rows["predicted_diffusion"] / rows["diffusion_coefficient"][:, chosen]
        for name, one in rows.items():
            rests = states if one.ndim == 2 and one.shape[1] == len(states) else cold
            if name == "diffusion_limit" and limit is not None:
                rests = warm or cold
            values[name], values[f"{name}_error"] = one[0], means.error(one, rests)
        self._judge(values)
        values |= self._examples(means, cold[0])
        values["temperature"] = [one.temperature for one in states]
        values["runs"] = [len(one.runs) for one in states]
        values["msd_time"] = [one.time for one in states]
        for name, array in list(values.items()):
            if fields()[name].dims[:1] == ("temperature",) and len(array) == len(cold) != len(states):
                values[name] = _spread(np.asarray(array, dtype=float), chosen, len(states))
        return values

    # --- parts ----------------------------------------------------------------------------------------------------

    def _limit(self, means, warm):
        """Return ln D_inf, shape (1 + R,), or None where the law is to tell it."""
        if self.diffusion_limit == "fit":
            return None
        if self.diffusion_limit != "auto":
            return np.full(1 + self.resamples, np.log(self.diffusion_limit))
        if len(warm) < 2:
            self._said.append(
                "diffusion_limit: fitted with the law, for fewer than two temperatures are hot ones, without inherent "
                "structures; give results of dynamics at temperatures far above, or --diffusion-limit."
            )
            return None
        return extrapolated(means, warm)

    def _states(self, means, cold) -> dict:
        """Return moments of the energies at each temperature, with errors."""
        values: dict[str, list] = {}
        for one in cold:
            for name, (value, error) in means.moments(one).items():
                values.setdefault(name, []).append(value)
                values.setdefault(f"{name}_error", []).append(error)
            rest = int(np.count_nonzero(means.diffusivity(one) <= 0))
            values.setdefault("resting_runs", []).append(rest)
            product = means.product(one)
            values.setdefault("diffusion_product", []).append(product[0])
            values.setdefault("diffusion_product_error", []).append(product[1])
            if rest:
                self._said.append(
                    f"diffusion_product at T = {one.temperature:g}: {rest} of {len(one.runs)} runs have a slope of "
                    "zero or less, which has no inverse; they are left out of the collapse too. Give longer runs."
                )
            length = max(float(run.times[-1]) for run in one.runs)
            if length > _LONG * one.time:
                self._said.append(
                    f"At T = {one.temperature:g} runs last {length / one.time:.2g} times t_<MSD>: local energies and "
                    "diffusivities are means over all of it; analyse with a smaller --stop for those of the paper."
                )
        return {name: np.array(value) for name, value in values.items()}

    def _runs(self, means, cold, law) -> dict:
        """Return what is drawn of each run, and the law over their energies."""
        energy, thermal, found, group, _ = means.pooled(cold, resting=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = thermal * (np.log(np.where(found > 0, found, np.nan)) - law.limit[0])
        line = np.linspace(energy.min(), energy.max(), 200)
        with np.errstate(divide="ignore"):
            curve = -1.0 / law.height(line)[0]
        return {
            "run_temperature": np.array([one.temperature for one in cold])[group],
            "local_diffusivity": found,
            "local_energy": energy,
            "scaled_diffusivity": scaled,
            "law_energy": line,
            "law": np.where(np.isfinite(curve), curve, np.nan),
        }

    def _examples(self, means, state) -> dict:
        """Return the slowest and the fastest run at a temperature."""
        order = np.argsort(means.diffusivity(state), kind="stable")
        two = [state.runs[order[0]], state.runs[order[-1]]]
        moments = two[0].times
        energies = [np.interp(moments, one.times, one.energies) for one in two]
        return {
            "example_lag": state.lag_times,
            "example_msd": np.array([one.msd for one in two]),
            "example_mean_msd": state.msd.mean(axis=0),
            "example_time": moments,
            "example_energy": np.array(energies),
        }

    def _judge(self, values) -> None:
        """Take out what the runs do not tell, and say why."""
        names = ("law_a0", "law_a1", "law_a2", "adam_gibbs", "landscape_alpha", "landscape_center", "least_energy")
        if not np.isfinite(values["law_a1"]):
            self._said.append(
                f"{', '.join(names)}: the runs show no maximum of the entropy; give runs at more and lower "
                "temperatures."
            )
            return
        if not np.isfinite(values["law_a1_error"]) or values["law_a1_error"] > _POORLY * values["law_a1"]:
            self._said.append(
                f"{', '.join(names)}: the runs do not tell how the law bends (a1 = {values['law_a1']:.3g} ± "
                f"{values['law_a1_error']:.2g}); give more runs, at more and lower temperatures."
            )
            for name in (*names, "configurational_entropy", "predicted_diffusion", "diffusion_ratio"):
                values[name] = np.nan * np.asarray(values[name])
                values[f"{name}_error"] = np.nan * np.asarray(values[f"{name}_error"])

    # --- result -----------------------------------------------------------------------------------------------------

    def summarize(self, dataset):
        """Say how errors were found, and what is missing and why."""
        fewest = int(dataset["runs"].min())
        of_states = [name for name in ERRORS if name in dataset and "temperature" in dataset[name].dims]
        pelplug.state_errors(dataset, ERRORS, _METHOD, fewest)
        pelplug.state_errors(dataset, of_states, _METHOD, "runs")
        if fewest < pelplug.FEWEST_FOR_ERROR:
            self._said.append(
                f"No errors: a temperature has {fewest} runs, fewer than {pelplug.FEWEST_FOR_ERROR}; give results of "
                "more runs there (pelplug analyze --plugin dynamics, and inherent-structures, of each)."
            )
        dataset.attrs["not_found"] = json.dumps(self._said)
        return dataset.assign_coords(example=["slowest", "fastest"])

    def plot(self, ax=None, **keywords):
        """Draw the collapse: k_B T ln(D_i/D_inf) over the energy, with the law."""
        from pelplug_local_diffusivity.study_drawing import draw_collapse

        return draw_collapse(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Return a Figure of the paper's figures."""
        from pelplug_local_diffusivity.study_drawing import draw_study

        return draw_study(self.to_dataset())


def _spread(array, chosen, number: int) -> np.ndarray:
    """Return values at some of the temperatures at all of them, NaN at the others."""
    found = np.full((number, *np.shape(array)[1:]), np.nan)
    found[chosen] = array
    return found


def _dimension(collection) -> int:
    """Return the dimension of space, which minima have."""
    for one in collection.of("inherent-structures"):
        if "dimension" in one.sizes:
            return one.sizes["dimension"]
    return 3
