"""Takes an energy series piece by piece and gives its mean-squared differences."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_msed.blocks import Runs, SeriesBlocks
from pelplug_msed.correlator import Correlator, squared_differences

__all__ = ["Accumulator"]


class Accumulator:
    """The one place through which energies go, whatever they come from.

    Parameters
    ----------
    origin : EnergyOrigin
        What is known of the series.
    segments : EnergySegments
        How the series is cut.
    phi_lags : sequence of float or None
        Lags of the distributions [time]; None for 1, 10, 100, ... entries.
    keep : bool
        Keep the series, for the FFT.
    """

    def __init__(self, origin, segments, phi_lags=None, keep: bool = False):
        self.origin, self.segments, self.phi_lags, self.keep = origin, segments, phi_lags, keep
        self.correlator: Correlator | None = None
        self._pieces: list[list[np.ndarray]] = []
        self._runs = [0]  # with which piece each begins

    def add(self, energy: np.ndarray, begins: bool) -> None:
        """Take the next energies; ``begins`` tells whether they follow the last ones."""
        if self.correlator is None:
            self.correlator = Correlator(self._histogram_lags())
        if begins or len(self._pieces) == self._runs[-1]:
            self.correlator.cut()
            self._pieces.append([])
        self.correlator.add(energy)
        if self.keep:
            self._pieces[-1].append(energy)

    def begin_run(self) -> None:
        """Get ready for another run."""
        self._runs.append(len(self._pieces))

    def run_moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of the energies of each run, shape (runs,)."""
        runs = [np.concatenate(run) for run in self._by_run()]
        return np.array([run.mean() for run in runs]), np.array([run.var() for run in runs])

    def check(self) -> None:
        """Refuse a series that is too short, unequally spaced or constant."""
        pairs = 0 if self.correlator is None else self.correlator.pairs
        self.segments.check(pairs)
        correlator = self.correlator
        if correlator.variance() <= (1e-14 * correlator.mean()) ** 2:
            raise pelplug.InputError(
                f"The energies of {self.origin.source} are constant ({correlator.mean():.10g}), so that there are no "
                "differences; was the right column chosen?"
            )

    def differences(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return lags [entries], mean-squared differences [energy**2] and how many differences are in each."""
        lags = self.correlator.lags()
        sums, counts = self.correlator.totals()
        if self.keep:
            sums, counts = np.zeros(len(lags)), np.zeros(len(lags), np.int64)
            for pieces in self._pieces:
                if sum(map(len, pieces)) > 1:
                    more = squared_differences(np.concatenate(pieces), lags)
                    sums, counts = sums + more[0], counts + more[1]
        # A handful of differences at the end of the series says nothing.
        longest = max(sum(map(len, run)) for run in self._by_run()) if self.keep else self.correlator.n
        shown = lags <= max(longest // 2, 1)
        return lags[shown], (sums / counts)[shown], counts[shown]

    def blocks(self) -> Correlator | SeriesBlocks | Runs:
        """Return what gives the sums of `differences` in blocks, for errors: runs, where there are at least five."""
        if not self.keep:
            return self.correlator
        runs, lags = self._by_run(), self.correlator.lags()
        if len(runs) >= pelplug.FEWEST_FOR_INTERVAL:
            return Runs(runs, lags)
        return SeriesBlocks([segment for run in runs for segment in run], lags)

    def course(self, blocks: int) -> tuple[np.ndarray, int]:
        """Return the means of successive blocks, of several runs the mean over them, and the entries of one run."""
        if len(self._runs) == 1:
            moments = self.correlator.blocks(at_most=blocks)[2]
            return moments[:, 1] / moments[:, 0], self.correlator.n
        whole = [np.concatenate(run) for run in self._by_run()]
        length = min(map(len, whole))
        if length < blocks:
            return np.empty(0), length
        each = [pelplug.block_sums(one[:length], blocks) for one in whole]
        return np.mean(each, axis=0) / pelplug.block_sums(np.ones(length), blocks), length

    def _by_run(self) -> list[list[np.ndarray]]:
        segments = [np.concatenate(pieces) for pieces in self._pieces]
        ends = [*self._runs[1:], len(segments)]
        return [segments[first:last] for first, last in zip(self._runs, ends, strict=True)]

    def state(self) -> dict[str, np.ndarray]:
        """Return all there is as arrays; not for a series that is kept."""
        return {} if self.correlator is None else self.correlator.state()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state` was taken."""
        if state:
            self.correlator = Correlator.restore(state)
            self._pieces.append([])  # the series has begun: it goes on where it was, without a cut

    def _histogram_lags(self) -> list[int]:
        if self.phi_lags is None:
            return [10**k for k in range(7)]
        if self.segments.spacing is None or self.origin.time_step is None:
            raise pelplug.InputError(
                f"The time between entries is not told by {self.origin.source}, so that lags cannot be found in it; "
                "pass --time-step."
            )
        entry = self.segments.spacing * self.origin.time_step
        return [max(1, round(lag / entry)) for lag in self.phi_lags]
