"""The equation of a cage in the Mari-Kurchan model: how the pair Boltzmann factor looks to two caged particles.

With ``f = exp(-u / T)`` and Q its mean over a Gaussian of variance ``2 alpha`` a component, the equation is
``1 / alpha = -(rho / d) int d^d r (dQ / dalpha) ln Q``. Q obeys the diffusion equation, ``dQ / dalpha = laplacian Q``,
so that by parts ``alpha (rho / d) int d^d r |grad Q|**2 / Q = 1``: nothing cancels where Q is near 0 or 1.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import itertools
from collections.abc import Callable

import numpy as np
from scipy import special

__all__ = ["CagePotential", "Smeared", "sphere_area"]

REACH = 10.0  # widths of the Gaussian: exp(-50) of it is farther away
ORDER, BETTER = 12, 16  # points of Gauss and Legendre in a panel; their difference tells the error of the first
DECAY = 1e-12  # of f in a panel that is short enough
MOST_PANELS = 400


def sphere_area(dimension: int) -> float:
    """Return the area of the unit sphere in d dimensions."""
    return float(2.0 * np.pi ** (0.5 * dimension) / special.gamma(0.5 * dimension))


@dataclasses.dataclass(frozen=True)
class Smeared:
    """Integrals over the smeared Boltzmann factor at one size of the cage.

    Attributes
    ----------
    criterion : float
        ``alpha (rho / d) int d^d r |grad Q|**2 / Q`` [1]: 1 where alpha is the size of a cage.
    free_energy : float
        ``-(d / 2) ln alpha - (rho / 2) int d^d r Q ln Q`` [T a particle], its constant left out; its slope in
        ``ln alpha`` is ``(d / 2) (criterion - 1)``.
    criterion_error, free_energy_error : float
        By how much quadratures of two orders differ.
    """

    criterion: float
    free_energy: float
    criterion_error: float
    free_energy_error: float


class CagePotential:
    """The Boltzmann factor of a pair at one temperature, smeared by cages.

    Parameters
    ----------
    energy : callable
        ``energy(r) -> (u, du/dr)`` of arrays of distances [energy, energy / length]; infinite is allowed.
    cutoff : float
        Beyond it u is 0 [length].
    temperature : float
        T [energy].
    density : float
        Number density [1 / length**d].
    dimension : int
        d.
    """

    def __init__(self, energy: Callable, *, cutoff: float, temperature: float, density: float, dimension: int = 3):
        self._energy = energy
        self.cutoff, self.temperature, self.density, self.dimension = cutoff, temperature, density, dimension
        self._edges = self._mesh()
        r, weight = _nodes(self._edges, BETTER)
        missing = weight * r ** (dimension - 1) * (1.0 - self.factor(r)[0])
        self.neighbours = density * sphere_area(dimension) * float(missing.sum())
        """``rho int d^d r (1 - f)``: 2**d phi for hard spheres."""

    def factor(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``f = exp(-u / T)`` and ``df/dr`` [1 / length]."""
        inside = r < self.cutoff
        with np.errstate(all="ignore"):
            u, slope = self._energy(np.where(inside, r, 0.5 * self.cutoff))
            f = np.where(inside, np.exp(-np.clip(u / self.temperature, -700.0, 745.0)), 1.0)
            steep = np.where(inside & (f > 1e-300), -slope / self.temperature * f, 0.0)
        return f, steep

    def smeared(self, alpha: float) -> Smeared:
        """Return what follows from Q at a size of the cage [length**2]."""
        rough, fine = (self._integrals(alpha, order) for order in (ORDER, BETTER))
        d = self.dimension
        scale = alpha * self.density / d, -0.5 * self.density
        values = [scale[0] * fine[0], scale[1] * fine[1] - 0.5 * d * np.log(alpha)]
        errors = [abs(factor * (a - b)) for factor, a, b in zip(scale, rough, fine, strict=True)]
        return Smeared(values[0], values[1], errors[0] + 1e-13 * values[0], errors[1] + 1e-13 * abs(values[1]))

    def criterion(self, alpha: float) -> float:
        """Return ``alpha (rho / d) int d^d r |grad Q|**2 / Q``, for searches."""
        return alpha * self.density / self.dimension * self._integrals(alpha, ORDER)[0]

    def smear(self, r: np.ndarray, alpha: float, order: int = BETTER) -> tuple[np.ndarray, np.ndarray]:
        """Return Q and dQ/dr [1 / length] at distances.

        Parameters
        ----------
        r : ndarray, shape (K,)
            Above 0 [length].
        alpha : float
            Size of the cage [length**2].
        order : int
            Of the quadrature.
        """
        width = np.sqrt(2.0 * alpha)
        return self._smear(r, width, self._sources(width, float(r.max()), order))

    # --- the integrals --------------------------------------------------------------------------------------------

    def _integrals(self, alpha: float, order: int) -> tuple[float, float]:
        """Return ``int d^d r |grad Q|**2 / Q`` [length**(d - 2)] and ``int d^d r Q ln Q`` [length**d]."""
        width = np.sqrt(2.0 * alpha)
        edges = self._panels(width)
        sources = self._sources(width, edges[-1], order)
        fisher = entropy = 0.0
        for panel in itertools.pairwise(edges):
            r, weight = _nodes(np.array(panel), order)
            q, slope = self._smear(r, width, sources)
            weight = weight * r ** (self.dimension - 1)
            seen = q > 1e-200
            fisher += float(np.sum(weight[seen] * slope[seen] ** 2 / q[seen]))
            entropy += float(np.sum(weight * special.xlogy(q, q)))
        area = sphere_area(self.dimension)
        return area * fisher, area * entropy

    def _sources(self, width: float, last: float, order: int) -> tuple[np.ndarray, ...]:
        """Return u, weight, f and df/du of the quadrature over f, in panels no longer than the Gaussian is wide."""
        last += REACH * width
        steps = np.linspace(0.0, last, 1 + int(np.ceil(last / width)))
        u, weight = _nodes(np.unique(np.concatenate([steps, self._edges])), order)
        return u, weight, *self.factor(u)

    def _smear(self, r: np.ndarray, width: float, sources: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        first, last = np.searchsorted(sources[0], [r.min() - REACH * width, r.max() + REACH * width])
        u, weight, f, slope = (one[first:last] for one in sources)
        kernel, cosine = _kernels(r[:, None], u[None, :], width, self.dimension)
        kernel *= weight
        return kernel @ f, (kernel * cosine) @ slope

    def _panels(self, width: float) -> np.ndarray:
        """Return edges of panels in r: as fine as f is, but no finer than the Gaussian leaves anything to see."""
        last = self.cutoff + REACH * width
        kept = [0.0]
        for edge in self._edges[1:]:
            if edge - kept[-1] >= 0.5 * width:
                kept.append(float(edge))
        beyond = kept[-1] + width * np.arange(1, max(2, int(np.ceil((last - kept[-1]) / width)) + 1))
        filled = [np.linspace(a, b, 1 + int(np.ceil((b - a) / max(width, 0.05 * self.cutoff))))[:-1]
                  for a, b in itertools.pairwise(kept)]  # fmt: skip
        return np.concatenate([*filled, kept[-1:], beyond])

    def _mesh(self) -> np.ndarray:
        """Return edges of panels in each of which f and its slope are polynomials, as far as numbers tell."""
        x, _ = np.polynomial.legendre.leggauss(ORDER)
        to_coefficients = np.linalg.inv(np.polynomial.legendre.legvander(x, ORDER - 1))
        near = 10.0 ** -np.arange(1.0, 13.0)
        probes = np.concatenate([near - 1.0, 1.0 - near])  # so that a step close to an edge is seen
        at_probes = np.polynomial.legendre.legvander(probes, ORDER - 1) @ to_coefficients

        def badness(a: float, b: float) -> float:
            f, slope = self.factor(0.5 * (a + b) + 0.5 * (b - a) * x)
            tails = [np.abs(to_coefficients @ one)[-2:].max() for one in (f, slope * (b - a))]
            missed = np.abs(at_probes @ f - self.factor(0.5 * (a + b) + 0.5 * (b - a) * probes)[0]).max()
            return float(max(*tails, 1e-2 * missed) * (b - a) / self.cutoff)

        panels = [(-badness(0.0, self.cutoff), 0.0, self.cutoff)]
        while -panels[0][0] > DECAY and len(panels) < MOST_PANELS:  # what rounding leaves of u / T never decays
            _, a, b = heapq.heappop(panels)
            for low, high in ((a, 0.5 * (a + b)), (0.5 * (a + b), b)):
                heapq.heappush(panels, (-badness(low, high), low, high))
        return np.sort([0.0, *(b for _, _, b in panels)])


@functools.cache
def _rule(order: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(order)


def _nodes(edges: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights of Gauss and Legendre in every panel."""
    x, weight = _rule(order)
    half = 0.5 * np.diff(edges)
    return (edges[:-1, None] + half[:, None] * (1.0 + x)).ravel(), (half[:, None] * weight).ravel()


def _kernels(r: np.ndarray, u: np.ndarray, width: float, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Gaussian between spheres of radius r and u, per du, and the mean cosine of the angle between them.

    ``K = (u / r)**(d/2 - 1) (u / s**2) exp(-(r**2 + u**2) / 2 s**2) I_(d/2 - 1)(r u / s**2)``, s the width; in three
    dimensions I is a hyperbolic sine. The gradient of f, smeared, is ``int du K cosine f'(u)``.
    """
    z = r * u / width**2
    gauss = np.exp(-0.5 * ((r - u) / width) ** 2)
    if dimension == 3:
        twice = -np.expm1(-2.0 * z)  # 2 sinh(z) exp(-z)
        kernel = u / r * gauss * twice / (width * np.sqrt(2.0 * np.pi))
        with np.errstate(invalid="ignore", divide="ignore"):
            cosine = (2.0 - twice) / twice - 1.0 / z  # coth(z) - 1 / z
        small = z < 0.03
        cosine[small] = z[small] / 3.0 * (1.0 - z[small] ** 2 / 15.0 * (1.0 - 2.0 * z[small] ** 2 / 21.0))
        return kernel, cosine
    order = 0.5 * dimension - 1.0
    scaled, next_one = (special.i0e(z), special.i1e(z)) if dimension == 2 else (
        special.ive(order, z), special.ive(order + 1.0, z))  # fmt: skip
    kernel = (u / r) ** order * (u / width**2) * gauss * scaled
    cosine = np.divide(next_one, scaled, out=z / dimension, where=scaled > 0)
    return kernel, cosine
