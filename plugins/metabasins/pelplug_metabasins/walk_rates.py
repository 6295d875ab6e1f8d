"""Gamma(e, T) of Rehwald and Heuer's Eq. 1 fitted to the metabasins of all temperatures together."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["RatesOfTemperature", "fit_rates"]

_CROSSOVERS = 25
_TAIL = 0.02
_NARROWER = (1.0, 0.25)  # steps of the search for the crossover


@dataclasses.dataclass(frozen=True)
class RatesOfTemperature:
    """``ln Gamma = ln Gamma_0 - beta V_0 + (lambda beta - B) min(e - e_c, 0)``, of all and of each choice.

    Attributes
    ----------
    log_prefactor, barrier, lam, entropic, crossover : ndarray, shape (1 + R,)
        ln Gamma_0, V_0 [energy], lambda, B = lambda kappa k [1 / energy], e_c [energy].
    seen : bool
        Whether the waiting times show a crossover; else it is at the highest energy.
    """

    log_prefactor: np.ndarray
    barrier: np.ndarray
    lam: np.ndarray
    entropic: np.ndarray
    crossover: np.ndarray
    seen: bool

    def of_all(self) -> RatesOfTemperature:
        """Return the same without the choices."""
        rows = (self.log_prefactor, self.barrier, self.lam, self.entropic, self.crossover)
        return RatesOfTemperature(*(row[:1] for row in rows), self.seen)

    def plateau(self, beta: np.ndarray) -> np.ndarray:
        """Return ln of the rate above the crossover, shape (temperatures, 1 + R)."""
        return self.log_prefactor - np.asarray(beta)[:, None] * self.barrier

    def slope(self, beta: np.ndarray) -> np.ndarray:
        """Return d ln Gamma / de below the crossover, shape (temperatures, 1 + R) [1 / energy]."""
        return np.asarray(beta)[:, None] * self.lam - self.entropic

    def log_rate(self, energy: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """Return ln Gamma, shape (temperatures, 1 + R, energies)."""
        depth = np.minimum(energy - self.crossover[:, None], 0.0)
        return self.plateau(beta)[..., None] + self.slope(beta)[..., None] * depth


def fit_rates(
    beta: np.ndarray, energy: np.ndarray, number: np.ndarray, time: np.ndarray, barrier: float | None
) -> RatesOfTemperature:
    """Maximise ``sum n ln Gamma - Gamma t`` over all temperatures, as `rates.fit_rate` does at one.

    Parameters
    ----------
    beta : ndarray, shape (J,)
        [1 / energy]
    energy : ndarray, shape (K,)
        Of the bins [energy].
    number, time : ndarray, shape (J, 1 + R, K)
        Jumps and time [time] in each.
    barrier : float or None
        V_0 where it is known [energy].

    Notes
    -----
    A consistent estimate of 1/<tau(e)> whatever the distribution of waiting times at an energy. At a given crossover it
    is concave in the other parameters (a Poisson regression); the crossover is searched where at least 2 % of the jumps
    of all temperatures lie on either side.
    """
    jumps = number[:, 0].sum(axis=0)
    share = np.cumsum(jumps) / jumps.sum()
    grid = np.linspace(*np.interp([_TAIL, 1.0 - _TAIL], share, energy), _CROSSOVERS)
    fit = _Regression(beta, energy, number, time, barrier)
    value, theta = [], None
    for c in grid:  # the parameters change little from one to the next
        one, theta = fit.at(np.full(number.shape[1], c), theta)
        value.append(one)
    likelihood = np.stack(value)
    best = np.argmax(likelihood, axis=0)
    inside = (best > 0) & (best < _CROSSOVERS - 1)
    seen = bool(inside[0] and inside.mean() > 2 / 3)
    crossover = grid[best] if seen else np.full(number.shape[1], energy.max())
    if seen:
        step = grid[1] - grid[0]
        for narrower in _NARROWER:  # in steps wider than its error the likelihood is no parabola
            beside = step * narrower
            here = [fit.at(crossover + k * beside, theta, last=True) for k in (-1, 0, 1)]
            (before, _), (middle, theta), (after, _) = here
            curved = 2 * middle - before - after
            moved = np.divide(after - before, 2 * curved, out=np.zeros(curved.shape), where=curved > 0)
            crossover = crossover + np.where(inside, np.clip(moved, -1.0 / narrower, 1.0 / narrower), 0.0) * beside
    _, theta = fit.at(crossover, theta, last=True)
    return RatesOfTemperature(*fit.parameters(theta), crossover, seen)


class _Regression:
    def __init__(self, beta, energy, number, time, barrier):
        self.middle, self.known, self.energy = float(beta.mean()), barrier, energy
        self.away = (beta - self.middle)[:, None, None]
        self.number, self.time = number, time
        # ln Gamma is a plateau and a slope times the depth at each temperature, both linear in the parameters.
        away, one, none = beta - self.middle, np.ones(beta.size), np.zeros(beta.size)
        columns = [[one, none], [none, one], [none, away], [-away, none]]
        self.design = np.moveaxis(columns if barrier is None else columns[:3], 0, -1)  # shape (2, J, p)

    def parameters(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return ln Gamma_0, V_0, lambda and B."""
        plateau, slope, lam = theta[:, 0], theta[:, 1], theta[:, 2]
        barrier = theta[:, 3] if self.known is None else np.full(len(theta), self.known)
        return plateau + barrier * self.middle, barrier, lam, lam * self.middle - slope

    def at(self, crossover: np.ndarray, start: np.ndarray | None, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the greatest likelihood at crossovers, shape (1 + R,), and the parameters, shape (1 + R, p)."""
        x = np.minimum(self.energy - crossover[:, None], 0.0)
        offset = 0.0 if self.known is None else -self.known * self.away
        number = np.stack([self.number.sum(axis=-1), np.einsum("jrk,rk->jr", self.number, x)])
        theta = np.zeros((len(crossover), self.design.shape[-1])) if start is None else start.copy()
        if start is None:
            theta[:, 0] = np.log(number[0].sum(axis=0) / (self.time * np.exp(offset)).sum(axis=(0, 2)))
        ridge = 1e-10 * np.eye(theta.shape[1])
        for _ in range(60):
            _, weight = self._expected(theta, x, offset)
            sums = np.stack([np.einsum("jrk,rk->jr", weight, x**power) for power in range(3)])
            gradient = np.einsum("cjr,cjp->rp", number - sums[:2], self.design)
            square = np.stack([sums[:2], sums[1:]])
            curvature = np.einsum("cdjr,cjp,djq->rpq", square, self.design, self.design, optimize=True)
            scale = np.sqrt(np.einsum("rpp->rp", curvature)) + 1e-300
            curvature = curvature / (scale[:, :, None] * scale[:, None, :]) + ridge
            step = np.linalg.solve(curvature, (gradient / scale)[..., None])[..., 0] / scale
            ends = np.einsum("cjp,rp->cjr", self.design, step)  # ln Gamma changes most at one end of the energies
            change = np.maximum(np.abs(ends[0]), np.abs(ends[0] + ends[1] * x[:, 0])).max(axis=0)
            theta += step * np.minimum(1.0, 2.0 / np.maximum(change, 1e-300))[:, None]
            if change.max() < (1e-7 if last else 1e-3):
                break
        (plateau, slope), weight = self._expected(theta, x, offset)
        plateau = plateau + np.asarray(offset).reshape(-1, 1)
        return (number[0] * plateau + number[1] * slope - weight.sum(axis=-1)).sum(axis=0), theta

    def _expected(self, theta: np.ndarray, x: np.ndarray, offset) -> tuple[np.ndarray, np.ndarray]:
        """Return ln Gamma above the crossover and its slope below, shape (2, J, 1 + R), and the jumps expected."""
        line = np.einsum("cjp,rp->cjr", self.design, theta)
        log = line[0][..., None] + offset + line[1][..., None] * x
        return line, self.time * np.exp(np.minimum(log, 60.0))
