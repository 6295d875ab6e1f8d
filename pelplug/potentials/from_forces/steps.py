"""How far to displace: the noise of the forces is measured, and the step is where noise and truncation add to least."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from pelplug.potentials.from_forces.displaced import DisplacedState, spacing

__all__ = ["Noise", "Step", "choose_step", "measure_noise"]

_TINY = (1e-6, 1e-5)  # of the spacing: differences of fourth order are noise there, and float32 positions differ
_POINTS = 12
_LADDER = tuple(0.04 / 4**k for k in range(7))  # of the spacing
_LARGEST = 0.02
_GOOD = 3e-8  # relative: no need of four displacements where two give that


@dataclasses.dataclass(frozen=True)
class Noise:
    """What two evaluations at nearly the same place differ by, besides what they should: standard deviations.

    Attributes
    ----------
    force : float
        Of a component [energy / length].
    energy : float
        Of the energy [energy].
    """

    force: float
    energy: float


@dataclasses.dataclass(frozen=True)
class Step:
    """How columns of the Hessian are found.

    Attributes
    ----------
    size : float
        Displacement [length].
    order : {2, 4}
        2: central differences; 4: with twice the displacement too.
    error : float
        Expected error of a column by its norm.
    noise : float
        Standard deviation that noise gives an entry [energy / length**2].
    scale : float
        Norm of a column [energy / length**2].
    """

    size: float
    order: int
    error: float
    noise: float
    scale: float


def measure_noise(state: DisplacedState, rng: np.random.Generator) -> Noise:
    """Find the noise from differences of fourth order over tiny displacements of all particles along one direction.

    References
    ----------
    J. J. More and S. M. Wild, SIAM J. Sci. Comput. 33, 1292 (2011).
    """
    direction = rng.normal(size=state.shape)
    size = spacing(state.configuration)
    forces, energies = [], []
    for tiny in _TINY:
        answers = [state(k * tiny * size * direction) for k in range(_POINTS)]
        change = np.diff(np.array([f for _, f in answers]), n=4, axis=0) / np.sqrt(70.0)
        # Pairs that cross a jump are no noise: those components, and those points, are left out.
        of_each = np.sort(1.4826 * np.median(np.abs(change), axis=0).ravel())
        kept = of_each[: max(1, int(0.98 * of_each.size))]
        forces.append(float(np.sqrt(np.mean(kept**2))))
        energy = np.array([e for e, _ in answers])
        energies.append(float(np.sqrt(np.mean((np.diff(energy - energy[0], n=4) / np.sqrt(70.0)) ** 2))))
    eps = np.finfo(float).eps
    return Noise(
        max(*forces, eps * float(np.abs(state.forces).max()), 1e-300),
        max(*energies, eps * abs(state.energy), 1e-300),
    )


def choose_step(state: DisplacedState, noise: Noise, atoms: np.ndarray, rng: np.random.Generator) -> Step:
    """Choose size and order from columns of a few particles at displacements from large to small.

    Parameters
    ----------
    state : DisplacedState
    noise : Noise
    atoms : ndarray of int
        The particles.
    rng : Generator
        Draws a direction of each.
    """
    size, d = spacing(state.configuration), state.shape[1]
    second, fourth, norm, entries = [], [], [], []
    for atom in atoms:
        direction = rng.normal(size=d)
        direction /= np.linalg.norm(direction)
        columns = {h: _column(state, int(atom), direction, h * size) for h in _LADDER}
        finest = columns[_LADDER[-1]]
        entries.append(np.count_nonzero(np.abs(finest) > 6.0 * noise.force / (_LADDER[-1] * size)))
        norm.append(float(np.linalg.norm(finest)))
        second.append(_coefficient(columns, 2, size, noise.force))
        fourth.append(_coefficient(columns, 4, size, noise.force))
    scale = max(float(np.sqrt(np.mean(np.square(norm)))), 1e-300)
    width = float(np.sqrt(max(np.mean(entries), d)))
    # Some columns may have a jump within any step: what most of them need counts.
    c2, c4 = (float(np.quantile(c, 0.4, method="lower")) for c in (second, fourth))
    largest = _LARGEST * size
    found = []
    for order, curve, power, loud in ((2, c2, 2, np.sqrt(0.5)), (4, 4.0 * c4, 4, 0.951)):
        rough = loud * noise.force * width
        h = min(largest, (rough / (power * curve)) ** (1.0 / (power + 1))) if curve > 0 else largest
        error = float((curve * h**power + rough / h) / scale)
        found.append(Step(float(h), order, error, float(loud * noise.force / h), scale))
    two, four = found
    return two if two.error <= _GOOD or four.error > 0.5 * two.error else four


def _column(state: DisplacedState, atom: int, direction: np.ndarray, h: float) -> np.ndarray:
    shift = np.zeros(state.shape)
    shift[atom] = h * direction
    return (state(-shift)[1] - state(shift)[1]) / (2.0 * h)


def _coefficient(columns: dict[float, np.ndarray], power: int, size: float, noise: float) -> float:
    """Return c of the error c h**power, where it is seen at the smallest displacements above the noise.

    Successive displacements differ by a factor of 4. What is left of errors ``c2 h**2 + c4 h**4`` by the extrapolation
    ``(16 D(h / 4) - D(h)) / 15`` is ``-c4 h**4 / 16``.
    """
    steps = sorted(columns, reverse=True)
    values = {h: columns[h] for h in steps}
    share = 15.0 / 16.0
    if power == 4:
        values = {h: (16.0 * columns[small] - columns[h]) / 15.0 for h, small in itertools.pairwise(steps)}
        share = 255.0 / 256.0 / 16.0
    best = 0.0
    for h, small in itertools.pairwise(values):
        difference = float(np.linalg.norm(values[h] - values[small]))
        loud = 6.0 * noise * np.sqrt(values[h].size) / (small * size / (4.0 if power == 4 else 1.0))
        if difference <= loud and best > 0.0:
            break
        best = difference / (share * (h * size) ** power)
    return best
