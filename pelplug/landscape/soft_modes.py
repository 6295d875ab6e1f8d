"""Soft quasilocalised modes: minima of the cost of pseudoharmonic modes, reached from dipole responses."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import numpy as np

from pelplug.core.arguments import takes
from pelplug.core.parameters import Param
from pelplug.execution.threads import run_ranges
from pelplug.landscape.dipoles import DipoleStiffness
from pelplug.landscape.hessian.factor import BLOCK, unit_dipoles
from pelplug.landscape.hessian.response import LinearResponse, require_response
from pelplug.landscape.soft_mode_kernels import pair_cubic

__all__ = [
    "MAX_ITERATIONS",
    "OVERLAP",
    "TOLERANCE",
    "Minimisation",
    "SoftModes",
    "cubic",
    "minimise_cost",
    "soft_modes",
]

# Largest |M z / (z.M.z) - zeta / q|, a quarter of the gradient of log C, in units of |zeta / q|.
TOLERANCE = 1e-8
# Tens in a glass, thousands in a crystal.
MAX_ITERATIONS = 5000
# Modes whose |z.z'| is above this are one mode.
OVERLAP = 0.99
# A stationary point is a minimum if it is reached again after a random nudge of this norm (of z, whose norm is one).
NUDGE = 1e-3
# From a saddle a nudge leads to a lower stationary point, which may be a saddle again.
MAX_NUDGES = 10
# Iterations from one leap along a shallow valley to the next.
LEAP = 10
# Starts minimised before the others.
FIRST = 8
# Numbers in one of the arrays of fields that are minimised together.
BLOCK_ENTRIES = 2**24


@dataclasses.dataclass(frozen=True)
class SoftModes:
    """Pseudoharmonic modes of one state, softest first.

    Attributes
    ----------
    vectors : ndarray, shape (K, N, d)
        The modes z, of norm one and free of translations; zero for rattlers. The core moves so that the component of
        largest size is positive.
    stiffness : ndarray, shape (K,)
        z.M.z [energy / length**2].
    frequency : ndarray, shape (K,)
        ``sqrt(z.M.z / sum m_i |z_i|**2)`` [sqrt(energy / mass) / length]; masses of one where the
        configuration has none.
    participation_ratio : ndarray, shape (K,)
        ``(sum |z_i|**2)**2 / (N sum |z_i|**4)``, N without rattlers: 1/N on one particle, 1 on all alike.
    cost : ndarray, shape (K,)
        C(z) [energy**2 / length**4].
    core : ndarray of int, shape (K,)
        The particle that moves most.
    starts : ndarray of int, shape (K,)
        How many dipole responses led to the mode.
    residual : ndarray, shape (K,)
        What is left of the gradient of log C, as a fraction of either of the two terms that cancel in it.
    n_starts, n_unconverged : int
        Dipole responses minimised from, and those left out because the iterations ran out.
    """

    vectors: np.ndarray
    stiffness: np.ndarray
    frequency: np.ndarray
    participation_ratio: np.ndarray
    cost: np.ndarray
    core: np.ndarray
    starts: np.ndarray
    residual: np.ndarray
    n_starts: int
    n_unconverged: int

    def __len__(self) -> int:
        return self.stiffness.size


@takes()
def soft_modes(
    response: LinearResponse,
    stiffness: DipoleStiffness,
    starts: Annotated[int | Literal["all"], Param("from how many of the pairs to start", minimum=1)] = "all",
    *,
    overlap: Annotated[float, Param("largest |z.z'|", exclusive_minimum=0.0, exclusive_maximum=1.0)] = OVERLAP,
    tolerance: Annotated[float, Param("largest gradient left", minimum=0.0)] = TOLERANCE,
    max_iterations: Annotated[int, Param("iterations that a start may take", minimum=0)] = MAX_ITERATIONS,
) -> SoftModes:
    """Minimise the cost of pseudoharmonic modes from the softest dipole responses, and keep each minimum once.

    ``C(z) = (z.M.z)**2 / sum_<ij> |z_i - z_j|**4`` over interacting pairs is low for fields that are soft and
    localised, so its minima do not mix with sound waves of the same frequency as eigenvectors do. Starts are the
    responses ``z_ij = M^-1 d_ij`` with the smallest kappa_ij. Each minimum is nudged at random; if it does not come
    back it was a saddle (in a crystal a dipole's symmetry can lead there), and the lower minimum takes its place.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian M.
    stiffness : DipoleStiffness
        Its dipole stiffnesses, of every pair or of a sample; starts are taken from these pairs.
    starts : "all" or int
        From how many of the pairs to start.
    overlap : float
        Modes with ``|z.z'|`` above this are one.
    tolerance : float
        Largest gradient left, `SoftModes.residual`.
    max_iterations : int
        Iterations, one solve each, that a start may take.

    Returns
    -------
    SoftModes
        Only minima that converged.

    Raises
    ------
    InputError
        If a number is out of range.

    References
    ----------
    D. Richard, G. Kapteijns, J. A. Giannini, M. L. Manning and E. Lerner, Phys. Rev. Lett. 126, 015501 (2021).
    """
    require_response(response)
    order = np.argsort(stiffness.kappa_ij, kind="stable")
    chosen = order if starts == "all" else order[:starts]
    n, d = response.backbone.n, response.backbone.dimension
    number = np.full(response.configuration.n, -1)
    number[response.members] = np.arange(n)
    limits: dict[str, Any] = {"tolerance": tolerance, "max_iterations": max_iterations}
    minima = _Distinct(n, d, overlap)
    unconverged = begin = 0
    # A few first: what they find, most of the others then need not find again.
    width = min(FIRST, _width(n, d))
    while begin < chosen.size:
        part = chosen[begin : begin + width]
        forces = unit_dipoles(number[stiffness.i[part]], number[stiffness.j[part]], stiffness.unit[part], n)
        run = minimise_cost(response, forces.T.reshape(part.size, n, d), known=minima.vectors, **limits)
        good = run.residual <= tolerance
        unconverged += int(np.count_nonzero(~good & (run.joined < 0)))
        minima.count_starts(run.joined[run.joined >= 0])
        found = _Distinct(n, d, overlap)
        found.add(run.fields[good], run.residual[good], np.ones(np.count_nonzero(good), dtype=np.int64))
        unconverged += _add_minima(response, found, minima, limits)
        begin, width = begin + width, _width(n, d)
    return _describe(response, minima, chosen.size, unconverged)


@dataclasses.dataclass(frozen=True)
class Minimisation:
    """What `minimise_cost` gives for K starts.

    ``fields`` (K, N, d) have norm one. ``residual`` is that of `SoftModes`, above the tolerance where the iterations
    ran out, and NaN where a known mode was met; ``joined`` is that mode's number, else -1. ``iterations`` counts
    solves, and ``costs`` holds C at each iteration of the fields still iterated, in their order.
    """

    fields: np.ndarray
    residual: np.ndarray
    joined: np.ndarray
    iterations: np.ndarray
    costs: list[np.ndarray]


def minimise_cost(
    response: LinearResponse,
    forces: np.ndarray,
    *,
    known: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Minimisation:
    """Minimise C from the responses to some forces, all at once.

    C is stationary where ``M z = (z.M.z) / q * zeta``, q the sum over pairs of |z_ij|**4 and zeta a quarter of its
    gradient, so ``z <- M^-1 zeta(z)`` is iterated, normalised. C can only fall: q**(1/4) is a norm, so w = M^-1 zeta
    has q(w) >= (zeta.w)**4 / q(z)**3, and Cauchy-Schwarz in M gives zeta.w >= q(z)**2 / (z.M.z). Near a shallow minimum
    the steps shrink slowly, by a constant factor: now and then the rest of that series is taken at once, if C falls.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.
    forces : ndarray, shape (K, N, d)
        Forces on the backbone, free of translations.
    known : ndarray, shape (L, N, d), optional
        Minima found before; a field that comes as near to one as a nudge would push it goes no further.
    tolerance, max_iterations : float, int
        As of `soft_modes`.

    Returns
    -------
    Minimisation
    """
    i, j = response.pairs.i.astype(np.int64), response.pairs.j.astype(np.int64)
    known = np.empty((0, *forces.shape[1:])) if known is None else known
    before, alive = None, np.arange(len(forces))
    result = Minimisation(
        np.empty(forces.shape),
        np.full(len(forces), np.nan),
        np.full(len(forces), -1),
        np.zeros(len(forces), dtype=np.int64),
        [],
    )
    for iteration in range(max_iterations + 1):
        # M z is the force just solved for: no product with M is needed.
        z = _solve(response, forces)
        norm = np.sqrt(_dot(z, z))[:, None, None]
        z, forces = z / norm, forces / norm
        zeta, q = cubic(z, i, j)
        s = _dot(z, forces)
        if before is not None and iteration % LEAP == 0:
            _leap(z, forces, zeta, s, q, before, i, j)
        result.costs.append(s**2 / q)
        left = zeta - forces * (q / s)[:, None, None]
        rest = np.sqrt(_dot(left, left) / _dot(zeta, zeta))
        done = rest <= tolerance if iteration < max_iterations else np.ones(alive.size, dtype=bool)
        result.fields[alive[done]], result.residual[alive[done]] = z[done], rest[done]
        place, overlaps = _nearest(z, known)
        met = ~done & (overlaps > 1.0 - 0.5 * NUDGE**2)
        result.joined[alive[met]] = place[met]
        done |= met
        result.iterations[alive[done]] = iteration + 1
        before = z[~done], forces[~done]
        alive, forces = alive[~done], zeta[~done]
        if alive.size == 0:
            break
    return result


def _leap(
    z: np.ndarray,
    forces: np.ndarray,
    zeta: np.ndarray,
    s: np.ndarray,
    q: np.ndarray,
    before: tuple[np.ndarray, np.ndarray],
    i: np.ndarray,
    j: np.ndarray,
) -> None:
    """Go to the limit of the last two steps, taken as a geometric series, where C is lower there; all in place."""
    old, old_forces = before
    # Lengths in the metric of M, in which the linearised map is symmetric. M w for the next w = M^-1 zeta is zeta.
    step, step_forces = z - old, forces - old_forces
    following = zeta * (s / q)[:, None, None] - forces
    length = _dot(step, step_forces)
    rate = np.where(length > 0, _dot(step, following) / np.where(length > 0, length, 1.0), 0.0)
    factor = np.where((rate > 0) & (rate < 1 - 1e-6), rate / np.clip(1 - rate, 1e-6, None), 0.0)[:, None, None]
    far, far_forces = z + factor * step, forces + factor * step_forces
    norm = np.sqrt(_dot(far, far))[:, None, None]
    far, far_forces = far / norm, far_forces / norm
    far_zeta, far_q = cubic(far, i, j)
    far_s = _dot(far, far_forces)
    lower = far_s**2 / far_q < s**2 / q
    z[lower], forces[lower], zeta[lower], s[lower], q[lower] = (
        one[lower] for one in (far, far_forces, far_zeta, far_s, far_q)
    )


def cubic(z: np.ndarray, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return zeta, a quarter of the gradient of q = sum over pairs |z_j - z_i|**4, shape (K, N, d), and q."""
    zeta, q = np.empty_like(z), np.empty(len(z))
    if len(z):
        run_ranges(pair_cubic, len(z), i, j, z, zeta, q, serial_below=2)
    return zeta, q


class _Distinct:
    """Stationary points, each kept once, with how many starts led there."""

    def __init__(self, n: int, d: int, overlap: float):
        self.overlap = overlap
        self.count = 0
        # Doubled when full.
        self._vectors = np.empty((8, n, d))
        self._residual = np.empty(8)
        self._starts = np.empty(8, dtype=np.int64)

    @property
    def vectors(self) -> np.ndarray:
        return self._vectors[: self.count]

    @property
    def residual(self) -> np.ndarray:
        return self._residual[: self.count]

    @property
    def starts(self) -> np.ndarray:
        return self._starts[: self.count]

    def count_starts(self, places: np.ndarray, starts: Any = 1) -> None:
        np.add.at(self._starts, places, starts)

    def add(self, vectors: np.ndarray, residual: np.ndarray, starts: np.ndarray) -> None:
        for field, rest, number in zip(vectors, residual, starts, strict=True):
            place, overlap = _nearest(field[None], self.vectors)
            if overlap[0] > self.overlap:
                self._starts[place[0]] += number
                continue
            if self.count == len(self._starts):
                for name in ("_vectors", "_residual", "_starts"):
                    kept = getattr(self, name)
                    setattr(self, name, np.concatenate([kept, np.empty_like(kept)]))
            self._vectors[self.count], self._residual[self.count] = field, rest
            self._starts[self.count] = number
            self.count += 1


def _add_minima(response: LinearResponse, found: _Distinct, minima: _Distinct, limits: dict) -> int:
    """Add stationary points to the minima, saddles replaced by what lies below; return how many starts were lost."""
    n, d = response.backbone.n, response.backbone.dimension
    rng = np.random.default_rng(0)
    waiting, lost = found, 0
    for _ in range(MAX_NUDGES):
        again = _Distinct(n, d, found.overlap)
        for begin in range(0, waiting.count, _width(n, d)):
            part = slice(begin, begin + _width(n, d))
            before, count = waiting.vectors[part], waiting.starts[part]
            place, overlaps = _nearest(before, minima.vectors)
            new = overlaps <= found.overlap
            minima.count_starts(place[~new], count[~new])
            before, count = before[new], count[new]
            if not len(before):
                continue
            # A random force would push hardest where all is stiff: its response is what C cares for.
            nudge = _solve(response, rng.standard_normal(before.shape))
            nudged = before + NUDGE * nudge / np.sqrt(_dot(nudge, nudge))[:, None, None]
            run = minimise_cost(response, _apply(response, nudged), **limits)
            good = run.residual <= limits["tolerance"]
            stayed = good & (np.abs(_dot(before, run.fields)) > found.overlap)
            lost += int(count[~good].sum())
            minima.add(run.fields[stayed], run.residual[stayed], count[stayed])
            moved = good & ~stayed
            again.add(run.fields[moved], run.residual[moved], count[moved])
        waiting = again
        if not waiting.count:
            break
    return lost + int(waiting.starts.sum())


def _describe(response: LinearResponse, found: _Distinct, n_starts: int, n_unconverged: int) -> SoftModes:
    """Sort the modes by stiffness and measure them."""
    n, d = response.backbone.n, response.backbone.dimension
    i, j = response.pairs.i.astype(np.int64), response.pairs.j.astype(np.int64)
    forces = _apply(response, found.vectors)
    stiffness = _dot(found.vectors, forces)
    order = np.argsort(stiffness, kind="stable")
    z, stiffness = found.vectors[order], stiffness[order]
    if len(z):
        response.state_softest(z[0])
    squared = np.sum(z**2, axis=2)
    core = np.argmax(squared, axis=1)
    response.backbone.require_masses("Frequencies of modes need")
    masses = np.ones(n) if response.backbone.masses is None else response.backbone.masses
    # A mode and its opposite are one: the largest component of the core decides the sign.
    of_core = z[np.arange(len(z)), core]
    largest = of_core[np.arange(len(z)), np.argmax(np.abs(of_core), axis=1)]
    vectors = np.zeros((len(z), response.configuration.n, d))
    vectors[:, response.members] = z * np.sign(largest)[:, None, None]
    return SoftModes(
        vectors=vectors,
        stiffness=stiffness,
        frequency=np.sqrt(stiffness / (squared @ masses)),
        participation_ratio=squared.sum(axis=1) ** 2 / (n * np.sum(squared**2, axis=1)),
        cost=stiffness**2 / cubic(z, i, j)[1],
        core=response.members[core],
        starts=found.starts[order],
        residual=found.residual[order],
        n_starts=n_starts,
        n_unconverged=n_unconverged,
    )


def _width(n: int, d: int) -> int:
    """Return how many fields are minimised together."""
    return max(1, min(BLOCK, BLOCK_ENTRIES // (n * d)))


def _nearest(fields: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each field the place of the known one with the largest overlap, and the overlap; 0 for none."""
    if not len(known):
        return np.zeros(len(fields), dtype=np.int64), np.zeros(len(fields))
    overlaps = np.abs(fields.reshape(len(fields), -1) @ known.reshape(len(known), -1).T)
    return overlaps.argmax(axis=1), overlaps.max(axis=1)


def _solve(response: LinearResponse, forces: np.ndarray) -> np.ndarray:
    """Return M^-1 of each field of ``forces``, shape (K, N, d)."""
    columns = forces.reshape(len(forces), response.hessian.shape[0]).T
    return np.ascontiguousarray(response.factor.solve(columns).T).reshape(forces.shape)


def _apply(response: LinearResponse, fields: np.ndarray) -> np.ndarray:
    """Return M times each field, shape (K, N, d)."""
    return (response.hessian @ fields.reshape(len(fields), response.hessian.shape[0]).T).T.reshape(fields.shape)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("kna,kna->k", a, b)
