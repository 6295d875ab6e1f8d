"""What is read off the curves of a species: times and coefficients, their errors, and why one has none."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug_dynamics import times as characteristic
from pelplug_dynamics.statistics import Averages, Samples
from pelplug_dynamics.variables import BY_Q

__all__ = ["Reading", "in_the_tail", "without_errors"]

_STRAIGHT = 0.05  # by which d ln MSD / d ln t may differ from 1 over the fit of D
_SCATTERED = 0.2  # where all lags of a short run must do, at which its MSD scatters so much
_ROUNDED = 1e-5  # of the mean distance: in single precision positions in a cell of 100 distances are rounded by so much
_SLOPE_REACHES = 10.0**0.15  # lags about a time that its slope is of


@dataclasses.dataclass
class Reading:
    """Reads numbers off the curves of one species.

    Attributes
    ----------
    kind : str
        Species.
    estimates : Averages
        Of the curves that are read.
    lag_times : ndarray, shape (L,)
        [time].
    fit_end : float
        Share of the longest run at which fits end if they can.
    reasons : list of str
        A sentence for each number that is not there is added.
    no_error : list of str
        Names of the numbers that have no error are added, with the lag they are read at.
    part : callable
        ``with part(name):`` keeps what fails to itself.
    """

    kind: str
    estimates: Averages
    lag_times: np.ndarray
    fit_end: float
    reasons: list[str]
    no_error: list[str]
    part: object

    def all(self, wave_numbers, length: float, msd_target: float, threshold: float) -> dict:
        """Return the numbers by name, with errors and the samples that these rest on.

        Parameters
        ----------
        wave_numbers : sequence of float
            Of F_s [1 / length].
        length : float
            Displacement from which on D is fitted [length].
        msd_target : float
            [length**2].
        threshold : float
            Of F_s.
        """
        times, found = self.lag_times, {}
        least = (_ROUNDED * length) ** 2
        self._add(
            found, "tau_beta", "the MSD", lambda one: characteristic.beta_time(times, one.msd, least), _SLOPE_REACHES
        )
        self._add(found, "msd_time", "the MSD", lambda one: characteristic.reaching(times, one.msd, msd_target))
        self._diffusion(found, length)
        start = characteristic.decay_start(times, self.estimates.curves.msd, found["tau_beta"])
        for index, q in enumerate(wave_numbers):
            one_q: dict = {}
            self._scattering(one_q, index, f"F_s(q = {q:.4g})", threshold, start)
            for name, value in one_q.items():
                found.setdefault(name, []).append(value)
        return found

    def around(self, wave_numbers, threshold: float, bonds: bool) -> dict:
        """Return what is read off curves of motion against neighbours; see `all`.

        Parameters
        ----------
        wave_numbers, threshold
            As of `all`.
        bonds : bool
            Whether there are any.
        """
        times, found = self.lag_times, {}
        for index, q in enumerate(wave_numbers):
            one_q: dict = {}

            def crossing(one, index=index):
                return characteristic.crossing_down(times, one.fs[index], threshold)

            self._add(one_q, "cage_relative_tau_alpha", f"the cage-relative F_s(q = {q:.4g})", crossing)
            for name, value in one_q.items():
                found.setdefault(name, []).append(value)
        if bonds:

            def breaking(one):
                return characteristic.crossing_down(times, one.bonds, np.exp(-1.0))

            self._add(found, "bond_breaking_time", "C_B", breaking)
        return found

    def _ends(self):
        """Yield after how many lags a fit may end: with the statistics, with the errors, with the lags."""
        samples = self.estimates.samples
        yield int(np.searchsorted(samples.lags, self.fit_end * samples.duration * (1 + 1e-9), side="right"))
        unknown = np.flatnonzero(~samples.known)
        yield int(unknown[0]) if unknown.size else len(self.lag_times)
        yield len(self.lag_times)

    def _add(self, found, name, what, get, reaches=1.0) -> None:
        """Read a time, and note why it is not there."""
        value, error, samples = np.nan, np.nan, np.nan
        with self.part(f"{name} of {self.kind}"):
            value, reason = get(self.estimates.curves)
            if reason:
                self.reasons.append(f"{name} of {self.kind}: {what} {reason}.")
            else:
                last = min(int(np.searchsorted(self.lag_times, value * reaches)), len(self.lag_times) - 1)
                error, samples = self._error(name, lambda one: get(one)[0], last)
        found |= {name: value, f"{name}_error": error, f"{name}_samples": samples}

    def _error(self, name, get, last: int):
        """Return the error of what is read up to a lag, and the samples that it rests on."""
        error = self.estimates.read(get, last)
        if not np.isfinite(error).all():
            self.no_error.append(f"{name} of {self.kind} (to t = {self.lag_times[last]:.4g})")
            return error, np.nan
        return error, self.estimates.samples.number[last]

    def _diffusion(self, found, length) -> None:
        name, msd = "diffusion_coefficient", self.estimates.curves.msd
        found |= {name: np.nan, f"{name}_error": np.nan, f"{name}_samples": np.nan}
        found |= {"diffusion_window": np.full(2, np.nan), "diffusion_line": np.full(2, np.nan)}
        with self.part(f"{name} of {self.kind}"):
            for end in self._ends():
                off = _STRAIGHT if self.estimates.samples.known[max(end - 1, 0)] else _SCATTERED
                window, reason = characteristic.diffusion_window(self.lag_times[:end], msd[:end], length**2, off)
                if window is not None:
                    break
            if window is None:
                self.reasons.append(f"{name} of {self.kind}: the MSD {reason}.")
                return
            found["diffusion_window"] = self.lag_times[window][[0, -1]]

            def fit(one):
                return characteristic.diffusion(self.lag_times, one.msd, self.estimates.dimension, window)

            found[name], offset = fit(self.estimates.curves)
            slope = 2.0 * self.estimates.dimension * found[name]
            found["diffusion_line"] = slope * found["diffusion_window"] + offset
            error = self._error(name, lambda one: fit(one)[0], window.stop - 1)
            found[f"{name}_error"], found[f"{name}_samples"] = error

    def _scattering(self, found, index, what, threshold, start) -> None:
        times = self.lag_times
        self._add(found, "tau_alpha", what, lambda one: characteristic.crossing_down(times, one.fs[index], threshold))
        fit, error, found["kww_samples"] = np.full(4, np.nan), np.full(4, np.nan), np.nan
        found["kww_window"] = np.full(2, np.nan)
        if not np.isfinite(found["tau_alpha"]):
            self.reasons.append(f"kww_time of {self.kind}: not fitted where {what} does not show tau_alpha.")
        else:
            with self.part(f"kww_time of {self.kind}"):
                fit, window, error, found["kww_samples"] = self._stretched(index, what, start, found["tau_alpha"])
                found["kww_window"] = window
        for name, value, its_error in zip(BY_Q[1:], fit, error, strict=True):
            found[name], found[f"{name}_error"] = value, its_error

    def _stretched(self, index, what, start, tau_alpha):
        """Return the stretched exponential, where it was fitted, its errors and samples.

        Its fit ends no earlier than tau_alpha is seen.
        """
        times, curve, least = (
            self.lag_times,
            self.estimates.curves.fs[index],
            np.searchsorted(self.lag_times, tau_alpha),
        )
        for end in self._ends():
            fit, reason = np.full(4, np.nan), "has fewer than 5 lags in its final decay; write frames more often"
            if end > least:
                fit, reason = characteristic.stretched_exponential(times[:end], curve[:end], start)
            if not reason:
                break
        if reason:
            self.reasons.append(f"kww_time of {self.kind}: {what} {reason}.")
            return fit, np.full(2, np.nan), np.full(4, np.nan), np.nan
        last = characteristic.last_of_decay(curve[:end])
        window = times[:end][characteristic.of_decay(times[:end], curve[:end], start)][[0, -1]]

        def again(one):
            return characteristic.stretched_exponential(times[:end], one.fs[index][:end], start)[0]

        error, samples = self._error("kww_time", again, last)
        if fit[0] == 1.0:
            error[0] = np.nan
            self.reasons.append(
                f"The error of kww_amplitude of {self.kind}: {what} is fitted best by more than the 1 that it begins "
                "at, so by 1."
            )
        return fit, window, error, samples


def without_errors(names: list[str], samples: Samples) -> list[str]:
    """Return a remark on numbers that have no error, and what to do; nothing if there are none."""
    remedy = _together(f"more than {samples.runs}" if samples.whole else "five or more")
    if samples.forgets_too_late:
        return [
            "No errors: within a quarter of a run particles do not move by half their mean distance, so one run does "
            f"not tell how others differ; {remedy}"
        ]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return [f"No error of {shown}: {samples.of} do not tell one there; {remedy}"] if names else []


def in_the_tail(times: dict[str, float]) -> list[str]:
    """Return a remark on where chi_4 has no error for its overlap is gone; nothing if it has one wherever others have.

    Parameters
    ----------
    times : dict of str to float
        First such lag of each species that has one [time].
    """
    if not times:
        return []
    where = ", ".join(f"{time:.4g} ({kind})" for kind, time in times.items())
    return [
        f"No error of chi_4 from t = {where} on, where fewer than a fifth of the particles overlap and few slow "
        f"stretches make it; {_together('20 or more')}"
    ]


def _together(several: str) -> str:
    return f"analyse {several} independent runs together: pelplug analyze --plugin dynamics run-*.gsd."
