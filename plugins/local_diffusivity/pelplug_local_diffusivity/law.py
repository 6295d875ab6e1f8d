"""The law of the collapse, ``k_B T ln(D / D_inf) = -1 / h(e)`` with h quadratic in e, fitted to many sets at once."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["Law", "fit_law"]

_STEPS = 60


@dataclasses.dataclass(frozen=True)
class Law:
    """Fits, one a row; NaN where one does not exist.

    Attributes
    ----------
    limit : ndarray, shape (R,)
        ln D_inf.
    a0, a1, a2 : ndarray, shape (R,)
        Of ``h(e) = a0 - a1 (e - a2)**2`` [1 / energy, 1 / energy**3, energy].
    """

    limit: np.ndarray
    a0: np.ndarray
    a1: np.ndarray
    a2: np.ndarray

    def height(self, energy) -> np.ndarray:
        """Return h(e), shape (R, len(energy)) [1 / energy]; 0 where it would be less: nothing moves there."""
        return np.maximum(self.a0[:, None] - self.a1[:, None] * (np.asarray(energy) - self.a2[:, None]) ** 2, 0.0)

    def diffusivity(self, energy, thermal: float) -> np.ndarray:
        """Return D(e, T), shape (R, len(energy)) [length**2 / time]."""
        with np.errstate(divide="ignore"):
            return np.exp(self.limit[:, None] - 1.0 / (thermal * self.height(energy)))

    def edge(self) -> np.ndarray:
        """Return e_K, the lowest energy with h > 0, shape (R,) [energy]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.a2 - np.sqrt(self.a0 / self.a1)


def fit_law(energy, thermal, diffusivity, group, weights, limit=None) -> Law:
    """Fit the law by least squares of k_B T ln D, each temperature with the scatter that it has about the law.

    Parameters
    ----------
    energy, thermal, diffusivity : ndarray, shape (n,)
        e_i per particle [energy], k_B T [energy], D_i [length**2 / time] of runs.
    group : ndarray of int, shape (n,)
        Temperature of each.
    weights : ndarray, shape (R, n)
        How often each run counts, in each of R fits.
    limit : ndarray, shape (R,), optional
        ln D_inf of each; it is fitted if this is not given.

    Returns
    -------
    Law
        Of a fit that does not converge, or is no maximum of h in between, NaN.
    """
    rows = len(weights)
    x = energy - energy.mean()
    powers = np.stack([np.ones_like(x), x, x**2])
    y = thermal * np.log(diffusivity)
    scatter = np.ones((rows, int(group.max()) + 1))
    guess = _start(x, y, thermal, weights, limit)
    for _ in range(3):  # the scatter at each temperature is that about the law fitted before
        weight = weights / scatter[:, group] ** 2
        guess = _gauss_newton(guess, powers, y, thermal, weight, limit)
        model, _ = _model(guess, powers, thermal)
        with np.errstate(invalid="ignore"):
            off = weights * (y - model) ** 2
        for k in range(scatter.shape[1]):
            number = weights[:, group == k].sum(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                scatter[:, k] = np.sqrt(off[:, group == k].sum(axis=1) / np.maximum(number - 1.0, 1.0))
        scatter = np.where(np.isfinite(scatter) & (scatter > 0), scatter, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        p0, p1, p2 = guess[:, 1], guess[:, 2], guess[:, 3]
        good = (p2 < 0) & np.isfinite(guess).all(axis=1)
        a2 = -p1 / (2 * p2)
        a0 = p0 - p1**2 / (4 * p2)
        found = (guess[:, 0], a0, -p2, a2 + energy.mean())
        return Law(*(np.where(good & (a0 > 0), one, np.nan) for one in found))


def _start(x, y, thermal, weights, limit) -> np.ndarray:
    """Return first guesses of ln D_inf and the coefficients of h: ``1 / (L k_B T - y)`` is h itself."""
    rows = len(weights)
    least = float(np.max(y / thermal))
    tries = limit[:, None] if limit is not None else np.tile(least + np.array([0.3, 1, 2, 3, 4.5, 6]), (rows, 1))
    best, found = np.full(rows, np.inf), np.full((rows, 4), np.nan)
    design = np.stack([np.ones_like(x), x, x**2], axis=1)
    for column in tries.T:
        depth = column[:, None] * thermal - y
        usable = weights * (depth > 1e-3 * np.abs(y).mean())
        with np.errstate(divide="ignore", invalid="ignore"):
            height = np.where(usable > 0, 1.0 / depth, 0.0)
        weight = usable * np.where(usable > 0, depth, 0.0) ** 4  # errors of 1/depth are as its square
        normal = np.einsum("rn,ni,nj->rij", weight, design, design)
        right = np.einsum("rn,ni->ri", weight * height, design)
        solved = _solved(normal, right)
        model, inside = _model(np.column_stack([column, solved]), design.T, thermal)
        with np.errstate(invalid="ignore"):
            chi = np.where(inside, weights * (y - model) ** 2, 0.0).sum(axis=1) + 1e3 * (weights * ~inside).sum(axis=1)
        better = np.isfinite(chi) & (chi < best)
        best = np.where(better, chi, best)
        found[better] = np.column_stack([column, solved])[better]
    return found


def _model(guess, powers, thermal) -> tuple[np.ndarray, np.ndarray]:
    """Return k_B T ln D by a guess, shape (R, n), and where h is positive."""
    height = guess[:, 1:] @ powers
    inside = height > 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        return guess[:, :1] * thermal - np.where(inside, 1.0 / height, 1e9), inside


def _chi(guess, powers, y, thermal, weight) -> np.ndarray:
    model, inside = _model(guess, powers, thermal)
    with np.errstate(invalid="ignore", over="ignore"):
        total = (weight * (y - model) ** 2).sum(axis=1)
    return np.where((inside | (weight == 0)).all(axis=1) & np.isfinite(total), total, np.inf)


def _gauss_newton(guess, powers, y, thermal, weight, limit) -> np.ndarray:
    """Return the guesses improved by Levenberg's and Marquardt's steps, all sets at once."""
    damping, done = np.full(len(guess), 1e-3), np.zeros(len(guess), dtype=bool)
    now = _chi(guess, powers, y, thermal, weight)
    free = slice(1, 4) if limit is not None else slice(0, 4)
    for _ in range(_STEPS):
        height = np.where((one := guess[:, 1:] @ powers) > 1e-9, one, np.nan)
        model = guess[:, :1] * thermal - 1.0 / height
        off = np.where(np.isfinite(model), y - model, 0.0)
        slopes = np.concatenate(
            [
                np.broadcast_to(thermal, height.shape)[:, None],
                powers[None] / np.where(np.isfinite(height), height, np.inf)[:, None] ** 2,
            ],
            axis=1,
        )[:, free]
        normal = np.einsum("rin,rn,rjn->rij", slopes, weight, slopes, optimize=True)
        right = np.einsum("rin,rn->ri", slopes, weight * off, optimize=True)
        scale = np.einsum("rii->ri", normal)[:, :, None] * np.eye(normal.shape[1])
        step = np.zeros_like(guess)
        step[:, free] = _solved(normal + damping[:, None, None] * scale, right)
        tried = guess + step
        then = _chi(tried, powers, y, thermal, weight)
        better = then < now
        done |= better & (now - then < 1e-9 * now)
        guess = np.where(better[:, None], tried, guess)
        damping = np.clip(np.where(better, damping / 5.0, damping * 4.0), 1e-12, 1e12)
        now = np.where(better, then, now)
        if np.all(done | (damping > 1e9) | ~np.isfinite(now)):
            break
    return np.where(np.isfinite(now)[:, None], guess, np.nan)


def _solved(normal, right) -> np.ndarray:
    """Return the solutions of many small systems, NaN where one has none."""
    size = np.sqrt(np.einsum("rii->ri", normal))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = normal / size[:, :, None] / size[:, None, :]
        good = np.isfinite(scaled).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    scaled[~good] = np.eye(normal.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = np.linalg.pinv(scaled, rcond=1e-13) @ (right / size)[:, :, None]
        return np.where(good[:, None], solved[:, :, 0] / size, np.nan)
