"""Takes an energy series piece by piece and gives its mean-squared differences."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

import pelplug
from pelplug_msed.correlator import Correlator, SeriesBlocks, squared_differences
from pelplug_msed.series import Chunk, Cutter, Origin, gathered

__all__ = ["Accumulator"]

_CUTTER = ("spacing", "dropped", "segments", "entries", "_first", "_last", "_whole")


class Accumulator:
    """The one place through which energies go, whatever they come from.

    Parameters
    ----------
    origin : Origin
        What is known of the series.
    phi_lags : sequence of float or None
        Lags of the distributions [time]; None for 1, 10, 100, ... entries.
    keep : bool
        Keep the series, for the FFT.
    spacing : float, optional
        Steps or time between entries.
    """

    def __init__(self, origin: Origin, phi_lags=None, keep: bool = False, spacing: float | None = None):
        self.origin, self.phi_lags, self.keep = origin, phi_lags, keep
        self.cutter = Cutter(origin, spacing)
        self.correlator: Correlator | None = None
        self._segments: list[list[np.ndarray]] = []

    def take(self, chunks: Iterable[Chunk]) -> Accumulator:
        """Take a whole series and refuse what is not one."""
        for chunk in gathered(chunks):
            self.add(chunk)
        return self

    def add(self, chunk: Chunk) -> None:
        """Take the next entries."""
        for begins, energy in self.cutter.pieces(chunk):
            if self.correlator is None:
                self.correlator = Correlator(self._histogram_lags())
            if begins:
                self.correlator.cut()
                self._segments.append([])
            self.correlator.add(energy)
            if self.keep:
                self._segments[-1].append(energy)

    def check(self) -> None:
        """Refuse a series that is too short, unequally spaced or constant."""
        pairs = 0 if self.correlator is None else self.correlator.pairs
        self.cutter.check(pairs)
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
            for pieces in self._segments:
                if sum(map(len, pieces)) > 1:
                    more = squared_differences(np.concatenate(pieces), lags)
                    sums, counts = sums + more[0], counts + more[1]
        # A handful of differences at the end of the series says nothing.
        shown = lags <= max(self.correlator.n // 2, 1)
        return lags[shown], (sums / counts)[shown], counts[shown]

    def blocks(self) -> Correlator | SeriesBlocks:
        """Return what gives the sums of `differences` in blocks, for errors."""
        if not self.keep:
            return self.correlator
        return SeriesBlocks([np.concatenate(pieces) for pieces in self._segments], self.correlator.lags())

    def state(self) -> dict[str, np.ndarray]:
        """Return all there is as arrays; not for a series that is kept."""
        cutter = {name.strip("_"): getattr(self.cutter, name) for name in _CUTTER}
        text = json.dumps({key: value.item() if hasattr(value, "item") else value for key, value in cutter.items()})
        state = {"cutter": np.array(text)}
        if self.correlator is not None:
            state |= {f"correlator_{name}": value for name, value in self.correlator.state().items()}
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state` was taken."""
        cutter = json.loads(str(state["cutter"]))
        for name in _CUTTER:
            setattr(self.cutter, name, cutter[name.strip("_")])
        prefix = "correlator_"
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        self.correlator = Correlator.restore(own) if own else None

    def _histogram_lags(self) -> list[int]:
        if self.phi_lags is None:
            return [10**k for k in range(7)]
        if self.cutter.spacing is None or self.origin.time_step is None:
            raise pelplug.InputError(
                f"The time between entries is not told by {self.origin.source}, so that lags cannot be found in it; "
                "pass --time-step."
            )
        entry = self.cutter.spacing * self.origin.time_step
        return [max(1, round(lag / entry)) for lag in self.phi_lags]
