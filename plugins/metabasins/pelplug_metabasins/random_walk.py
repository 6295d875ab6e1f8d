"""The random walk between metabasins over temperature: the landscape behind it, and what it predicts."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_metabasins.waiting import persistence
from pelplug_metabasins.walk_curves import Continuous, mean_of, on_grid, where_equal
from pelplug_metabasins.walk_law import WalkLaw, fit_walk
from pelplug_metabasins.walk_records import Record, record_of
from pelplug_metabasins.walk_states import reweighted
from pelplug_metabasins.walk_variables import MEASURED, PARAMETERS, PREDICTED, fields

__all__ = ["RandomWalk"]

REMEDY = "give results of longer records, or of more runs or temperatures"
UNFIXED = 1.0  # error of ln Gamma_0 beyond which it and V_0 are not told


def _trial(folder) -> list:
    """Return results to try the study with: walks in a known landscape at three temperatures."""
    from pelplug_metabasins.walk_samples import walks

    return walks(pelplug.TrapLandscape(), (0.5, 0.6, 0.8), metabasins=400, seed=1)


class RandomWalk(pelplug.Study):
    """The landscape that metabasins at several temperatures show, and what its random walk predicts.

    Notes
    -----
    The escape rate is fitted to the waiting times of all temperatures together, the Gaussian density of metabasins to
    the energies of those that are entered, ``G(e) exp(-e/T) Gamma(e)``, both by greatest likelihood; successive
    metabasins count as independent. Errors are over runs where there are five at a temperature, else over blocks.

    Attributes of the dataset: ``not_found`` (a sentence for each number that is not told) and ``remarks``.
    """

    name = "random-walk"
    summary = "Random walk between metabasins over temperature: Table I, G(e), D and tau_alpha predicted, k_c, xi"
    uses = ("metabasins",)
    takes = ("dynamics",)
    varies = ("temperature", "dynamics.wave_number")
    compares = ("temperature",)
    provides = fields()
    prints = (
        *PARAMETERS, "cutoff", "cutoff_interval", "cutoff_bias", "lowest_energy", "sigma_gamma", *PREDICTED, *MEASURED,
        "k_c",
    )  # fmt: skip
    trial = {"results": _trial}  # noqa: RUF012
    cites = ("C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012)",)

    def __init__(
        self,
        collection=None,
        *,
        last_barrier: Annotated[
            Literal["fit"] | float,
            pelplug.Param(
                "V_0, or fit: from how the rate above the crossover depends on the temperature", unit="energy"
            ),
        ] = "fit",
        bins: Annotated[int, pelplug.Param("bins of G(e)", minimum=4, maximum=1000, meaning=False)] = 40,
        times: Annotated[int, pelplug.Param("times of S_0", minimum=4, maximum=1000, meaning=False)] = 60,
        blocks: Annotated[
            int,
            pelplug.Param("most parts the record of a temperature is cut into for errors", minimum=5, meaning=False),
        ] = 100,
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=20, maximum=10_000, meaning=False)
        ] = 200,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.barrier = None if last_barrier == "fit" else last_barrier
        self.bins, self.times, self.blocks, self.resamples, self.seed = bins, times, blocks, resamples, seed

    def compute(self, collection):
        """Fit the landscape, and compare what it predicts."""
        self.said: list[str] = []
        self.remarks: list[str] = []
        groups = collection.of("metabasins").groups("temperature")
        if len(groups) < 2:
            raise pelplug.InputError(
                "The study random-walk compares metabasins at two temperatures or more, and all are at "
                f"{groups[0].value('temperature'):g}; give those at another too (pelplug analyze --plugin metabasins)."
            )
        records = [record_of(one, self.blocks, self.resamples, self.seed + k) for k, one in enumerate(groups)]
        law = fit_walk(records, self.barrier)
        self.of = "independent runs" if all("runs" in one.samples.of for one in records) else records[0].samples.of
        values = {
            "temperature": [one.temperature for one in records],
            "metabasins": [one.ends.sum() for one in records],
            "runs": [one.run.max() + 1 for one in records],
            "samples": [one.samples.samples for one in records],
        }
        values |= self._table(law) | self._density(law, records)
        broad = self._broadening(groups, values)
        values |= self._predicted(law, groups, broad, values)
        values |= self._curves(law, records, groups, collection.of("dynamics"), values)
        return values

    def _table(self, law: WalkLaw) -> dict:
        """Return the parameters with their errors, NaN with a reason where the data do not fix one."""
        rows = law.rows()
        values = {name: row[0] for name, row in rows.items()}
        errors = {name: float(law.error(row)) for name, row in rows.items()}
        if self.barrier is not None:
            errors["last_barrier"] = np.nan
        wide = errors["rate_prefactor"] / values["rate_prefactor"]
        if not law.rates.seen:
            self._lost(values, errors, ("crossover", "entropic_factor", "rate_prefactor", "last_barrier"),
                       "the waiting times show no crossover energy")  # fmt: skip
        elif self.barrier is None and not wide < UNFIXED:
            self._lost(values, errors, ("rate_prefactor", "last_barrier"),
                       "between these temperatures only Gamma_0 exp(-V_0/T) is fixed; give a wider range of them, or "
                       "V_0 (--last-barrier)")  # fmt: skip
        if not errors["lam"] < abs(values["lam"]):
            self._lost(values, errors, ("entropic_factor",), "lambda is no larger than its error")
        found = values | {f"{name}_error": error for name, error in errors.items()}
        cut, centre, spread = law.cutoff, values["centre"], errors["centre"]
        lower, value, upper = (one - centre for one in (cut.lower, cut.value, cut.upper))
        found["lowest_energy"], found["cutoff_bias"] = cut.lowest - centre, cut.bias
        if not np.isfinite(value):
            self.said.append(
                "No cutoff e_cut: without one the lowest of as many metabasins would lie above the one found, "
                f"{cut.lowest - centre:.3g} from e_0, in most records; {REMEDY}."
            )
        elif not np.isfinite(lower):
            self.said.append("No lower bound of e_cut: without one so low an energy would not be rare.")
        value, lower, upper = (one if np.isfinite(one) else np.nan for one in (value, lower, upper))
        middle = value if np.isfinite(value) else upper  # bounds reach as far as e_0 is known
        found["cutoff"] = value
        found["cutoff_interval"] = [
            middle - np.hypot(middle - lower, spread),
            middle + np.hypot(upper - middle, spread),
        ]
        logs = {name: row for name, row in rows.items() if np.isfinite(values[name])}
        with np.errstate(invalid="ignore"):
            found["correlation"] = np.array(
                [[_correlation(logs.get(one), logs.get(other)) for other in PARAMETERS] for one in PARAMETERS]
            )
        found["parameter"] = found["other_parameter"] = list(PARAMETERS)
        return found

    def _lost(self, values, errors, names, why: str) -> None:
        for name in names:
            values[name] = errors[name] = np.nan
        self.said.append(f"No {', '.join(names)}: {why}.")

    def _density(self, law: WalkLaw, records: list[Record]) -> dict:
        every = np.concatenate([one.energy for one in records])
        edges = np.linspace(every.min(), every.max() + 1e-9 * np.ptp(every) + 1e-12, self.bins + 1)
        width = edges[1] - edges[0]
        place = [np.clip(((one.energy - edges[0]) / width).astype(int), 0, self.bins - 1) for one in records]
        shares = [one.samples.histogram(at, self.bins, one.stay) for one, at in zip(records, place, strict=True)]
        seen = [share[0] > 0 for share in shares]
        joined, left = seen[0], list(range(1, len(seen)))
        while left:
            touching = [k for k in left if np.any(seen[k] & joined)]
            if not touching:
                self.said.append("No G(e): a temperature shares no energies with the others; give one between them.")
                return {}
            joined = np.any([joined, *(seen[k] for k in touching)], axis=0)
            left = [k for k in left if k not in touching]
        histogram = np.stack([share / share.sum(axis=1, keepdims=True) for share in shares])
        # How much a temperature counts: its effective number, since few long stays tell less than many short ones.
        size = np.array([one.stay.sum() ** 2 / (one.stay**2).sum() for one in records])
        centres = (edges[1:] + edges[:-1]) / 2
        density = reweighted(law.beta, centres, histogram, size, width)
        number = np.sum([np.bincount(at, minlength=self.bins) for at in place], axis=0)
        return {
            "energy": centres - law.centre[0],
            "density": np.where(number > 0, density[0], np.nan),
            "density_error": np.where(number >= pelplug.FEWEST_FOR_ERROR, law.error(density), np.nan),
        }

    def _broadening(self, groups, values) -> tuple[float, float]:
        """Return sigma_gamma**2 and its error: the mean over temperatures, weighted by their errors."""
        pairs = np.array([mean_of(one, "fitted_sigma_gamma_squared") for one in groups])
        square, error = pairs.T
        values |= {"sigma_gamma_squared": square, "sigma_gamma_squared_error": error}
        known = np.isfinite(square) & (error > 0)
        values["sigma_gamma"] = values["sigma_gamma_error"] = np.nan
        if not known.any():
            self.said.append("No sigma_gamma: no result has fitted_sigma_gamma_squared with an error.")
            return np.nan, np.nan
        weight = error[known] ** -2.0
        mean, wide = float(np.average(square[known], weights=weight)), float(weight.sum() ** -0.5)
        if known.sum() > 1:
            chi = float((weight * (square[known] - mean) ** 2).sum() / (known.sum() - 1))
            wide *= max(chi, 1.0) ** 0.5
        if not mean > wide:
            self.said.append(f"No sigma_gamma: its square, {mean:.3g} +- {wide:.2g}, is no larger than its error.")
        else:
            values["sigma_gamma"], values["sigma_gamma_error"] = mean**0.5, wide / (2.0 * mean**0.5)
        return mean, wide

    def _predicted(self, law: WalkLaw, groups, broad, values) -> dict:
        """Return D, <tau> and tau_alpha of the landscape beside those of the metabasins, and xi."""
        first, second = law.log_moments(law.beta)
        rng = np.random.default_rng(self.seed)
        square = broad[0] + np.r_[0.0, broad[1] * rng.standard_normal(self.resamples)]
        jump, jump_error = np.array([mean_of(one, "squared_jump") for one in groups]).T
        particles, dimension = self._sizes(groups)
        if not np.isfinite(jump).all():
            self.said.append(
                "No D where metabasins have no a^2: they were made of sequences without positions, or of few jumps."
            )
        waiting, relaxation = np.exp(-first), np.exp(second + square)
        scale = jump / (2.0 * dimension * particles)
        diffusion = scale[:, None] / waiting
        found = {"predicted_waiting_time": waiting, "predicted_relaxation_time": relaxation, "exponent": law.exponent()}
        made = {}
        for name, rows in found.items():
            made[name], made[f"{name}_error"] = rows[:, 0], law.error(rows.T)
        spread = law.error(diffusion.T)
        made["predicted_diffusion_coefficient"] = diffusion[:, 0]
        made["predicted_diffusion_coefficient_error"] = np.hypot(spread, diffusion[:, 0] * jump_error / jump)
        for name, source in MEASURED.items():
            made[name], made[f"{name}_error"] = np.array([mean_of(one, source) for one in groups]).T
        limit = 2.0 * values["lam"] / (2.0 + values["lam"])
        made["limit_exponent"] = limit
        made["limit_exponent_error"] = values["lam_error"] * 4.0 / (2.0 + values["lam"]) ** 2
        return made

    @staticmethod
    def _sizes(groups) -> tuple[int, int]:
        one = next(iter(groups[0]))
        if "positions" not in one:
            return int(one.conditions.n or 1), 3
        return one.sizes["particle"], one.sizes["dimension"]

    def _curves(self, law: WalkLaw, records, groups, dynamics, values) -> dict:
        """Return S_0 of the landscape and of the metabasins, S_MB, F_s of the continuous trajectory, and k_c."""
        longest = max(float(one.stay.max()) for one in records)
        shortest = min(float(np.min(one.stay[one.stay > 0])) for one in records)
        time = np.geomspace(shortest, 3.0 * longest, self.times)
        shape = (len(records), time.size)
        made = {name: np.full(shape, np.nan) for name in ("persistence", "persistence_error", "predicted_persistence",
                                                           "hopping", "continuous")}  # fmt: skip
        broad = values["sigma_gamma"] if np.isfinite(values["sigma_gamma"]) else 0.0
        of = {round(float(one.value("temperature")), 9): Continuous(one) for one in dynamics.groups("temperature")}
        numbers = np.unique(np.concatenate([one.wave_number for one in of.values()])) if of else np.empty(0)
        k_c = np.full((2, len(records)), np.nan)
        times = np.full((3, len(records), numbers.size), np.nan)
        for k, (one, group) in enumerate(zip(records, groups, strict=True)):
            reach = time < 0.5 * np.bincount(one.run, one.stay).max()
            curve, error = persistence(one.stay, one.run, time[reach], one.samples)
            made["persistence"][k, reach], made["persistence_error"][k, reach] = curve, error
            landscape = law.landscape(one.beta, 0, broad)
            if landscape is not None:
                made["predicted_persistence"][k] = landscape.persistence(time, 1.0 / one.beta)
            first = next(iter(group))
            if "scattering" in first:
                hopping = first["scattering"]
                largest = hopping.isel(wave_number=int(np.argmax(hopping["wave_number"].values)))
                made["hopping"][k] = on_grid(time, largest["lag_time"].values, largest.values)
            walk = of.get(round(one.temperature, 9))
            if walk is None:
                continue
            places = np.searchsorted(numbers, walk.wave_number)
            times[:, k, places] = walk.time, walk.time_error, walk.beta
            pair = (values[name][k] for name in ("measured_relaxation_time", "measured_relaxation_time_error"))
            k_c[0, k], k_c[1, k], why = where_equal(walk, *map(float, pair))
            if why:
                self.said.append(f"No k_c at T = {one.temperature:g}: {why}.")
            at = k_c[0, k] if np.isfinite(k_c[0, k]) else 15.0  # the paper's
            nearest = int(np.argmin(np.abs(walk.wave_number - at)))
            made["continuous"][k] = walk.curve(nearest, time)
            self.remarks.append(f"F_s at T = {one.temperature:g} is drawn at k = {walk.wave_number[nearest]:g}.")
        if of:
            made |= {"wave_number": numbers, "scattering_time": times[0], "scattering_time_error": times[1],
                     "scattering_beta": times[2], "k_c": k_c[0], "k_c_error": k_c[1]}  # fmt: skip
        else:
            self.said.append("No k_c: no results of dynamics at several wave numbers are given.")
            del made["continuous"]
        return {"lag_time": time, **made}

    def summarize(self, dataset):
        """Say of errors how they were found."""
        names = [str(name) for name in dataset.data_vars if str(name).endswith("_error")]
        theirs = [name for name in names if name.startswith(("measured", "sigma_gamma", "k_c", "scattering"))]
        fewest = float(dataset["samples"].min())
        over = f"bootstrap over {self.of}"
        pelplug.state_errors(dataset, [name for name in names if name not in theirs], over, fewest)
        pelplug.state_errors(dataset, ["cutoff_interval"], "chance of as low an energy, with the error of e_0", fewest)
        pelplug.state_errors(dataset, theirs, "errors of the results", len(self.collection))
        dataset.attrs["not_found"] = json.dumps(self.said)
        dataset.attrs["remarks"] = json.dumps(self.remarks)
        return dataset.assign_coords(bound=["lower", "upper"])

    def plot(self, ax=None, **keywords):
        """Draw D and tau_alpha of the landscape over those measured: Fig. 1."""
        from pelplug_metabasins.walk_drawing import draw_diagonal

        return draw_diagonal(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Return a Figure of Figs. 1 to 3 of the paper, G(e), the parameters over Table I, and xi."""
        from pelplug_metabasins.walk_drawing import draw_study

        return draw_study(self.to_dataset())


def _correlation(one, other) -> float:
    if one is None or other is None:
        return np.nan
    if one is other:
        return 1.0
    known = np.isfinite(one[1:]) & np.isfinite(other[1:])
    if known.sum() < 3 or not (np.ptp(one[1:][known]) > 0 and np.ptp(other[1:][known]) > 0):
        return np.nan
    return float(np.corrcoef(one[1:][known], other[1:][known])[0, 1])
