"""Over temperatures: density of states of metabasins by reweighting, and the parameters of Gamma(e)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

import pelplug

__all__ = ["DensityOfStates", "RateParameters", "density_of_states", "rate_parameters"]


@dataclasses.dataclass(frozen=True)
class DensityOfStates:
    """Density of states G(e) of metabasins.

    Attributes
    ----------
    energy : ndarray, shape (bins,)
        Centres of the bins [energy].
    density : ndarray, shape (bins,)
        G(e), normalised over the energies seen; 0 where there are none [1 / energy].
    counts : ndarray, shape (bins,)
        Effective number of metabasins: the square of the time spent over the sum of squared stays, since few long stays
        tell less than many short ones.
    log_partition : dict of float to float
        ln of the sum of G(e) exp(-e/T) over the bins, for each temperature.
    """

    energy: np.ndarray
    density: np.ndarray
    counts: np.ndarray
    log_partition: dict[float, float]

    def gaussian(self, minimum: float = 10.0) -> tuple[float, float]:
        """Return e_0 and sigma of ``exp(-(e - e_0)**2 / (2 sigma**2))``, from a parabola through ln G(e).

        Parameters
        ----------
        minimum : float
            Bins with fewer counts are left out; the others weigh as their counts.

        Raises
        ------
        InputError
            If fewer than four bins are left, or ln G(e) is not curved downwards.
        """
        good = self.counts >= minimum
        if good.sum() < 4:
            raise pelplug.InputError(
                f"Only {good.sum()} bins have {minimum:g} metabasins, too few for a Gaussian; use longer runs, wider "
                "bins, or more temperatures."
            )
        centre = np.average(self.energy, weights=self.counts)
        a, b, _ = np.polyfit(self.energy[good] - centre, np.log(self.density[good]), 2, w=np.sqrt(self.counts[good]))
        if a >= 0:
            raise pelplug.InputError("ln G(e) is not curved downwards; use longer runs or more temperatures.")
        return float(centre - b / (2 * a)), float(np.sqrt(-1 / (2 * a)))


def density_of_states(results: Mapping[float, xr.Dataset], width: float, tolerance: float = 1e-10) -> DensityOfStates:
    """Reweight p_eq(e) of several temperatures with exp(e/T) and join them to one density of states.

    Parameters
    ----------
    results : mapping of float to Dataset
        Results of ``metabasins`` by temperature, in the units of the results [temperature].
    width : float
        Of the bins [energy].
    tolerance : float
        Change of all ln Z in the last iteration.

    Returns
    -------
    DensityOfStates

    Raises
    ------
    InputError
        If a temperature is not positive, or one shares no energies with the others.

    Notes
    -----
    Multiple histograms (A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 63, 1195 (1989)):
    ``G = sum_T h_T / sum_T n_T exp(-e/T) / Z_T`` with ``Z_T = sum_e G exp(-e/T)``, iterated. h_T is the histogram of
    time spent, scaled to the number n_T of metabasins.
    """
    if not results or not all(temperature > 0 for temperature in results):
        raise pelplug.InputError("The density of states needs results at positive temperatures; give at least one.")
    energies = [ds["metabasin_energy"].values for ds in results.values()]
    low = np.floor(min(e.min() for e in energies) / width)
    number = int(np.floor(max(e.max() for e in energies) / width) - low) + 1
    centres = (low + 0.5 + np.arange(number)) * width
    temperatures = np.array(list(results), dtype=float)
    sizes = np.array([len(e) for e in energies], dtype=float)
    histograms, squares = [], np.zeros(number)
    for e, ds in zip(energies, results.values(), strict=True):
        place = (np.floor(e / width) - low).astype(int)
        weight = ds["waiting_time"].values * len(e) / ds["waiting_time"].values.sum()
        histograms.append(np.bincount(place, weight, minlength=number))
        squares += np.bincount(place, np.square(weight), minlength=number)
    counts = np.sum(histograms, axis=0)
    effective = np.divide(np.square(counts), squares, out=np.zeros(number), where=squares > 0)
    seen = counts > 0
    _check_overlap(np.array(histograms) > 0, temperatures)
    thermal = np.array([_thermal(ds, temperature) for temperature, ds in results.items()])
    boltzmann = -(centres[seen] - centres[seen].mean()) / thermal[:, None]
    log_z = boltzmann.max(axis=1)
    for _ in range(100_000):
        log_g = np.log(counts[seen]) - _log_sum(np.log(sizes)[:, None] + boltzmann - log_z[:, None], 0)
        new = _log_sum(log_g + boltzmann, 1)
        new -= new[0] - log_z[0]  # the norm of G is free
        change, log_z = np.abs(new - log_z).max(), new
        if change < tolerance:
            break
    density = np.zeros(number)
    density[seen] = np.exp(log_g - _log_sum(log_g, 0)) / width
    exponents = np.log(density[seen] * width) - centres[seen] / thermal[:, None]
    partition = dict(zip(map(float, results), map(float, _log_sum(exponents, 1)), strict=True))
    return DensityOfStates(centres, density, effective, partition)


@dataclasses.dataclass(frozen=True)
class RateParameters:
    """Parameters of Eq. 1 of Rehwald and Heuer from the fits at several temperatures, each with its error.

    Attributes
    ----------
    rate_prefactor, last_barrier : (float, float)
        Gamma_0 [1 / time] and V_0 [energy]: ``plateau = Gamma_0 exp(-V_0 / T)``.
    lam, entropic : (float, float)
        lambda and kappa k_entro [1 / energy]: ``slope = lambda (1 / T - kappa k_entro)``, with a positive
        k_entro = (e_0 - e_c) / sigma**2. Eqs. 1 and 4 of the paper print a plus; its Appendix A2, and its argument that
        lower metabasins have more ways out, hold with the minus.
    crossover : (float, float)
        e_c, weighted mean over temperatures [energy].
    """

    rate_prefactor: tuple[float, float]
    last_barrier: tuple[float, float]
    lam: tuple[float, float]
    entropic: tuple[float, float]
    crossover: tuple[float, float]


def rate_parameters(results: Mapping[float, xr.Dataset]) -> RateParameters:
    """Find lambda, kappa k_entro, Gamma_0, V_0 and e_c from results of ``metabasins`` by temperature.

    Weighted least squares of the slopes and log plateaus against 1/T.

    Raises
    ------
    InputError
        If fewer than two results have a complete fit of the rate with errors.
    """
    names = ("rate_slope", "rate_plateau", "crossover_energy")
    rows = [
        [1 / _thermal(ds, temperature), *(float(ds[f"{name}{end}"]) for name in names for end in ("", "_error"))]
        for temperature, ds in results.items()
        if all(name in ds for name in names)
    ]
    rows = [row for row in rows if np.all(np.isfinite(row))]
    if len(rows) < 2:
        raise pelplug.InputError(
            "The parameters of Gamma(e) need complete fits of the rate at two or more temperatures; use longer runs."
        )
    beta, slope, slope_error, plateau, plateau_error, crossover, crossover_error = np.array(rows).T
    (lam, offset), covariance = _line(beta, slope, slope_error)
    entropic = -offset / lam
    gradient = np.array([offset / lam**2, -1 / lam])
    (barrier, log_prefactor), spread = _line(-beta, np.log(plateau), plateau_error / plateau)
    weight = crossover_error**-2.0
    prefactor = float(np.exp(log_prefactor))
    return RateParameters(
        rate_prefactor=(prefactor, prefactor * float(np.sqrt(spread[1, 1]))),
        last_barrier=(float(barrier), float(np.sqrt(spread[0, 0]))),
        lam=(float(lam), float(np.sqrt(covariance[0, 0]))),
        entropic=(float(entropic), float(np.sqrt(gradient @ covariance @ gradient))),
        crossover=(float(np.average(crossover, weights=weight)), float(weight.sum() ** -0.5)),
    )


def _thermal(ds: xr.Dataset, temperature: float) -> float:
    """Return k_B T [energy], by the units that a result records."""
    return pelplug.Units.of(json.loads(ds.attrs.get("units") or "null") or "reduced").thermal(temperature)


def _line(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept of a weighted line, and their covariance."""
    design = np.stack([x, np.ones(len(x))], axis=1) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    return covariance @ design.T @ (y / error), covariance


def _check_overlap(present: np.ndarray, temperatures: np.ndarray) -> None:
    joined = present[0]
    waiting = list(range(1, len(present)))
    while waiting:
        touching = [k for k in waiting if np.any(present[k] & joined)]
        if not touching:
            raise pelplug.InputError(
                f"The run at temperature {temperatures[waiting[0]]:g} shares no energies with the others; add a "
                "temperature between them, or use wider bins."
            )
        for k in touching:
            joined = joined | present[k]
            waiting.remove(k)


def _log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    return np.logaddexp.reduce(values, axis=axis)
