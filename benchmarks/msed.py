"""Mean-squared energy difference: by FFT and by multi-tau, against the direct sum over all time origins.

    python benchmarks/msed.py [-n 200000] [--long 10000000] [--rounds 3]

The direct peer is the double loop over lags and time origins, the inner loop in NumPy. It takes every lag up to half
the series, as FFT does; it is timed on some lags, drawn from all of them, and scaled to their number. Values are
compared at these lags. Multi-tau gives the lags of its levels only. Times are processor time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.signal
from pelplug_msed.correlator import Correlator, squared_differences


def clock(function, *arguments):
    """Return processor seconds and the result."""
    begin = time.process_time()
    result = function(*arguments)
    return time.process_time() - begin, result


def direct(series, lags):
    """Return mean-squared differences at some lags, one after the other."""
    return np.array([np.mean((series[lag:] - series[:-lag]) ** 2) for lag in lags])


def streamed(series):
    """Return the correlator of a series."""
    correlator = Correlator([1, 100])
    correlator.add(series)
    return correlator


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=200_000, help="entries of the comparison")
    parser.add_argument("--long", type=int, default=10_000_000, help="entries of the long series; 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    memory = np.exp(-1e-3)

    def energies(n):
        return scipy.signal.lfilter([1.0], [1.0, -memory], rng.normal(size=n))

    streamed(energies(100))
    series = energies(options.n)
    every = np.arange(1, options.n // 2)
    drawn = np.sort(rng.choice(every, 200, replace=False))
    print("| round | direct, all lags | FFT, all lags | ratio | multi-tau | ratio |\n|---|---|---|---|---|---|")
    for number in range(1, options.rounds + 1):
        slow, expected = clock(direct, series, drawn)
        slow *= len(every) / len(drawn)
        fast, (sums, counts) = clock(squared_differences, series, every)
        stream, _ = clock(streamed, series)
        worst = np.max(np.abs((sums / counts)[drawn - 1] / expected - 1.0))
        assert worst < 1e-9, worst
        print(
            f"| {number} | {slow:.1f} s | {fast:.4f} s | {slow / fast:.0f} | {stream:.4f} s | {slow / stream:.0f} |",
            flush=True,
        )
    print(f"\nn = {options.n}, {len(every)} lags; largest relative difference {worst:.1e}")
    if options.long:
        series = energies(options.long)
        lags = streamed(series[:1]).lag_of_level.ravel()
        fast, _ = clock(squared_differences, series, np.unique(lags[lags < options.long // 2]))
        stream, _ = clock(streamed, series)
        print(f"n = {options.long}: FFT {fast:.2f} s, multi-tau {stream:.2f} s")


if __name__ == "__main__":
    main()
