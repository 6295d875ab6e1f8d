"""What was measured beside the walk: of results of metabasins and dynamics at one temperature, and k_c."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["Continuous", "mean_of", "on_grid", "where_equal"]


def mean_of(group, name: str, **place) -> tuple[float, float]:
    """Return the mean of a number over results, and its error: over three of them or more, else theirs."""
    known = [one for one in group if name in one]
    if not known:
        return np.nan, np.nan
    each, errors = (np.array([float(one[key].sel(place)) for one in known]) for key in (name, f"{name}_error"))
    if each.size >= 3:
        return float(each.mean()), float(pelplug.standard_error(each))
    return float(each.mean()), float(np.linalg.norm(errors) / each.size)


def on_grid(time: np.ndarray, lag, curve) -> np.ndarray:
    """Return a curve at times, linear in the logarithm between its lags, NaN beyond them."""
    lag, curve = np.asarray(lag, dtype=float), np.asarray(curve, dtype=float)
    known = (lag > 0) & np.isfinite(curve)
    if known.sum() < 2:
        return np.full(time.size, np.nan)
    return np.interp(np.log(time), np.log(lag[known]), curve[known], left=np.nan, right=np.nan)


class Continuous:
    """Results of `dynamics` at one temperature: F_s of all particles at several wave numbers.

    Attributes
    ----------
    wave_number : ndarray, shape (K,)
        [1 / length]
    time, time_error, beta : ndarray, shape (K,)
        tau_0/beta Gamma(1/beta) of the final decay of F_s [time], its error, and beta.
    """

    def __init__(self, group):
        self.results = list(group)
        one = self.results[0]
        for name in ("kww_mean_time", "kww_beta", "kww_amplitude", "fs"):
            if name not in one:
                raise pelplug.InputError(
                    f"{one.source} has no {name}; make it anew with pelplug analyze --plugin dynamics --quantities fs, "
                    "or leave it out."
                )
        kinds = [str(kind) for kind in one["kind"].values]
        self.kind = "all" if "all" in kinds else kinds[0]
        self.wave_number = np.asarray(one["fs"]["wave_number"].values, dtype=float)
        pairs = [mean_of(self.results, "kww_mean_time", kind=self.kind, wave_number=k) for k in self.wave_number]
        self.time, self.time_error = np.array(pairs).T
        self.beta = np.array([mean_of(self.results, "kww_beta", kind=self.kind, wave_number=k)[0]
                              for k in self.wave_number])  # fmt: skip

    def curve(self, k: int, time: np.ndarray) -> np.ndarray:
        """Return F_s over the amplitude of its final decay, of the first result at one wave number."""
        one = self.results[0]
        place = {"kind": self.kind}
        values = one["fs"].sel(place).isel(wave_number=k)
        amplitude = float(one["kww_amplitude"].sel(place).isel(wave_number=k))
        return on_grid(time, values["lag_time"].values, values.values / amplitude)


def where_equal(of: Continuous, time: float, error: float) -> tuple[float, float, str]:
    """Return the wave number at which F_s decays in a time, its error, and why there is none.

    Between the wave numbers ln tau is linear in ln k.
    """
    order = np.argsort(of.wave_number)
    k, tau, spread = of.wave_number[order], of.time[order], of.time_error[order]
    known = np.isfinite(tau)
    if not np.isfinite(time) or known.sum() < 2:
        return np.nan, np.nan, "tau_alpha of metabasins and of F_s at two wave numbers or more are not known"
    x, y, wide = np.log(k[known]), np.log(tau[known]), (spread / tau)[known]
    crossed = np.flatnonzero((y[1:] - np.log(time)) * (y[:-1] - np.log(time)) <= 0)
    if not crossed.size:
        return np.nan, np.nan, (
            f"F_s decays in {tau[known].min():.3g} to {tau[known].max():.3g} at k = {k[known].min():g} to "
            f"{k[known].max():g}, and metabasins relax in {time:.3g}; give results of dynamics at other wave numbers"
        )  # fmt: skip
    j = int(crossed[0])
    slope = (y[j + 1] - y[j]) / (x[j + 1] - x[j])
    share = (np.log(time) - y[j]) / (y[j + 1] - y[j])
    own = (1.0 - share) * wide[j] + share * wide[j + 1]  # wave numbers of one run go together
    value = float(np.exp(x[j] + share * (x[j + 1] - x[j])))
    return value, abs(value * np.hypot(error / time, own) / slope), ""
