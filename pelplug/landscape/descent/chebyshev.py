"""Runge-Kutta-Chebyshev steps of the gradient flow dr/dt = f(r), with its energy balance."""

from __future__ import annotations

import functools
import math

import numpy as np

from pelplug.execution.compile import kernel
from pelplug.execution.threads import run_ranges
from pelplug.landscape.descent.trace import ENERGY_NOISE, Descent, Point, Stopped

__all__ = ["Flow", "coefficients"]

_SAFETY = 1.15  # on the estimated spectral radius
_REESTIMATE = 20  # accepted steps after which it is estimated anew
_ROUNDING = 8.0 * np.finfo(float).eps
_ATTEMPTS = 50  # to find the length of a step
_JUMP = 0.85  # error per time that a step, shortened to 0.7 or less, keeps only where forces jump
_SERIAL_BELOW = 40_000  # numbers below which a vector operation is not worth a second thread
_FAST = {"reassoc", "contract", "nsz"}


class Flow:
    """A descent as a function of time, one step after another.

    Parameters
    ----------
    descent : Descent
        The system.
    rtol : float
        Error allowed in a step as a fraction of its displacement.
    atol : float
        Error allowed besides, root mean square over the particles [length].
    max_stages : int
        Most evaluations in a step.

    Attributes
    ----------
    time : float
        Of ``descent.current`` [length**2 / energy, zeta = 1].
    rms_velocity : float
        Root mean square velocity of a particle there.
    max_force : float
        Largest force component there.
    converged : bool
        Whether it is a minimum.
    steps, rejected : int
        Accepted and repeated steps.
    jumps : int
        Accepted steps across a jump of the forces.

    References
    ----------
    B. P. Sommeijer, L. F. Shampine and J. G. Verwer, J. Comput. Appl. Math. 88, 315 (1998).
    """

    def __init__(self, descent: Descent, rtol: float, atol: float, max_stages: int):
        self.descent, self.rtol, self.atol = descent, rtol, atol
        self.max_stages = max(int(max_stages), 2)
        self.time = 0.0
        self.steps = self.rejected = self.jumps = 0
        self.n = len(descent.current.positions)
        self._spare = [descent.spare_point() for _ in range(3)]
        self._dissipation = _Dissipation()
        self._direction = np.zeros_like(descent.current.x)
        self._noise = np.random.default_rng(0).standard_normal(self._direction.size)
        self._noise /= np.linalg.norm(self._noise)
        self.converged = self._accept(descent.current)
        if not self.converged:
            self._radius = self._spectral_radius()
            self._step = self._smooth = 0.1 / self._radius

    def energy_defect(self) -> float:
        """Return ``(E(0) - E(t) - int N v^2 dt) / (E(0) - E(t))``, what is missing in the energy balance."""
        lost = self.descent.initial_energy - self.descent.current.energy
        return (lost - self._dissipation.total()) / lost if lost > 0.0 else 0.0

    def advance(self, until: float) -> None:
        """Make one accepted step that does not go beyond the time ``until``.

        Raises
        ------
        Stopped
            If evaluations run out, or no step is short enough.
        """
        start = self.descent.current
        extent = math.sqrt(start.x.size / self.n) * float(np.abs(start.x).max())
        rest = until - self.time
        rejected = math.inf  # error per time of the last attempt
        for _ in range(_ATTEMPTS):
            planned = self._step
            h = rest if rest < 1.01 * planned else min(planned, 0.5 * rest)
            stages, longest = _stages(h, self._radius, self.max_stages)
            if longest < h:
                planned = h = longest
            end, slope = self._try(start, h, stages)
            displacement, error = self._measure(start, end, h)
            # Rounding of positions, seen through the stiffest mode, is no error that a shorter step would mend.
            floor = _ROUNDING * extent * (1.0 + h * self._radius)
            allowed = self.rtol * displacement + self.atol + floor
            jump = error > _JUMP * rejected * h
            if jump:
                # A force that jumps makes an error in proportion to h, as the displacement is: no step across it would
                # ever pass. It may err by as much as a step of the length that the controller had reached before.
                allowed = max(allowed, self.rtol * self.rms_velocity * self._smooth + self.atol + floor)
            ratio = error / allowed
            noise = ENERGY_NOISE * abs(start.energy) + _ROUNDING * extent * math.sqrt(self._radius * abs(start.energy))
            rose = not end.energy - start.energy <= noise
            if rose:
                ratio = max(ratio, 10.0)
            if ratio <= 1.0:
                break
            self.rejected += 1
            shorter = 0.8 * ratio ** (-1.0 if jump else -1.0 / 3.0) if 0.0 < ratio < math.inf else 0.1
            self._step = h * min(max(shorter, 1e-3 if jump else 0.1), 0.7)
            again, rejected = math.isfinite(rejected), error / h
            if not jump and (rose or (again and not ratio < 5.0)):  # unstable rather than inaccurate, perhaps
                self._radius = self._spectral_radius()
        else:
            raise Stopped(
                "no step along the forces lowers the energy: a force that jumps at the cutoff, or a tolerance below "
                "what rounding allows"
            )
        self._spare = [point for point in (*self._spare, start) if point is not end]
        self.time = until if h == rest else self.time + h
        self.steps += 1
        if jump:
            self.jumps += 1
            self._step = 0.5 * self._smooth
        else:
            self._smooth = max(h, 0.9 * self._smooth)  # length of a step between jumps, remembered for a while
            self._step = min(0.8 * h * max(ratio, 1e-6) ** (-1.0 / 3.0), 2.0 * planned)
        before = self._squared_force
        self.converged = self._accept(end)
        self._dissipation.add(h, before, self._squared_force, slope)
        if not self.converged and self.steps - self._estimated_at >= _REESTIMATE:
            self._radius = self._spectral_radius()

    def _try(self, start: Point, h: float, stages: int) -> tuple[Point, float]:
        """Return the end of a step, with its energy and forces, and d/dt sum f^2 at its start."""
        evaluate, size = self.descent.evaluate, start.x.size
        first, recurrence = coefficients(stages)
        older, newer, free = start, self._spare[0], self._spare[1]
        run_ranges(_first_stage, size, start.x, start.f, h * first, newer.x, serial_below=_SERIAL_BELOW)
        evaluate(newer)
        slope = 2.0 / (h * first) * sum(run_ranges(_slope, size, start.f, newer.f, serial_below=_SERIAL_BELOW))
        for mu, nu, mu_force, gamma in recurrence:
            run_ranges(_stage, size, start.x, start.f, newer.x, newer.f, older.x, free.x,
                       mu, nu, h * mu_force, h * gamma, serial_below=_SERIAL_BELOW)  # fmt: skip
            evaluate(free)
            older, newer, free = newer, free, self._spare[2] if older is start else older
        return newer, slope

    def _measure(self, start: Point, end: Point, h: float) -> tuple[float, float]:
        """Return displacement and estimated error of a step, root mean square over the particles."""
        parts = run_ranges(_difference, end.x.size, start.x, start.f, end.x, end.f, h, serial_below=_SERIAL_BELOW)
        displacement, error = (sum(column) for column in zip(*parts, strict=True))
        if not (math.isfinite(displacement + error) and math.isfinite(end.energy)):
            return 1.0, math.inf
        return math.sqrt(displacement / self.n), math.sqrt(error / self.n)

    def _accept(self, point: Point) -> bool:
        self._squared_force = float(np.dot(point.f, point.f))
        self.rms_velocity = math.sqrt(self._squared_force / self.n)
        self.max_force = float(max(point.f.max(), -point.f.min()))
        return self.descent.accept(point, self.max_force)

    def _spectral_radius(self) -> float:
        """Estimate the largest eigenvalue of the Hessian by power iteration on differences of forces.

        The vector goes on from the last estimate; the forces and some noise are mixed in, because a pair that has
        come close since, and is now the stiffest, need not be part of it.
        """
        start, probe, v = self.descent.current, self._spare[0], self._direction
        first = self.steps == self.rejected == 0
        self._estimated_at = self.steps
        force = math.sqrt(self._squared_force)
        v += (0.3 / force) * start.f + 0.03 * self._noise
        v /= np.linalg.norm(v)
        size = smallest = 1e-10 * math.sqrt(v.size)
        radius = 0.0
        for iteration in range(60):
            np.multiply(v, size, out=probe.x)
            probe.x += start.x
            self.descent.evaluate(probe)
            change = start.f - probe.f
            stiffness = float(np.linalg.norm(change)) / size
            if not 0.0 < stiffness < math.inf:
                break
            v[:] = change
            v /= stiffness * size
            settled = abs(stiffness - radius) < 0.02 * stiffness
            radius = max(stiffness, 0.5 * radius)
            if settled and iteration >= (6 if first else 2):
                break
            # Small against the distance over which forces change, where that is known.
            size = min(100.0 * smallest, max(smallest, 0.01 * force / radius))
        if not radius > 0.0:
            raise Stopped("the stiffness of the landscape cannot be estimated: forces are not finite or do not change")
        return _SAFETY * radius


class _Dissipation:
    """int sum f^2 dt by the trapezoidal rule with its end corrections, fourth order.

    The slope at the end of a step is known when the next one has begun; until then it is extrapolated.
    """

    def __init__(self) -> None:
        self._done = self._trapezoid = self._weight = self._slope = self._end_slope = 0.0

    def add(self, h: float, before: float, after: float, slope: float) -> None:
        """Add a step of length h: sum f^2 before and after it, and its slope at the start."""
        self._done += self._trapezoid + self._weight * (self._slope - slope)
        self._trapezoid, self._weight, self._slope = 0.5 * h * (before + after), h * h / 12.0, slope
        self._end_slope = 2.0 * (after - before) / h - slope

    def total(self) -> float:
        """Return the integral up to the end of the last step."""
        return self._done + self._trapezoid + self._weight * (self._slope - self._end_slope)


def _stages(h: float, radius: float, most: int) -> tuple[int, float]:
    """Return how many stages make a step stable, and the longest step that the most stages allow."""
    longest = 0.65 * (most * most - 1) / radius
    return min(max(2, 1 + math.ceil(math.sqrt(1.54 * min(h, longest) * radius + 1.0))), most), longest


@functools.lru_cache(maxsize=4096)
def coefficients(stages: int) -> tuple[float, tuple[tuple[float, float, float, float], ...]]:
    """Return the first stage's coefficient and (mu, nu, mu~, gamma~) of the others (Sommeijer et al., Eq. 2.4-2.6)."""
    w0 = 1.0 + 2.0 / (13.0 * stages**2)
    t, dt, ddt = [1.0, w0], [0.0, 1.0], [0.0, 0.0]
    for j in range(2, stages + 1):  # Chebyshev polynomials and their derivatives at w0
        t.append(2.0 * w0 * t[j - 1] - t[j - 2])
        dt.append(2.0 * w0 * dt[j - 1] - dt[j - 2] + 2.0 * t[j - 1])
        ddt.append(2.0 * w0 * ddt[j - 1] - ddt[j - 2] + 4.0 * dt[j - 1])
    w1 = dt[stages] / ddt[stages]
    b = [0.0, 1.0 / w0, *(ddt[j] / dt[j] ** 2 for j in range(2, stages + 1))]
    b[0] = b[2]
    rows = []
    for j in range(2, stages + 1):
        mu_force = 2.0 * b[j] * w1 / b[j - 1]
        gamma = -(1.0 - b[j - 1] * t[j - 1]) * mu_force
        rows.append((2.0 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], mu_force, gamma))
    return b[1] * w1, tuple(rows)


@kernel(fastmath=_FAST)
def _first_stage(begin, end, x0, f0, step, x):
    for k in range(begin, end):
        x[k] = x0[k] + step * f0[k]


@kernel(fastmath=_FAST)
def _slope(begin, end, f0, f1):
    total = 0.0
    for k in range(begin, end):
        total += f0[k] * (f1[k] - f0[k])
    return total


@kernel(fastmath=_FAST)
def _stage(begin, end, x0, f0, newer, force, older, x, mu, nu, step, step0):
    # Written with differences from the start: they keep digits that the positions themselves would round away.
    for k in range(begin, end):
        x[k] = x0[k] + (mu * (newer[k] - x0[k]) + nu * (older[k] - x0[k]) + step * force[k] + step0 * f0[k])


@kernel(fastmath=_FAST)
def _difference(begin, end, x0, f0, x1, f1, h):
    """Return the sums of squares of the displacement and of the error estimate."""
    moved = 0.0
    error = 0.0
    for k in range(begin, end):
        step = x1[k] - x0[k]
        wrong = 0.4 * h * (f0[k] + f1[k]) - 0.8 * step
        moved += step * step
        error += wrong * wrong
    return moved, error
