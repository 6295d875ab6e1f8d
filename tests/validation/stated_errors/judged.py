"""What the stated errors of many independent sets of data are worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

__all__ = [
    "NINETY",
    "ONE_SIGMA",
    "POOLED",
    "Row",
    "Stated",
    "Subject",
    "band",
    "confidence_of",
    "draws",
    "error",
    "interval",
    "judge",
    "rows",
]

ONE_SIGMA = 0.6826894921370859
NINETY = 0.9
POOLED = (0.63, 0.73)
"""Share of all one-sigma errors together that must hold."""
_WITHIN = 0.999


@dataclasses.dataclass(frozen=True)
class Stated:
    """A number of a result beside the truth.

    Attributes
    ----------
    value, truth : float
    low, high : float
        What the result says the truth lies between; NaN where it says nothing.
    """

    value: float
    truth: float
    low: float
    high: float


def error(value, stated, truth) -> Stated:
    """Return a number with one stated standard error."""
    value, stated = float(value), float(stated)
    return Stated(value, float(truth), value - stated, value + stated)


def interval(value, bounds, truth) -> Stated:
    """Return a number with a stated interval."""
    return Stated(float(value), float(truth), *map(float, bounds))


@dataclasses.dataclass(frozen=True)
class Subject:
    """Data of one law, and the analysis that they go through.

    Attributes
    ----------
    name : str
        Without spaces; what ``-k`` chooses by.
    analysis : str
        Name of the analysis.
    law : str
        The data, in words.
    sets, seed : int
        How many independent sets; the first seed, from which they count up.
    quantities : tuple of str
        What `draw` gives. A quantity whose name ends in ``90 %`` has intervals of that confidence.
    draw : callable
        ``draw(seed)`` makes one set of data, analyses it and returns what was stated, by quantity.
    """

    name: str
    analysis: str
    law: str
    sets: int
    seed: int
    quantities: tuple[str, ...]
    draw: Callable[[int], Mapping[str, Stated]]


@dataclasses.dataclass(frozen=True)
class Row:
    """What the sets tell of one quantity.

    Attributes
    ----------
    sets, unstated : int
        Sets of data, and those of them for which no error was stated.
    confidence : float
        Share of errors that should hold.
    share : float
        Share of the stated errors that hold; NaN where none is stated.
    low, high : float
        The share's band.
    scatter, bias : float
        Standard deviation and mean of value less truth, over the mean stated standard error.
    """

    sets: int
    unstated: int
    confidence: float
    share: float
    low: float
    high: float
    scatter: float
    bias: float

    @property
    def holds(self) -> bool:
        """Whether the share lies within its band."""
        return bool(self.low <= self.share <= self.high)

    @property
    def is_mostly_stated(self) -> bool:
        """Whether at least half of the sets gave an error."""
        return 2 * self.unstated <= self.sets


def band(number: int, confidence: float) -> tuple[float, float]:
    """Return the shares between which a binomial lies with a probability of 99.9 %."""
    tail = 0.5 * (1.0 - _WITHIN)
    low, high = stats.binom.ppf([tail, 1.0 - tail], number, confidence)
    return float(low / number), float(high / number)


def judge(stated: list[Stated], confidence: float = ONE_SIGMA, scale: float = 1.0) -> Row:
    """Return what many sets tell of one quantity.

    Parameters
    ----------
    stated : list of Stated
        One a set.
    confidence : float
        Share that should hold.
    scale : float
        Multiplies every stated error.
    """
    value, truth, low, high = np.array([dataclasses.astuple(one) for one in stated]).T
    low, high = value + scale * (low - value), value + scale * (high - value)
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(value)
    number = int(known.sum())
    if number == 0:
        nothing = float("nan")
        return Row(len(stated), len(stated), confidence, nothing, nothing, nothing, nothing, nothing)
    inside = (low <= truth) & (truth <= high)
    standard = (high - low)[known].mean() / (2.0 * stats.norm.ppf(0.5 * (1.0 + confidence)))
    off = (value - truth)[known]
    scatter = off.std(ddof=1) if number > 1 else np.nan
    return Row(
        sets=len(stated),
        unstated=len(stated) - number,
        confidence=confidence,
        share=float(inside[known].mean()),
        low=band(number, confidence)[0],
        high=band(number, confidence)[1],
        scatter=float(scatter / standard),
        bias=float(off.mean() / standard),
    )


def draws(subject: Subject, sets: int | None = None) -> dict[str, list[Stated]]:
    """Return what was stated of each quantity in all sets of a subject, or in the first ones."""
    number = subject.sets if sets is None else min(sets, subject.sets)
    found = [subject.draw(subject.seed + k) for k in range(number)]
    strange = {name for one in found for name in one} ^ set(subject.quantities)
    if strange:
        raise ValueError(f"{subject.name} gives other quantities than it declares: {', '.join(sorted(strange))}")
    return {name: [one[name] for one in found] for name in subject.quantities}


def confidence_of(quantity: str) -> float:
    """Return how often what is stated of a quantity should hold."""
    return NINETY if quantity.endswith("90 %") else ONE_SIGMA


def rows(stated: Mapping[str, list[Stated]], scale: float = 1.0) -> dict[str, Row]:
    """Return a row a quantity."""
    return {name: judge(sets, confidence_of(name), scale) for name, sets in stated.items()}
