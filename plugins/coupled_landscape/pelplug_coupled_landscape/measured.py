"""Measured finite-size effects, from options or from results of `dynamics`, corrected as the paper corrects them."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug

__all__ = ["Measured", "from_results", "measured_ratios"]

_NEAR = 0.02  # relative, of wave numbers that count as the one asked for
_ASK = "pelplug analyze --plugin dynamics --quantities msd,fs --wave-number"


@dataclasses.dataclass
class Measured:
    """What is measured at each temperature, NaN where it is not.

    Attributes
    ----------
    tau, tau_error, diffusion, diffusion_error : ndarray, shape (temperatures,)
        tau_alpha of the small over that of the large system; D of the large over that of the small one.
    curves : list of (ndarray, ndarray) or None
        Of each temperature lags and F_s(k, t) of the large system over the amplitude of its final decay.
    scale : ndarray, shape (temperatures,)
        What turns times of the large system into shares of tau_alpha of the small one, corrected by D [1 / time].
    """

    tau: np.ndarray
    tau_error: np.ndarray
    diffusion: np.ndarray
    diffusion_error: np.ndarray
    curves: list = dataclasses.field(default_factory=list)
    scale: np.ndarray | None = None


def measured_ratios(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Return tau_alpha of the small over that of the large system as the model may be compared with it, and its error.

    Notes
    -----
    The images of a small periodic system slow it down by hydrodynamics, which the model does not have. The paper
    multiplies tau_alpha of the large system by D_N/D_min; the ratio is divided by it.
    """
    known = np.isfinite(measured.diffusion)
    corrected = np.where(known, measured.diffusion, 1.0)
    # where the error of a ratio of D is unknown, so is that of the corrected ratio
    other = np.where(known, measured.diffusion_error / corrected, 0.0)
    ratio = measured.tau / corrected
    return ratio, ratio * np.hypot(measured.tau_error / measured.tau, other)


def from_results(collection, temperatures, wave_number: float, said: list[str]) -> Measured:
    """Return what results of `dynamics` of two sizes measure.

    Parameters
    ----------
    collection : Collection
        Results at some of the temperatures.
    temperatures : ndarray
        Of the study.
    wave_number : float
        k_c, at which F_s is compared with the persistence [1 / length].
    said : list of str
        Sentences on what is not found are added.

    Raises
    ------
    InputError
        If a temperature is none of the study's, there are not two sizes at it, or F_s is not at that wave number.
    """
    found = Measured(*np.full((4, temperatures.size), np.nan), [None] * temperatures.size)
    found.scale = np.full(temperatures.size, np.nan)
    for group in collection.groups("temperature"):
        temperature = float(group.value("temperature"))
        k = int(np.argmin(np.abs(temperatures - temperature)))
        if not np.isclose(temperatures[k], temperature, rtol=1e-6):
            known = sorted({float(one.conditions.temperature) for one in collection})
            raise pelplug.InputError(
                f"There are results at T = {temperature:g}, where the model is not asked for; give --temperatures "
                f"{','.join(f'{one:g}' for one in known)}, or leave them out."
            )
        sizes = group.groups("n")
        if len(sizes) != 2:
            numbers = ", ".join(f"N = {one.value('n')}" for one in sizes)
            raise pelplug.InputError(
                f"A finite-size effect is between two sizes, and the results at T = {temperature:g} are of {numbers}; "
                "give those of a small and of a large system."
            )
        small, large = (_Size(one, wave_number, said) for one in sizes)
        (tau, tau_error), (slow, slow_error) = large.tau, small.tau
        (diffusion, d_error), (lower, lower_error) = large.diffusion, small.diffusion
        found.tau[k], found.diffusion[k] = slow / tau, diffusion / lower
        found.tau_error[k] = found.tau[k] * np.hypot(tau_error / tau, slow_error / slow)
        found.diffusion_error[k] = found.diffusion[k] * np.hypot(d_error / diffusion, lower_error / lower)
        found.curves[k] = large.curve
        known = np.isfinite(found.diffusion[k])
        found.scale[k] = (found.diffusion[k] if known else 1.0) / slow
        if not known:
            said.append(
                f"At T = {temperature:g} the measured ratio is not corrected by D, which one of the sizes has not."
            )
        if found.tau[k] < 1.0:
            said.append(
                f"At T = {temperature:g} the large system is slower than the small one, by {1.0 / found.tau[k]:.3g}, "
                "which no q makes it."
            )
    return found


class _Size:
    """The results of one size at one temperature."""

    def __init__(self, group, wave_number: float, said: list[str]):
        self.results, self.said, self.wave_number = list(group), said, wave_number
        self.name = f"N = {group.value('n')} at T = {group.value('temperature'):g}"

    @property
    def tau(self) -> tuple[float, float]:
        """tau_0/beta Gamma(1/beta) of the final decay of F_s, and its error."""
        return self._mean("kww_mean_time", lambda one, name: self._at(one, name))

    @property
    def diffusion(self) -> tuple[float, float]:
        """D, and its error."""
        return self._mean("diffusion_coefficient", lambda one, name: one[name].sel(kind=_kind(one)))

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Lags and F_s of the first result over the amplitude of its final decay."""
        one = self.results[0]
        curve, amplitude = self._at(one, "fs"), float(self._at(one, "kww_amplitude"))
        return np.asarray(curve["lag_time"].values, dtype=float), np.asarray(curve.values, dtype=float) / amplitude

    def _mean(self, name: str, value) -> tuple[float, float]:
        for one in self.results:
            if name not in one:
                raise pelplug.InputError(f"{one.source} has no {name}; make it anew with {_ASK} {self.wave_number:g}.")
        each = np.array([float(value(one, name)) for one in self.results])
        errors = np.array([float(value(one, f"{name}_error")) for one in self.results])
        if not np.isfinite(each).all():
            self.said.append(f"{self.name} has no {name}; simulate longer.")
        if each.size >= 3:
            return float(each.mean()), float(pelplug.standard_error(each))
        return float(each.mean()), float(np.linalg.norm(errors) / each.size)

    def _at(self, one, name: str):
        known = np.asarray(one[name]["wave_number"].values, dtype=float)
        k = int(np.argmin(np.abs(known - self.wave_number)))
        if abs(known[k] / self.wave_number - 1.0) > _NEAR:
            have = ", ".join(f"{value:.4g}" for value in known)
            raise pelplug.InputError(
                f"{one.source} has F_s at k = {have}, not at {self.wave_number:g}; make it anew with {_ASK} "
                f"{self.wave_number:g}, or give --k-c."
            )
        return one[name].sel(kind=_kind(one)).isel(wave_number=k)


def _kind(one) -> str:
    """Return all particles; a single species has no such entry."""
    kinds = [str(kind) for kind in one["kind"].values]
    return "all" if "all" in kinds else kinds[0]
