"""What the results at one temperature tell of a system of one size: tau_alpha, D, and of metabasins <tau>."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["AtOneSize", "OfDynamics", "OfMetabasins"]

_NEAR = 0.02  # relative, of wave numbers that count as the one asked for
_ASK = "pelplug analyze --plugin dynamics --quantities msd,fs --wave-number"


class AtOneSize:
    """The results of one analysis of one size at one temperature.

    Parameters
    ----------
    group : Collection
        Results of independent runs.
    said : list of str
        Sentences on what they do not have are added.
    """

    def __init__(self, group, said: list[str]):
        self.results, self.said, self.number = list(group), said, int(group.value("n"))
        self.name = f"N = {self.number} at T = {group.value('temperature'):g}"

    @property
    def tau(self) -> tuple[float, float]:
        """tau_alpha and its error [time]."""
        raise NotImplementedError

    @property
    def diffusion(self) -> tuple[float, float]:
        """D and its error [length**2 / time]."""
        raise NotImplementedError

    def _mean(self, name: str, value) -> tuple[float, float]:
        """Return the mean over the runs of what `value(result, name)` is, and its error."""
        each = np.array([float(value(one, name)) for one in self.results])
        errors = np.array([float(value(one, f"{name}_error")) for one in self.results])
        sentence = f"{self.name} has no {name}; simulate longer."
        if not np.isfinite(each).all() and sentence not in self.said:
            self.said.append(sentence)
        if each.size >= 3:
            return float(each.mean()), float(pelplug.standard_error(each))
        return float(each.mean()), float(np.linalg.norm(errors) / each.size)


class OfDynamics(AtOneSize):
    """Results of `dynamics`, of F_s at a wave number [1 / length]."""

    def __init__(self, group, wave_number: float, said: list[str]):
        super().__init__(group, said)
        self.wave_number = wave_number

    @property
    def tau(self) -> tuple[float, float]:
        """tau_0/beta Gamma(1/beta) of the final decay of F_s, and its error."""
        return self._mean("kww_mean_time", self._at)

    @property
    def diffusion(self) -> tuple[float, float]:
        """D of the mean squared displacement, and its error."""
        return self._mean("diffusion_coefficient", lambda one, name: self._of(one, name).sel(kind=_kind(one)))

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Lags and F_s of the first result over the amplitude of its final decay."""
        one = self.results[0]
        curve, amplitude = self._at(one, "fs"), float(self._at(one, "kww_amplitude"))
        return np.asarray(curve["lag_time"].values, dtype=float), np.asarray(curve.values, dtype=float) / amplitude

    def _of(self, one, name: str):
        if name not in one:
            raise pelplug.InputError(f"{one.source} has no {name}; make it anew with {_ASK} {self.wave_number:g}.")
        return one[name]

    def _at(self, one, name: str):
        known = np.asarray(self._of(one, name)["wave_number"].values, dtype=float)
        k = int(np.argmin(np.abs(known - self.wave_number)))
        if abs(known[k] / self.wave_number - 1.0) > _NEAR:
            have = ", ".join(f"{value:.4g}" for value in known)
            raise pelplug.InputError(
                f"{one.source} has F_s at k = {have}, not at {self.wave_number:g}; make it anew with {_ASK} "
                f"{self.wave_number:g}, or give --k-c."
            )
        return one[name].sel(kind=_kind(one)).isel(wave_number=k)


class OfMetabasins(AtOneSize):
    """Results of `metabasins`."""

    @property
    def tau(self) -> tuple[float, float]:
        """<tau^2> / (2 <tau>), the integral of S0, and its error."""
        return self._mean("relaxation_time", _scalar)

    @property
    def diffusion(self) -> tuple[float, float]:
        """D = a^2 / (2 d N <tau>), and its error."""
        return self._mean("diffusion_coefficient", _scalar)

    @property
    def waiting(self) -> tuple[float, float]:
        """<tau>, and its error."""
        return self._mean("mean_waiting_time", _scalar)


def _scalar(one, name: str) -> float:
    """Return a number; too few metabasins have none."""
    return float(one[name]) if name in one else np.nan


def _kind(one) -> str:
    """Return all particles; a single species has no such entry."""
    kinds = [str(kind) for kind in one["kind"].values]
    return "all" if "all" in kinds else kinds[0]
