"""Averages over a list of metabasins, each with its error and how that was found."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_metabasins.hopping import jump_correlation, lag_grid, scattering, slope_weights, squared_displacement
from pelplug_metabasins.law import Law, fit_law
from pelplug_metabasins.moments import distance, plain_moments, reach
from pelplug_metabasins.rates import RateFit, fit_rate
from pelplug_metabasins.repeats import HALF, Repeats, repeat, repeat_by_energy
from pelplug_metabasins.resampling import Samples, ratio
from pelplug_metabasins.waiting import (
    moments_by_energy,
    persistence,
    survival_weights,
    time_grid,
    waiting_distribution,
)

__all__ = ["Averages"]

LONGER = "use a longer record, or several runs together: pelplug analyze --plugin metabasins run-*.gsd"
MORE_FRAMES = "write frames more often, or select more of them"


class Averages:
    """Everything that is averaged over the metabasins of one record or several.

    Parameters
    ----------
    found : dict of str to ndarray
        List of metabasins.
    spacing : float or None
        Time between frames, None if they are not equally spaced [time].
    parameters : dict
        Of the analysis.

    Attributes
    ----------
    values : dict
        Variables of the result, each with its dimensions.
    drawn, blocks, bins : list of str
        Errors that come from records drawn from the fitted law, from resampled blocks, and from records drawn bin by
        bin.
    not_found : list of str
        A sentence for each number or error that is not told.
    """

    def __init__(self, found: dict[str, np.ndarray], spacing: float | None, parameters: dict):
        self.found, self.spacing, self.parameters = found, spacing, parameters
        self.stay, self.run, self.ends = found["waiting_time"], found["run"], found["ends"]
        self.energy = found["metabasin_energy"]
        self.whole = self.ends == 1.0
        self.samples = Samples(self.run, *(parameters[name] for name in ("blocks", "samples", "seed")))
        self.values: dict = {}
        self.drawn: list[str] = []
        self.blocks: list[str] = []
        self.bins: list[str] = []
        self.not_found: list[str] = []
        self._vague: list[str] = []
        self.rate_fit = "none"
        lengths = np.bincount(self.run, self.stay)
        # Beyond half a record few origins are left, and beyond the longest stay S0 is 0.
        shortest = spacing or self.stay[self.whole].min()
        self.times = time_grid(shortest, min(self.stay.max(), lengths.max() / 2), parameters["per_decade"])
        self.edges = self._energy_edges()
        coarse = self._coarse()
        self.law, rate, drawn = (None, RateFit(), None) if coarse else self._law()
        law = self.law
        self._distribution(lengths)
        self._persistence(drawn)
        self._moments(law, drawn, coarse)
        self._by_energy(law, drawn, lengths)
        self._rate(rate)
        self._walk(drawn, coarse)

    def state(self, dataset) -> None:
        """Write into the errors how they were found."""
        over = self.samples.attributes(self.samples.of)
        pelplug.state_errors(dataset, [*self.blocks, "reduced_slope_error"], over)
        law = "records of as many metabasins drawn from the fitted law"
        if len(self.drawn) and self.law is not None:
            pelplug.state_errors(
                dataset, self.drawn, f"{law}, or {over['error_method']} if larger", self.samples.samples
            )
        else:
            pelplug.state_errors(dataset, self.drawn, over)
        pelplug.state_errors(dataset, self.bins, law, "metabasins_by_energy")

    # --- what the frames resolve, and the law ---------------------------------------------------------------------

    def _coarse(self) -> str:
        """Return why no time is told where frames are too far apart, else nothing."""
        if self.spacing is None:
            return ""
        whole = self.stay[self.whole] / self.spacing
        single = float(np.mean(whole < 1.5))
        self.values["single_frame_share"] = ((), single)
        if single <= 0.5:
            return ""
        return (
            f"{single:.0%} of the metabasins last one frame: the frames are too far apart to tell waiting times; "
            f"{MORE_FRAMES}."
        )

    def _law(self) -> tuple[Law, RateFit, Repeats]:
        rate = fit_rate(self.energy, self.stay, self.samples, self.ends)
        law = fit_law(self.energy, self.stay, self.ends, rate, self.spacing, self.samples)
        drawn = repeat(law, len(self.stay), self.times, self.edges, self.parameters["seed"])
        return law, rate, drawn

    # --- times ----------------------------------------------------------------------------------------------------

    def _moments(self, law: Law | None, drawn: Repeats | None, coarse: str) -> None:
        mean, relaxation, longest = plain_moments(self.stay, self.run)
        censored = 1.0 - self.stay[self.whole].sum() / self.stay.sum()
        value = {"mean": mean, "square": 2 * mean * relaxation, "relaxation": relaxation}
        error = {name: np.nan for name in value}
        fitted = [np.full(1 + len(self.samples.weights), np.nan)] * 4
        if law is not None:
            first, second = law.moments()
            fitted = [first, second, second / (2 * first), law.broadening]
            error = {name: value[name] * drawn.relative(name) for name in value}
            # A record without long metabasins has a law that lacks them too: the error reaches what that may hide.
            for name, rows in (("square", fitted[1]), ("relaxation", fitted[2])):
                hidden = reach(value[name], rows[0], float(self.samples.error(np.log(rows))), pelplug.ONE_SIGMA)
                error[name] = np.fmax(error[name], hidden)
        moved = relaxation < self.spacing if self.spacing else False
        if coarse:
            self.not_found.append(f"Times are not told: {coarse}")
            value["mean"] = value["square"] = np.nan
            if moved or self._short_time() > 0.5:
                value["relaxation"] = np.nan
        elif censored > HALF:
            value["square"] = value["relaxation"] = error["square"] = error["relaxation"] = np.nan
            self.not_found.append(
                f"The unfinished metabasins are {censored:.0%} of the record, which is shorter than the relaxation "
                f"time: <tau^2> and tau_alpha are not told; {LONGER}."
            )
        elif longest > HALF:  # to tell no error here would leave those of records that lack long ones, which fail
            self.not_found.append(
                f"The longest metabasin has {longest:.0%} of <tau^2>: <tau^2> and tau_alpha rest on it, and their "
                f"errors are large; {LONGER}."
            )
        for kind, name in _PLAIN.items():
            self._put(name, value[kind], self._told(name, value[kind], error[kind]), self.drawn)
        self.values["longest_share"] = ((), longest)
        if law is not None:
            self._put("fitted_unseen_share", law.unseen(self.energy.min()))
        for name, rows in zip(_FITTED, fitted, strict=True):
            additive = name == "fitted_sigma_gamma_squared"
            with np.errstate(invalid="ignore"):
                error = self.samples.error(rows if additive else np.log(rows)) * (1.0 if additive else rows[0])
            self._put(name, rows[0], error if additive else self._told(name, rows[0], error), self.blocks)
        if self._vague:
            self.not_found.append(
                f"No error of {', '.join(self._vague)} is told: it would be over {_MOST} times the value; {LONGER}."
            )

    def _told(self, name: str, value: float, error: float) -> float:
        """Return the error of a positive number; NaN where it is so many times it that it says nothing."""
        if not error > _MOST * value:
            return error
        self._vague.append(name)
        return np.nan

    def _short_time(self) -> float:
        """Return the share of the time in metabasins of one or two frames."""
        stay = self.stay[self.whole]
        return float(stay[stay < 2.5 * self.spacing].sum() / stay.sum())

    def _distribution(self, lengths: np.ndarray) -> None:
        waiting = self.stay[self.whole]
        weight = survival_weights(waiting, lengths)
        edges, density, error = waiting_distribution(
            waiting, weight, self.spacing, self.parameters["waiting_per_decade"], self.samples,
            self.samples.unit[self.whole],
        )  # fmt: skip
        self.values["waiting_edges"] = ("waiting_edge", edges)
        self._put("waiting_density", density, error, self.blocks, "waiting_bin")

    def _persistence(self, drawn: Repeats | None) -> None:
        value, error = persistence(self.stay, self.run, self.times, self.samples)
        if drawn is not None:
            error = np.fmax(error, drawn.absolute("persistence"))
        self.values["lag_time"] = ("lag_time", self.times)
        self._put("persistence", value, error, self.drawn if drawn else self.blocks, "lag_time")
        if "positions" in self.found:
            waves = np.array(self.parameters["k"], dtype=float)
            ends = self.found["start_time"], self.found["end_time"]
            found = scattering(*ends, self.found["positions"], self.run, waves, self.times)
            self.values["scattering"] = (("wave_number", "lag_time"), found)

    # --- energies -------------------------------------------------------------------------------------------------

    def _energy_edges(self) -> np.ndarray:
        low, high = self.energy.min(), self.energy.max()
        half = max((high - low) / 2, 1e-6 * max(abs(low), 1.0))
        return np.linspace((low + high) / 2 - half, (low + high) / 2 + half, self.parameters["energy_bins"] + 1)

    def _by_energy(self, law: Law | None, drawn: Repeats | None, lengths: np.ndarray) -> None:
        edges, minimum = self.edges, self.parameters["minimum"]
        bins = len(edges) - 1
        place = np.clip(np.searchsorted(edges, self.energy, side="right") - 1, 0, bins - 1)
        time = self.samples.histogram(place, bins, self.stay)
        density = ratio(time, time.sum(axis=1, keepdims=True)) / np.diff(edges)
        error = self.samples.error(density)
        if drawn is not None:
            # The larger of two that say the same would be too large: blocks count where they say more, by two errors.
            scatter = 1.0 / np.sqrt(2.0 * max(self.samples.samples - 1, 1))
            error = np.fmax(error / (1.0 + 2.0 * scatter), drawn.absolute("density"))
        self.values["energy_edges"] = ("energy_edge", edges)
        self.values["bin_energy"] = ("energy_bin", (edges[1:] + edges[:-1]) / 2)
        self._put("energy_density", density[0], error, self.drawn if drawn else self.blocks, "energy_bin")
        waiting, energy = self.stay[self.whole], self.energy[self.whole]
        found = moments_by_energy(energy, waiting, survival_weights(waiting, lengths), edges, minimum)
        number = found["metabasins_by_energy"]
        self.values["metabasins_by_energy"] = ("energy_bin", number)
        mean, broadening, overall = (
            found[name] for name in ("waiting_time_by_energy", "sigma_gamma_squared", "sigma_gamma_squared_mean")
        )
        errors, hidden = (np.full(bins, np.nan), np.full(bins, np.nan)), np.nan
        if law is None:
            mean, broadening, overall = np.full(bins, np.nan), np.full(bins, np.nan), np.nan
        elif np.any(number >= minimum):
            enough = np.where(number >= minimum, number, 0)
            errors = repeat_by_energy(law.broadening, enough, self.parameters["seed"])
        self._put("waiting_time_by_energy", mean, mean * errors[0], self.bins, "energy_bin")
        told = np.where(found["longest"] <= HALF, errors[1], np.nan)
        self._put("sigma_gamma_squared", broadening, told, self.bins, "energy_bin")
        if law is not None:
            # Of few metabasins the mean is too small, as the fitted one is not: as far as the truth lies by that.
            spread = float(self.samples.error(law.broadening))
            hidden = distance(float(overall), float(law.broadening[0]), spread, pelplug.ONE_SIGMA)
        self._put("sigma_gamma_squared_mean", overall, hidden, self.blocks)

    def _rate(self, fit: RateFit) -> None:
        self.rate_fit = fit.outcome or "none: the frames are too far apart"
        for name in ("plateau", "slope"):
            self._put(f"rate_{name}", getattr(fit, name), getattr(fit, f"{name}_error"), self.blocks)
        self._put("crossover_energy", fit.crossover, fit.crossover_error, self.blocks)

    # --- the walk -------------------------------------------------------------------------------------------------

    def _walk(self, drawn: Repeats | None, coarse: str) -> None:
        # 1 / <tau>: jumps over the whole record have no bias, waiting times without the unfinished ones have.
        rate = ratio(self.samples.total(self.ends), self.samples.total(self.stay))
        resampled = float(self.samples.error(rate))
        error = resampled if drawn is None else max(resampled, rate[0] * drawn.rate())
        told = (np.nan, np.nan) if coarse else (rate[0], error)
        self._put("jump_rate", *told, self.drawn)
        if "positions" not in self.found:
            return
        positions = self.found["positions"]
        most = int(np.bincount(self.run).max()) - 1
        lags = lag_grid(most)
        first, last = (self.parameters[name] for name in ("first_jump", "last_jump"))
        if last == "auto":
            last = max(1, min(100, most // 10))
        if first == "auto":
            first = max(1, last // 10)
        lags = np.unique(np.r_[lags, [lag for lag in (first, last) if lag <= most // 2]]).astype(int)
        squared = squared_displacement(positions, self.run, lags, self.samples)
        product, square, before = jump_correlation(positions, self.run)
        unit = self.samples.unit[before]
        correlation = ratio(*(self.samples.total(one, unit) for one in (product, square)))
        self.values["jump_lag"] = ("lag", lags)
        wider = np.array([self._overlap(lag) for lag in lags])
        self._put("squared_displacement", squared[0], self.samples.error(squared) * wider, self.blocks, "lag")
        self._put("jump_correlation", correlation[0], self.samples.error(correlation), self.blocks)
        inside = np.flatnonzero((lags >= first) & (lags <= last))
        if len(inside) == 0:
            return
        per_jump = squared[:, inside] @ slope_weights(lags[inside])
        n, dimension = positions.shape[1:]
        diffusion = per_jump * rate / (2 * dimension * n)
        # Beside what blocks tell: what the record does not of the rate, and what blocks share of the displacements.
        scatter, widest = float(self.samples.error(per_jump)), float(wider[inside[-1]])
        more = max(error**2 - resampled**2, 0.0) / rate[0] ** 2 + (scatter / per_jump[0]) ** 2 * (widest**2 - 1.0)
        self._put("squared_jump", per_jump[0], scatter * widest, self.blocks)
        self.values["jump_window"] = ("bound", lags[inside[[0, -1]]])
        total = np.sqrt(self.samples.error(diffusion) ** 2 + diffusion[0] ** 2 * more)
        self._put("diffusion_coefficient", diffusion[0], total, self.drawn if drawn else self.blocks)

    def _overlap(self, lag: int) -> float:
        """Return by what an error over blocks is too small of a square over so many jumps.

        Squares of displacements that share jumps are correlated by the square of the share, over the borders of blocks.
        """
        if self.samples.of == "independent runs" or lag == 1:
            return 1.0
        length = len(self.stay) / self.samples.samples
        apart = np.arange(1, lag)
        alike = np.square(1.0 - apart / lag)
        inside = np.maximum(1.0 - apart / length, 0.0)
        return float(np.sqrt((1.0 + 2.0 * alike.sum()) / (1.0 + 2.0 * (alike * inside).sum())))

    def _put(self, name: str, value, error=None, kind: list[str] | None = None, dims=()) -> None:
        self.values[name] = (dims, value)
        if kind is not None:
            self.values[f"{name}_error"] = (dims, error)
            kind.append(f"{name}_error")


_MOST = 100
"""Largest error of a positive number, in units of it. Records with large errors are those that show what they lack:
a smaller bound would leave those whose errors do not hold."""
_PLAIN = {
    "mean": "mean_waiting_time",
    "square": "mean_square_waiting_time",
    "relaxation": "relaxation_time",
}
_FITTED = (
    "fitted_mean_waiting_time",
    "fitted_mean_square_waiting_time",
    "fitted_relaxation_time",
    "fitted_sigma_gamma_squared",
)
