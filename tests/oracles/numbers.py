"""The models' numbers stated again, without pelplug: published digits and exact arithmetic."""

from __future__ import annotations

import numpy as np

SIGMA_SL = {"SS": 1.0, "SL": 1.18, "LL": 1.4}
KA = {"AA": (1.0, 1.0), "AB": (1.5, 0.8), "BB": (0.5, 0.88)}

# The numbers of the task's physics notes, not of the program under test.
IPL_COEFFICIENTS = (-1.11063376625118, 1.26761523722971, -0.49604060728492, 0.06605118264157)
STICKY_COEFFICIENTS = (-106.99161353, -304.91846906, -939.38803799, 1190.70962256, -541.30013159, 85.86849369)


def exact_ipl_coefficients(cutoff: float = 1.48) -> np.ndarray:
    """c0, c2, c4, c6 from four linear equations in rational arithmetic: U and three derivatives vanish."""
    from fractions import Fraction

    x = Fraction(cutoff).limit_denominator(10**6)
    rows, right = [], []
    for order in range(4):
        rows.append([_falling(power, order) * x ** max(power - order, 0) for power in (0, 2, 4, 6)])
        right.append(-_falling(-10, order) * x ** (-10 - order))
    return np.array([float(value) for value in solve_exactly(rows, right)])


def exact_sticky_coefficients(ratio: str = "1.2") -> np.ndarray:
    """a, b, c0, c2, c4, c6 from six linear equations in rational arithmetic, in y = x / x_min."""
    from fractions import Fraction

    # With x_min^6 = 2 the Lennard-Jones branch is y^-12 - 2 y^-6, all rational in y.
    powers = (-12, -6, 0, 2, 4, 6)
    rows, right = [], []
    for y, targets in ((Fraction(1), (-1, 0, 72)), (Fraction(ratio), (0, 0, 0))):
        for order, target in enumerate(targets):
            rows.append([Fraction(_falling(p, order)) * y ** (p - order) for p in powers])
            right.append(Fraction(target))
    scaled = [float(value) for value in solve_exactly(rows, right)]
    minimum = 2.0 ** (1.0 / 6.0)
    return np.array([s * minimum**-p for s, p in zip(scaled, powers, strict=True)]) * [1, -1, 1, 1, 1, 1]


def _falling(power: int, order: int) -> int:
    value = 1
    for k in range(order):
        value *= power - k
    return value


def solve_exactly(rows, right):
    """Gauss elimination on Fractions."""
    a = [[*row, value] for row, value in zip(rows, right, strict=True)]
    n = len(a)
    for k in range(n):
        pivot = next(r for r in range(k, n) if a[r][k] != 0)
        a[k], a[pivot] = a[pivot], a[k]
        a[k] = [value / a[k][k] for value in a[k]]
        for r in range(n):
            if r != k:
                a[r] = [value - a[r][k] * other for value, other in zip(a[r], a[k], strict=True)]
    return [row[-1] for row in a]


def smooth_terms(epsilon: float, x: float) -> tuple[float, float, float]:
    """c0, c2, c4 that end 4 eps (x^-12 - x^-6) smoothly at x, by elimination: U'' - U'/x leaves c4 alone."""
    u = 4 * epsilon * (x**-12 - x**-6)
    du = 4 * epsilon * (-12 * x**-13 + 6 * x**-7)
    ddu = 4 * epsilon * (156 * x**-14 - 42 * x**-8)
    c4 = -(ddu - du / x) / (8 * x**2)
    c2 = -(du + 4 * c4 * x**3) / (2 * x)
    return float(-(u + c2 * x**2 + c4 * x**4)), float(c2), float(c4)
