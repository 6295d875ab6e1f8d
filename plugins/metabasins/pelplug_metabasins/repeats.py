"""What records of the same length would give, drawn from the fitted law: how far one may be from the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import special

import pelplug
from pelplug_metabasins.law import Law
from pelplug_metabasins.moments import excess, plain_moments

__all__ = ["HALF", "Repeats", "repeat", "repeat_by_energy"]

HALF = 0.5
"""Share of <tau^2> in one metabasin, above which no error is stated."""
_NODES, _WEIGHTS = special.roots_hermitenorm(13)
_RECORDS = 200
_COARSER = 4  # energies of the law taken together where S0 is summed
_WORK = 4_000_000  # waiting times drawn at most


@dataclasses.dataclass(frozen=True)
class Repeats:
    """Records drawn from the law fitted to the metabasins, each from another choice of them; shape (J, ...).

    Attributes
    ----------
    mean, relaxation, square : ndarray, shape (J,)
        What a record gives of <tau>, tau_alpha and <tau^2>, over the truth of the law that it was drawn from.
    longest : ndarray, shape (J,)
        Share of <tau^2> in the longest metabasin.
    persistence, density : ndarray, shape (J, m)
        What it gives of S0 at some times, and of the time spent in bins of energy, less the truth.
    """

    mean: np.ndarray
    relaxation: np.ndarray
    square: np.ndarray
    longest: np.ndarray
    persistence: np.ndarray
    density: np.ndarray

    def relative(self, name: str) -> float:
        """Return by what part of itself a value of `name` differs from the truth, in 68 of 100 records.

        Only records count of which an error would be stated; NaN if they are few.
        """
        return _within(np.abs(1.0 / getattr(self, name) - 1.0))

    def rate(self) -> float:
        """Return by what part of itself the rate of jumps differs from the truth, in 68 of 100 records."""
        return _within(np.abs(1.0 - self.mean))

    def absolute(self, name: str) -> np.ndarray:
        """Return by how much S0 or the density differs from the truth, in 68 of 100 records."""
        return _within(np.abs(getattr(self, name)))


def repeat(law: Law, number: int, times: np.ndarray, edges: np.ndarray, seed: int) -> Repeats:
    """Draw records of as many metabasins as there are.

    Parameters
    ----------
    law : Law
        Fitted; its resamples carry what is not known of it.
    number : int
        Metabasins of the record.
    times : ndarray, shape (m,)
        Of S0 [time].
    edges : ndarray, shape (bins + 1,)
        Bins of energy [energy].
    seed : int
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    mean, square = law.moments()
    rows = np.flatnonzero(np.isfinite(mean) & np.isfinite(square))[1:]
    rows = np.tile(rows, -(-_RECORDS // len(rows)))[: int(np.clip(_WORK // number, 40, _RECORDS))]
    run = np.zeros(number, dtype=int)
    ratios = np.empty((4, len(rows)))
    persistence = np.empty((len(rows), len(times)))
    density = np.empty((len(rows), len(edges) - 1))
    for k, row in enumerate(rows):
        energy, stay = law.draw(row, number, rng)
        one, relaxation, longest = plain_moments(stay, run)
        truth = square[row] / (2 * mean[row])
        ratios[:, k] = one / mean[row], relaxation / truth, one * relaxation / (mean[row] * truth), longest
        persistence[k] = excess(stay, times) / np.maximum(stay.sum() - times, 1e-9 * stay.sum())
        persistence[k] -= _law_of_persistence(law, row, times)
        density[k] = np.histogram(energy, edges, weights=stay)[0] / stay.sum() - _law_of_density(law, row, edges)
    return Repeats(*ratios, persistence, density / np.diff(edges))


def repeat_by_energy(broadening: np.ndarray, number: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how far mean waiting times and broadenings of bins may be from the truth.

    Parameters
    ----------
    broadening : ndarray, shape (1 + R,)
        sigma_gamma**2 of the law, and of its resamples.
    number : ndarray of int, shape (bins,)
        Metabasins in each bin; none where nothing is said.

    Returns
    -------
    mean : ndarray, shape (bins,)
        Part of itself, in 68 of 100 records.
    broadening : ndarray, shape (bins,)
        In 68 of 100 records in which no metabasin has most of <tau^2> of the bin.
    """
    rng = np.random.default_rng(seed)
    used = np.flatnonzero(number)
    sizes, starts = number[used], np.cumsum(number[used]) - number[used]
    rows = np.tile(broadening[1:], -(-_RECORDS // (len(broadening) - 1)))
    rows = rows[: int(np.clip(_WORK // max(sizes.sum(), 1), 40, _RECORDS))]
    means, widths, longest = (np.empty((len(rows), len(used))) for _ in range(3))
    for k, variance in enumerate(rows):
        log_rate = np.sqrt(variance) * rng.normal(size=sizes.sum()) + variance / 2
        stay = rng.exponential(size=sizes.sum()) * np.exp(-log_rate)
        first, second = np.add.reduceat(stay, starts) / sizes, np.add.reduceat(stay**2, starts) / sizes
        means[k], widths[k] = first, np.log(second / (2 * first**2)) - variance
        longest[k] = np.maximum.reduceat(stay**2, starts) / (sizes * second)
    found = np.full((2, len(number)), np.nan)
    found[0, used] = _within(np.abs(1.0 / means - 1.0))
    for column, place in enumerate(used):
        kept = longest[:, column] <= HALF
        if kept.mean() > 0.1:
            found[1, place] = _within(np.abs(widths[kept, column]))
    return found[0], found[1]


def _within(deviation: np.ndarray):
    return np.quantile(deviation, pelplug.ONE_SIGMA, axis=0)


def _law_of_persistence(law: Law, row: int, times: np.ndarray) -> np.ndarray:
    """Return S0(t) of a law: exp(-gamma t) over the rates at which the time is spent."""
    sigma = np.sqrt(law.broadening[row])
    places = np.arange(0, len(law.energy), _COARSER)
    spent = np.add.reduceat(law.share[row] * np.exp(law.log_rate[row].min() - law.log_rate[row]), places)
    kept = spent > 1e-9 * spent.max()
    log_rate = law.log_rate[row, np.minimum(places + _COARSER // 2, len(law.energy) - 1)][kept]
    # The time spent at a rate is the share of metabasins over it, which moves the Gaussian of ln(rate) by sigma^2.
    rate = np.exp(log_rate[:, None] + sigma * _NODES - sigma**2 / 2).ravel()
    share = (spent[kept, None] * _WEIGHTS).ravel()
    return np.exp(-np.outer(times, rate)) @ share / share.sum()


def _law_of_density(law: Law, row: int, edges: np.ndarray) -> np.ndarray:
    """Return the share of the time spent in each bin of energy."""
    spent = law.share[row] * np.exp(law.log_rate[row].min() - law.log_rate[row])
    width = law.energy[1] - law.energy[0]
    heap = np.r_[0.0, np.cumsum(spent)] / spent.sum()
    return np.diff(np.interp(edges, np.r_[law.energy - width / 2, law.energy[-1] + width / 2], heap))
