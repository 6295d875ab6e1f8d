"""The parameters of paper 2's Table I from the metabasins of all temperatures, and what follows from them."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import special

import pelplug
from pelplug_metabasins.resampling import Samples
from pelplug_metabasins.walk_rates import RatesOfTemperature, fit_rates
from pelplug_metabasins.walk_records import Record, binned
from pelplug_metabasins.walk_states import Cutoff, fit_cutoff, fit_gaussian

__all__ = ["WalkLaw", "fit_walk"]

_STEP = 1e-3  # of 1/T, for its derivative


@dataclasses.dataclass(frozen=True)
class WalkLaw:
    """A landscape fitted to metabasins, of all and of each choice of them.

    Attributes
    ----------
    beta : ndarray, shape (J,)
        [1 / energy]
    rates : RatesOfTemperature
    centre, sigma : ndarray, shape (1 + R,)
        Of G(e) [energy].
    cutoff : Cutoff
    cutoffs : ndarray, shape (1 + R,)
        That of all, and drawn by the chance of as low an energy for the others: where it decides, its error counts.
    samples : Samples
        Those of the temperature that has fewest.
    """

    beta: np.ndarray
    rates: RatesOfTemperature
    centre: np.ndarray
    sigma: np.ndarray
    cutoff: Cutoff
    cutoffs: np.ndarray
    samples: Samples

    def rows(self) -> dict[str, np.ndarray]:
        """Return the parameters by their names, energies from the centre, shape (1 + R,)."""
        rates = self.rates
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = (self.centre - rates.crossover) / self.sigma**2
            kappa = rates.entropic / rates.lam / entropy
        return {
            "centre": self.centre,
            "sigma": self.sigma,
            "lam": rates.lam,
            "crossover": rates.crossover - self.centre,
            "entropic_factor": kappa,
            "rate_prefactor": np.exp(rates.log_prefactor),
            "last_barrier": rates.barrier,
        }

    def error(self, values: np.ndarray) -> np.ndarray:
        """Return the farther side of the interval of choices, which a few far ones do not move.

        kappa and Gamma_0 are skewed: half of the interval would be too small on one side.
        """
        lower, upper = self.samples.interval(values, pelplug.ONE_SIGMA)
        return np.maximum(upper - values[0], values[0] - lower)

    def landscape(self, beta: float, row: int, sigma_gamma: float = 0.0) -> pelplug.TrapLandscape | None:
        """Return the landscape at one temperature, None where its rates rise with depth.

        At one temperature prefactor and last barrier are one number, and so are lambda and kappa.
        """
        rates, at = self.rates, np.array([beta])
        slope = float(rates.slope(at)[0, row])
        if not (slope >= 0.0 and np.isfinite(self.sigma[row])):
            return None
        centre = float(self.centre[row])
        return pelplug.TrapLandscape(
            sigma=float(self.sigma[row]),
            lam=slope / beta,
            crossover=float(rates.crossover[row]) - centre,
            entropic_factor=0.0,
            rate_prefactor=float(np.exp(rates.plateau(at)[0, row])),
            cutoff=min(float(self.cutoffs[row]) - centre, -1e-6),
            sigma_gamma=sigma_gamma,
            plateau=rates.seen,
        )

    def log_moments(self, beta: np.ndarray) -> np.ndarray:
        """Return ln <Gamma> and ln <1/Gamma> over ``G(e) exp(-beta e)``, shape (2, temperatures, 1 + R).

        Times Gamma**n this is a Gaussian below the crossover, and one above. NaN where rates rise with depth.
        """
        rates, width, power = self.rates, self.sigma, np.array([1.0, -1.0])[:, None, None]
        peak = self.centre - beta[:, None] * width**2
        tilt = power * rates.slope(beta)
        moved = peak + tilt * width**2
        cutoff = np.minimum(self.cutoffs, self.centre - 1e-6)
        turn = np.maximum(rates.crossover, cutoff) if rates.seen else np.inf  # without one the slope goes on
        ends = [(one - moved) / width for one in (cutoff, turn)]
        below = tilt * (peak - rates.crossover) + 0.5 * (tilt * width) ** 2 + _log_between(*ends)
        above = special.log_ndtr((peak - turn) / width)
        moment = np.logaddexp(below, above) - special.log_ndtr((peak - cutoff) / width)
        return np.where(rates.slope(beta) >= 0.0, power * rates.plateau(beta) + moment, np.nan)

    def exponent(self) -> np.ndarray:
        """Return xi = d ln(<Gamma> <1/Gamma>) / d ln <1/Gamma> along the temperature, shape (temperatures, 1 + R)."""
        up, down = (self.log_moments(self.beta * (1.0 + sign * _STEP)) for sign in (1, -1))
        first, second = up - down
        with np.errstate(divide="ignore", invalid="ignore"):
            return (first + second) / second


def _log_between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return ln of the share of a normal distribution between two places; -inf of none."""
    low, high = np.broadcast_arrays(low, high)
    turned = low > 0.0  # the far tail without cancellation
    less, more = np.where(turned, -high, low), np.where(turned, -low, high)
    more = special.log_ndtr(more)
    with np.errstate(divide="ignore"):
        return more + np.log(-np.expm1(np.minimum(special.log_ndtr(less) - more, 0.0)))


def fit_walk(records: list[Record], barrier: float | None) -> WalkLaw:
    """Fit Gamma(e, T), the Gaussian and its cutoff to the metabasins of all temperatures.

    Parameters
    ----------
    records : list of Record
        By temperature.
    barrier : float or None
        V_0 where it is known [energy].
    """
    beta = np.array([one.beta for one in records])
    rates = fit_rates(beta, *binned(records), barrier)
    middle = float(np.mean([one.energy.mean() for one in records]))  # squares of large numbers lose digits
    sums = np.stack([_sums(one, middle) for one in records])
    ends = [
        float(some) - middle for some in (min(r.energy.min() for r in records), max(r.energy.max() for r in records))
    ]

    def log_rate(energy):
        return rates.log_rate(energy + middle, beta)

    def rate_of_all(energy):  # on a grid too fine for all choices
        return rates.of_all().log_rate(energy + middle, beta)[:, 0]

    cut, found = ends[0], None
    for _ in range(2):  # the cutoff changes the Gaussian little
        centre, sigma = fit_gaussian(beta, sums, log_rate, cut, *ends)
        of_all = centre[0], sigma[0]
        found = fit_cutoff(beta, sums[:, 0, 0], rate_of_all, *of_all, *ends)
        cut = found.value
    moved = {name: getattr(found, name) + middle for name in ("lowest", "value", "lower", "upper")}
    rng = np.random.default_rng(sigma.size)
    cutoffs = np.r_[found.value, found.quantile(rng.random(sigma.size - 1))] + middle
    fewest = min((one.samples for one in records), key=lambda some: some.samples)
    found = dataclasses.replace(found, **moved, energy=found.energy + middle)
    return WalkLaw(beta, rates, centre + middle, sigma, found, cutoffs, fewest)


def _sums(one: Record, middle: float) -> np.ndarray:
    energy = one.energy - middle
    return one.samples.total(np.stack([one.ends, one.ends * energy, one.ends * energy**2], axis=1))
