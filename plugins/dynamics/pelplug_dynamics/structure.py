"""g(r) by freud, S(q), and the wave number of the first peak of S(q)."""

from __future__ import annotations

import freud
import numpy as np
import xarray as xr
from scipy.special import gamma

import pelplug

__all__ = [
    "first_peak",
    "first_shells",
    "largest_distance",
    "largest_species",
    "mean_density",
    "radial_distributions",
    "sampled_states",
    "structure",
    "structure_factor",
]

_LEAST_PEAK = 1.3  # S(q) of a gas scatters about 1


def mean_density(trajectory, frames, count: int = 20) -> float:
    """Return the number density, its cell averaged over at most `count` of the frames [1 / length**d]."""
    chosen = frames[np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).astype(int))]
    volumes = np.array([trajectory.configuration(int(number)).volume for number in chosen])
    return trajectory.n / float(volumes[0] if np.ptp(volumes) == 0 else volumes.mean())


def structure(trajectory, frames, largest: str, count: int, density: float, part) -> xr.Dataset:
    """Return g_ab(r), S(q) among the largest species and q_max, which is all above three dimensions and NaN there.

    Parameters
    ----------
    trajectory : Trajectory
    frames : ndarray of int
        Numbers of the frames to choose from.
    largest : str
        Species.
    count : int
        How many frames, equally spaced.
    density : float
        Number density [1 / length**d].
    part : callable
        ``with part(name):`` keeps what fails to itself.
    """
    first = trajectory.configuration(int(frames[0]))
    if first.dimension not in (2, 3):
        return xr.Dataset({"q_max": ((), np.nan)})
    around = 2.0 * np.pi * density ** (1.0 / first.dimension)
    names = trajectory.species_names
    states = sampled_states(trajectory, frames, count)
    found = xr.Dataset({"q_max": ((), np.nan)}, attrs={"largest": largest})
    with part("g(r)"):
        r, g = radial_distributions(states, names, largest_distance(states), 250)
        found = found.assign(rdf=(("species_a", "species_b", "r"), g)).assign_coords(
            r=("r", r, {"units": "length", "long_name": "distance"}), species_a=list(names), species_b=list(names)
        )
    with part("S(q)"):
        q, s = structure_factor(states, largest, 2.5 * around, 125)
        found = found.assign(structure_factor=(("q",), s), q_max=((), first_peak(q, s, around))).assign_coords(
            q=("q", q, {"units": "1 / length", "long_name": "wave number"})
        )
    return found


def sampled_states(trajectory, frames, count: int) -> list:
    """Return at most `count` of some frames, equally spaced."""
    first = trajectory.configuration(int(frames[0]))
    # Vectors and particles both grow with N: a large system needs few frames, and can have few only.
    work = first.n**2 * 2.5**first.dimension
    count = min(count, len(frames), max(1, int(4e9 / work)))
    chosen = frames[np.unique(np.linspace(0, len(frames) - 1, count).astype(int))]
    return [trajectory.configuration(int(number)) for number in chosen]


def largest_distance(states) -> float:
    """Return how far g(r) of some states goes [length].

    Five mean distances, or half the least height that the cell ever has, beyond which a particle meets its own image.
    """
    density = states[0].n / np.mean([state.volume for state in states])
    half = 0.998 * min(state.half_box for state in states)
    return min(half, 5.0 * density ** (-1.0 / states[0].dimension))


def first_shells(r: np.ndarray, g: np.ndarray, states, names) -> np.ndarray:
    """Return where g_ab(r) has its first minimum, for every pair of species; NaN where it has none that is clear.

    Parameters
    ----------
    r, g : ndarray
        Of `radial_distributions`, of these states.
    states : sequence of Configuration
    names : sequence of str
        Species.

    Returns
    -------
    ndarray, shape (species, species)
        [length]
    """
    first, width = states[0], r[1] - r[0]
    length = (first.volume / first.n) ** (1.0 / first.dimension)
    ball = np.pi ** (first.dimension / 2) / gamma(first.dimension / 2 + 1)
    shell = ball * ((r + width / 2) ** first.dimension - (r - width / 2) ** first.dimension) / first.volume
    number = [np.count_nonzero(first.species == name) for name in names]
    found = np.full((len(names), len(names)), np.nan)
    for a, _ in enumerate(names):
        for b in range(a, len(names)):
            pairs = number[a] * (number[a] - 1) / 2 if a == b else number[a] * number[b]
            if pairs == 0:  # nobody whose neighbours they could be
                found[a, b] = found[b, a] = 0.0
                continue
            noise = 1.0 / np.sqrt(np.maximum(pairs * len(states) * shell, 1e-9))
            found[a, b] = found[b, a] = pelplug.first_minimum(g[a, b], width, 0.04 * length, noise, least_peak=0.0)
    return found


def largest_species(trajectory, first, potential, wanted: str) -> str:
    """Return the species of the largest sigma or mean diameter, or the most numerous where neither is known.

    Parameters
    ----------
    trajectory : Trajectory
    first : Configuration
        Its first frame.
    potential : Potential or None
        Whose sigma counts.
    wanted : str
        A species, or "auto".

    Raises
    ------
    InputError
        If there is no such species.
    """
    names = trajectory.species_names
    if wanted != "auto":
        if wanted not in names:
            raise pelplug.InputError(f"There is no species {wanted}; there are {', '.join(names)}.")
        return wanted
    size = {name: float(np.count_nonzero(first.species == name)) for name in names}
    for sizes in (first.diameters, None if potential is None else potential.sizes(first)):
        if sizes is not None and np.ptp(sizes) > 0:
            size = {name: float(sizes[first.species == name].mean()) for name in names}
    return max(names, key=lambda name: size.get(name, 0.0))


def radial_distributions(states, names, r_max: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return r, and g_ab(r) for every pair of species.

    Parameters
    ----------
    states : sequence of Configuration
        In two or three dimensions.
    names : sequence of str
        Species.
    r_max : float
        [length].
    bins : int

    Returns
    -------
    r : ndarray, shape (bins,)
        Middles of the bins [length].
    g : ndarray, shape (species, species, bins)
    """
    found = np.zeros((len(names), len(names), bins))
    r = None
    for a, first in enumerate(names):
        for b, second in enumerate(names[a:], a):
            density = freud.density.RDF(bins, r_max, normalization_mode="finite_size" if a == b else "exact")
            for state in states:
                box, points = state.freud()
                density.compute(
                    (box, points[state.species == first]),
                    query_points=None if a == b else points[state.species == second],
                    neighbors={"r_max": r_max, "exclude_ii": a == b},
                    reset=True,  # freud takes the density of the last cell for that of all
                )
                found[a, b] += density.rdf / len(states)
            found[b, a] = found[a, b]
            r = density.bin_centers
    return np.asarray(r, dtype=float), found


def structure_factor(states, name: str, k_max: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return q and S(q) among one species, averaged over the wave vectors that fit the box.

    Parameters
    ----------
    states : sequence of Configuration
    name : str
        Species.
    k_max : float
        [1 / length].
    bins : int

    Returns
    -------
    q, s : ndarray, shape (bins,)
        NaN where no wave vector is in the bin.
    """
    edges = np.linspace(0.0, k_max, bins + 1)
    sums, numbers = np.zeros(bins), np.zeros(bins)
    for state in states:
        length, strength = _intensities(state.cell, state.fractional()[state.species == name], k_max)
        where = np.minimum((length / k_max * bins).astype(int), bins - 1)
        sums += np.bincount(where, strength, minlength=bins)
        numbers += np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        return 0.5 * (edges[1:] + edges[:-1]), np.where(numbers > 0, sums / numbers, np.nan)


def _intensities(cell: np.ndarray, fractional: np.ndarray, k_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Return |k| and |sum exp(i k.r)|**2 / n for the vectors that fit the box, one of each pair k and -k.

    With k.r = 2 pi m.s of fractional coordinates the phase is a product over the axes, and the sums over particles are
    products of matrices: far fewer cosines than freud's StaticStructureFactorDirect takes, and in any cell.
    """
    d, n = len(cell), len(fractional)
    most = np.floor(k_max * np.linalg.norm(cell, axis=1) / (2.0 * np.pi)).astype(int)
    amplitude = 0.0
    for start in range(0, n, 256):
        phase = 2j * np.pi * fractional[start : start + 256]
        powers = [np.exp(np.arange(-m if k else 0, m + 1)[:, None] * phase[:, k]) for k, m in enumerate(most)]
        rest = powers[1] if d > 1 else np.ones((1, len(phase)))
        if d == 3:
            rest = (rest[:, None, :] * powers[2][None, :, :]).reshape(-1, len(phase))
        amplitude = amplitude + powers[0] @ rest.T
    others = np.indices(2 * most[1:] + 1).reshape(d - 1, -1).T - most[1:]
    first = np.repeat(np.arange(most[0] + 1), len(others))
    vectors = np.column_stack([first, np.tile(others, (most[0] + 1, 1))]) @ (2.0 * np.pi * np.linalg.inv(cell).T)
    length = np.linalg.norm(vectors, axis=1)
    keep = (length < k_max) & (length > 0)
    keep[: len(others) // 2] = False
    return length[keep], np.abs(amplitude.ravel()[keep]) ** 2 / n


def first_peak(q: np.ndarray, s: np.ndarray, around: float) -> float:
    """Return the wave number of the first peak of S(q), NaN if there is none.

    It is the largest value between 0.6 and 1.6 times `around`, at least 1.3, refined by a parabola through the values
    within a tenth of it.

    Parameters
    ----------
    q, s : ndarray
        Wave numbers [1 / length] and S(q).
    around : float
        ``2 pi rho**(1/d)`` [1 / length].
    """
    inside = np.isfinite(s) & (q > 0.6 * around) & (q < 1.6 * around)
    if np.count_nonzero(inside) < 5:
        return np.nan
    q, s = q[inside], s[inside]
    around *= 1.0 - 1e-9  # the windows are whole numbers of bins: rounding is not to decide which belong to them
    smooth = np.array([s[np.abs(q - one) < 0.04 * around].mean() for one in q])
    k = int(np.argmax(smooth))
    if k in (0, q.size - 1) or smooth[k] < _LEAST_PEAK:
        return np.nan
    near = np.abs(q - q[k]) < 0.1 * around
    if np.count_nonzero(near) < 4:
        return float(q[k])
    a, b, _ = np.polyfit(q[near] - q[k], s[near], 2)
    return float(q[k] + np.clip(-b / (2.0 * a), -0.1 * around, 0.1 * around)) if a < 0 else float(q[k])
