"""Products of the Hessian and vectors by differences of forces: where the matrix is too much, and to check one."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator

from pelplug.potentials.from_forces.displaced import DisplacedState
from pelplug.potentials.from_forces.steps import Step

__all__ = ["HessianProducts"]

BENT = 0.3  # of the change: from there on a force is no straight line over a displacement
_PROBES = 8


class HessianProducts(LinearOperator):
    """The Hessian as an operator: each product costs as many force evaluations as the order of the differences.

    Parameters
    ----------
    state : DisplacedState
        Where.
    step : Step
        Displacement and order; all particles move at once, none by more.
    factor : float
        Times the displacement: another step checks the first.
    """

    def __init__(self, state: DisplacedState, step: Step, factor: float = 1.0):
        size = state.shape[0] * state.shape[1]
        super().__init__(np.float64, (size, size))
        self._state, self._order, self._size = state, step.order, factor * step.size

    def _matvec(self, vector: np.ndarray) -> np.ndarray:
        vector = np.asarray(vector, dtype=np.float64).ravel()
        scale = float(np.abs(vector).max(initial=0.0))
        if scale == 0.0:
            return np.zeros_like(vector)
        shift = (self._size / scale) * vector.reshape(self._state.shape)
        slope = self._slope(shift)
        if self._order == 4:
            slope = (4.0 * slope - self._slope(2.0 * shift) / 2.0) / 3.0
        return slope.ravel() * (scale / self._size)

    def with_bend(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the product, and on which particles the force is no straight line over the displacement."""
        shift = (self._size / float(np.abs(vector).max())) * vector.reshape(self._state.shape)
        ahead, behind = self._state(shift)[1], self._state(-shift)[1]
        bend = np.linalg.norm(ahead + behind - 2.0 * self._state.forces, axis=1)
        return self @ vector, bend > BENT * np.linalg.norm(ahead - behind, axis=1)

    def _slope(self, shift: np.ndarray) -> np.ndarray:
        return (self._state(-shift)[1] - self._state(shift)[1]) / 2.0

    def _rmatvec(self, vector: np.ndarray) -> np.ndarray:
        return self._matvec(vector)

    def diagonal(self) -> np.ndarray:
        """Return an estimate of the diagonal, from random signs: good to what its mean is used for."""
        rng = np.random.default_rng(0)
        signs = rng.choice([-1.0, 1.0], size=(_PROBES, self.shape[0]))
        return np.mean([sign * self._matvec(sign) for sign in signs], axis=0)
