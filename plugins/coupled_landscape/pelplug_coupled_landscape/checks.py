"""What options of the study must be, refused before any work."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_coupled_landscape.lattice import Lattice, largest_rate

__all__ = ["by_temperature", "couplings", "finite", "once", "one_source", "ratios", "scaled", "times", "unused"]

LARGEST = 600.0  # logarithm of what a number holds, its square and its inverse too
POWER = (2.0,)  # default of the exponent and the range of the coupling power
SCALED = 0.1  # default of q at the highest temperature where it is a power of <Gamma>
FEWEST = 100  # active processes to expect in a run


def once(what: str, values) -> np.ndarray:
    """Return values as an array, each once.

    Raises
    ------
    InputError
        If there is none, or one twice.
    """
    found = np.array(values, dtype=float)
    if not found.size:
        raise pelplug.InputError(f"No {what} is given; give one at least.")
    twice = sorted(one for one in set(found.tolist()) if np.count_nonzero(found == one) > 1)
    if twice:
        raise pelplug.InputError(f"The {what} {twice[0]:g} is given twice; give it once.")
    return found


def couplings(q, default, rule: str, landscape, temperatures, lattice: Lattice) -> np.ndarray:
    """Return the values of q; those of the rule ``rate`` are over the largest rate at any temperature by default.

    Raises
    ------
    InputError
        If one does not fit its rule, or there is nothing to couple.
    """
    if q == "auto":
        if lattice.systems == 1:
            return np.zeros(1)
        fastest = max(largest_rate(landscape, one) for one in temperatures) if rule == "rate" else 1.0
        if not np.isfinite(fastest):
            raise pelplug.InputError(
                "Without a plateau the rates have no largest one, and q~ Gamma(e) is above 1 for some energies; use "
                "--plateau, or another --rule."
            )
        # less than 1 in the last bits, which the largest rate is known to
        return np.array(default) / fastest * (1.0 - 1e-12 if rule == "rate" else 1.0)
    found = once("q", sorted(q))
    if rule != "rate" and found[-1] > 1.0:
        raise pelplug.InputError(f"A coupling q is a probability, not {found[-1]:g}; give --q between 0 and 1.")
    if lattice.systems == 1 and found[-1] > 0.0:
        raise pelplug.InputError("One system alone is coupled to nothing; give --q 0, or --side 3 or more.")
    return found


def finite(landscape, temperatures) -> tuple[np.ndarray, np.ndarray]:
    """Return <Gamma> and tau_alpha without coupling at each temperature.

    Raises
    ------
    InputError
        If a number does not hold them.
    """
    logs = {n: landscape.log_moment(n, temperatures) for n in (1.0, -1.0)}
    rate, time = logs[1.0], logs[-1.0] + landscape.sigma_gamma**2
    beyond = ~((np.abs(rate) < LARGEST) & (np.abs(time) < LARGEST))
    if beyond.any():
        k = int(np.flatnonzero(beyond)[0])
        smaller = " or a smaller --sigma-gamma" if landscape.sigma_gamma > 1.0 else ""
        raise pelplug.InputError(
            f"At T = {temperatures[k]:g} <Gamma> or <1/Gamma> is more than a number holds; give higher --temperatures, "
            f"a higher --cutoff{smaller}."
        )
    return np.exp(rate), np.exp(time)


def unused(rule: str, width, coupling, exponent, r_max, scaled_q) -> None:
    """Refuse options that nothing would come of.

    Raises
    ------
    InputError
        If a width has no rule to go with, or an exponent or range no coupling.
    """
    if width != "auto" and rule != "gaussian":
        raise pelplug.InputError(f"--width goes with --rule gaussian, and the rule is {rule}; leave one of them out.")
    if rule == "rate" and scaled_q not in (SCALED, "none"):
        raise pelplug.InputError(
            "--scaled-q is a probability, which the rule rate has not: its q~ goes with Gamma(e); leave it out, or "
            "give another --rule."
        )
    for name, value in (("--exponent", exponent), ("--r-max", r_max)):
        if "power" not in coupling and tuple(value) != POWER:
            raise pelplug.InputError(f"{name} goes with --coupling power; name that coupling too, or leave it out.")


def times(time, events: int, lattice: Lattice, temperatures, rates) -> np.ndarray:
    """Return the time of a run at each temperature.

    Raises
    ------
    InputError
        If hardly an active process is to be expected in it.
    """
    if time == "auto":
        return events / (lattice.systems * rates)
    expected = lattice.systems * rates * time
    k = int(np.argmin(expected))
    if expected[k] < FEWEST:
        raise pelplug.InputError(
            f"In the time {time:g} a run has {expected[k]:.2g} active processes to expect at T = {temperatures[k]:g}, "
            f"too few to learn from; give --time {_up(FEWEST / (lattice.systems * rates[k]))} or more, or --events."
        )
    return np.full(len(rates), float(time))


def scaled(q, power: float, rule: str, lattice: Lattice, temperatures, rates) -> np.ndarray | None:
    """Return q of the curve on which it is proportional to a power of <Gamma>, at each temperature; None without one.

    Raises
    ------
    InputError
        If it is above 1 somewhere.
    """
    if q == "none" or rule == "rate" or lattice.systems == 1:
        return None
    found = q * (rates / rates[-1]) ** power
    k = int(np.argmax(found))
    if found[k] > 1.0:
        raise pelplug.InputError(
            f"On the curve of q ~ <Gamma>^{power:g} q is {found[k]:.3g} at T = {temperatures[k]:g}, and a probability "
            f"is at most 1; give --scaled-q {_down(q / found[k])} or less, or --scaled-q none."
        )
    return found


def one_source(given, results) -> None:
    """Refuse measured ratios from options and results at once.

    Raises
    ------
    InputError
        If both are given; metabasins alone have no ratio.
    """
    named = [name for name, some in given.items() if len(some)]
    if named and results is not None and len(results.of("dynamics")):
        raise pelplug.InputError(
            f"--{named[0].replace('_', '-')} is given, and results from which it follows; leave one of them out."
        )


def by_temperature(name: str, values, order: np.ndarray) -> np.ndarray:
    """Return values that were given for each temperature in the order of temperature, NaN for 0 and where none are.

    Raises
    ------
    InputError
        If they are not as many.
    """
    found = np.array(values, dtype=float)
    if not found.size:
        return np.full(order.size, np.nan)
    if found.size != order.size:
        raise pelplug.InputError(
            f"--{name.replace('_', '-')} has {found.size} values for {order.size} temperatures; give one for each, "
            "0 where there is none."
        )
    return np.where(found > 0, found, np.nan)[order]


def ratios(given, temperatures) -> None:
    """Refuse ratios that no coupling has.

    Raises
    ------
    InputError
        If an error or a ratio of D has no ratio of tau_alpha beside it, or a ratio is below 1.
    """
    tau, tau_error, diffusion, diffusion_error = given.tau, given.tau_error, given.diffusion, given.diffusion_error
    for what, alone, of in (
        ("--tau-ratio-error", tau_error, tau),
        ("--d-ratio", diffusion, tau),
        ("--d-ratio-error", diffusion_error, diffusion),
    ):
        if np.any(np.isfinite(alone) & ~np.isfinite(of)):
            other = "--d-ratio" if what == "--d-ratio-error" else "--tau-ratio"
            raise pelplug.InputError(f"{what} is given where there is no {other}; give both, or 0 for it.")
    if np.any(low := tau < 1.0):
        k = int(np.flatnonzero(low)[0])
        raise pelplug.InputError(
            f"--tau-ratio is {tau[k]:g} at T = {temperatures[k]:g}, and no coupling makes the large system slower; "
            f"give tau_alpha of the small over that of the large system, {1.0 / tau[k]:.4g} if it is the inverse."
        )


def _up(value: float) -> str:
    """Return a number of three digits that is not below a value."""
    return f"{float(f'{value:.3g}') * (1 if float(f'{value:.3g}') >= value else 1.01):.3g}"


def _down(value: float) -> str:
    return f"{float(f'{value:.3g}') * (1 if float(f'{value:.3g}') <= value else 0.99):.3g}"
