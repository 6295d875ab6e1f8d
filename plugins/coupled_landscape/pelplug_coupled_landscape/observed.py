"""What was seen in a run, from its intervals.

A stationary process that begins at a random time: the chance that nothing happens for a time t is
``S(t) = sum max(g - t, 0) / (n (T - t))`` over all intervals g, those included that the ends of the run, a time T
apart, have cut. That is the average over every time origin there is, and has no bias however short the run.
``S(k, t)``, in which each active process counts as a factor c, is the chance that none of them was chosen, where each
of them is chosen with 1 - c: the same sum, over the intervals between those that are chosen.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug_coupled_landscape.kernels import CHANGE, RELAXED

__all__ = ["Observed", "observe"]

_EARLY, _DECAYED = 0.25, 0.02  # part of a run by which S(t) has to be so low


@dataclasses.dataclass(frozen=True)
class Observed:
    """Averages over a run.

    Attributes
    ----------
    systems : int
        Of the lattice.
    duration : float
        Of what was observed [time].
    active, passive, rejected : int
        Active processes; passive ones; neighbours that were tried and stayed as they were.
    visited_nodes : int
        Nodes of the tree that active and passive processes visited.
    mean_waiting_time : float
        <tau> of a system between active processes [time]; infinite where there was none.
    change_time : float
        The same between two changes, active or passive [time].
    diffusivity : float
        ``1 / (6 <tau>)``, D of one coordinate's walker whose jump length is 1 [1 / time].
    mean_rate : float
        Active processes of a system in a time [1 / time].
    waiting_moments : ndarray, shape (3,)
        <tau>, <tau^2>, <tau^3> of the complete intervals between active processes [time**1, 2, 3]; long ones are
        missed in a run that is not much longer.
    change_moments : ndarray, shape (3,)
        The same between changes, active or passive.
    lag_times : ndarray, shape (B,)
        Eight an octave [time].
    persistence : ndarray, shape (B,)
        S0(t); NaN where t is longer than the run.
    scattering : ndarray, shape (F, B)
        S(k, t) of each factor.
    relaxation_time : float
        tau_alpha, the integral of S0, ``<tau^2> / (2 <tau>)`` [time]; NaN where S0 has not fallen to 0.02 within a
        quarter of the run, which is then too short for it.
    effective_intervals : float
        ``(sum g^2)^2 / sum g^4`` of the intervals g between active processes: on how many of them tau_alpha stands.
    scattering_times : ndarray, shape (F,)
        Integrals of S(k, t), or NaN, likewise [time].
    energy_edges : ndarray, shape (H + 1,)
        [energy]
    energy_share : ndarray, shape (H,)
        Share of time spent between two edges; what lies beyond them is in the first and the last.
    mean_energy, energy_variance : float
        Over time [energy, energy**2].
    """

    systems: int
    duration: float
    active: int
    passive: int
    rejected: int
    visited_nodes: int
    mean_waiting_time: float
    change_time: float
    diffusivity: float
    mean_rate: float
    waiting_moments: np.ndarray
    change_moments: np.ndarray
    lag_times: np.ndarray
    persistence: np.ndarray
    scattering: np.ndarray
    relaxation_time: float
    effective_intervals: float
    scattering_times: np.ndarray
    energy_edges: np.ndarray
    energy_share: np.ndarray
    mean_energy: float
    energy_variance: float


def observe(systems, duration, counts, complete, running, energies, energy_edges, edges) -> Observed:
    """Return the averages.

    Parameters
    ----------
    systems : int
    duration : float
        [time]
    counts : sequence of int
        Active processes, passive ones, rejected ones, visited nodes.
    complete : ndarray, shape (2 + F, B, 4)
        Of each kind of interval that has ended, by length: their number, and sums of their powers.
    running : ndarray, shape (2 + F, n)
        How long each system's intervals last that have not ended [time].
    energies : ndarray, shape (H, 4)
        Time spent in each bin of energy, and its product with the energy and its square.
    energy_edges : ndarray, shape (H + 1,)
        [energy]
    edges : ndarray, shape (B,)
        Lower edges of the bins of intervals [time].
    """
    active, passive, rejected, visited = (int(one) for one in counts)
    whole = systems * duration
    curves = np.array([_survival(complete[kind], running[kind], edges, systems, duration) for kind in _kinds(complete)])
    times = np.array([_integral(complete[kind], running[kind], edges, systems, duration) for kind in _kinds(complete)])
    times[~_has_decayed(curves, edges, duration)] = np.nan
    shown = slice(*_shown(complete, edges, duration))
    spent, first, second = energies[:, 0], energies[:, 1].sum(), energies[:, 2].sum()
    total = spent.sum()
    waits, changes = complete[RELAXED].sum(axis=0), complete[CHANGE].sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.divide(first, total)
        return Observed(
            systems=systems,
            duration=duration,
            active=active,
            passive=passive,
            rejected=rejected,
            visited_nodes=visited,
            mean_waiting_time=float(np.divide(whole, active)),
            change_time=float(np.divide(whole, active + passive)),
            diffusivity=float(np.divide(active, 6.0 * whole)),
            mean_rate=float(np.divide(active, whole)),
            waiting_moments=waits[1:] / waits[0],
            change_moments=changes[1:] / changes[0],
            lag_times=edges[shown],
            persistence=curves[0, shown],
            scattering=curves[1:, shown],
            relaxation_time=float(times[0]),
            effective_intervals=_effective(complete[RELAXED], running[RELAXED], edges),
            scattering_times=times[1:],
            energy_edges=energy_edges,
            energy_share=spent / total,
            mean_energy=float(mean),
            energy_variance=float(np.divide(second, total) - mean**2),
        )


def _kinds(complete: np.ndarray) -> range:
    return range(RELAXED, len(complete))


def _survival(complete, running, edges, systems, duration) -> np.ndarray:
    """Return S(t) at the edges; NaN from the duration on."""
    place = np.searchsorted(edges, running, side="right") - 1
    number = complete[:, 0] + np.bincount(place, minlength=edges.size)
    length = complete[:, 1] + np.bincount(place, running, minlength=edges.size)
    longer, total = (np.cumsum(one[::-1])[::-1] for one in (number, length))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(edges < duration, (total - edges * longer) / (systems * (duration - edges)), np.nan)


def _integral(complete, running, edges, systems, duration) -> float:
    """Return the integral of S(t), whose denominator is expanded in t/T; the fourth power is that of the bins."""
    if duration <= 0.0:
        return np.nan
    square, cube = (complete[:, power].sum() + (running**power).sum() for power in (2, 3))
    fourth = _fourth(complete, running, edges)
    return float((square / 2.0 + cube / (6.0 * duration) + fourth / (12.0 * duration**2)) / (systems * duration))


def _effective(complete, running, edges) -> float:
    """Return ``(sum g^2)^2 / sum g^4``."""
    square, fourth = complete[:, 2].sum() + (running**2).sum(), _fourth(complete, running, edges)
    return float(square**2 / fourth) if fourth > 0.0 else 0.0


def _fourth(complete, running, edges) -> float:
    """Return the sum of the fourth powers, as far as the bins tell: to 3 %."""
    centre = 0.5 * (edges + np.append(edges[1:], 2.0 * edges[-1]))
    return float(complete[:, 3] @ centre + (running**4).sum())


def _has_decayed(curves, edges, duration) -> np.ndarray:
    """Return whether each S(t) falls so low, so long before the end of the run, that its integral is known."""
    early = (edges > 0.0) & (edges <= _EARLY * duration)
    if not early.any():
        return np.zeros(len(curves), bool)
    return curves[:, np.flatnonzero(early)[-1]] <= _DECAYED


def _shown(complete, edges, duration) -> tuple[int, int]:
    """Return the bins between the shortest interval and the duration."""
    filled = np.flatnonzero(complete[RELAXED:, :, 0].any(axis=0))
    first = max(int(filled[0]), 1) if filled.size else 1
    return first, max(int(np.searchsorted(edges, duration)), first)
