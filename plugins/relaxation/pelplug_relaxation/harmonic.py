"""What a harmonic landscape would do: the decay predicted from the spectrum of the Hessian."""

from __future__ import annotations

import numpy as np

__all__ = ["harmonic_velocity", "low_frequency_exponent", "stiffnesses"]


def stiffnesses(hessian, dimension: int) -> np.ndarray:
    """Return the eigenvalues of a Hessian without translations and other modes that do not move (rattlers).

    Parameters
    ----------
    hessian : sparse matrix, shape (N * d, N * d)
        Of an inherent structure [energy / length**2].
    dimension : int
        Of space: that many translations are left out.

    Returns
    -------
    ndarray
        Ascending, positive [energy / length**2].
    """
    from scipy.linalg import eigvalsh

    values = eigvalsh(hessian.toarray(), overwrite_a=True, check_finite=False)
    values = np.delete(values, np.argsort(np.abs(values))[:dimension])
    return values[values > 1e-10 * values[-1]]


def harmonic_velocity(values: np.ndarray, times: np.ndarray, n: int) -> np.ndarray:
    """Return v(t) / sqrt(T) of a descent that starts from thermal vibrations around a minimum.

    Each mode starts with the mean square amplitude T / lambda of equipartition and decays as exp(-lambda t), so
    ``v^2 = (T / N) sum lambda exp(-2 lambda t)``; with Debye's density of modes this is ``t**-(d/2 + 1)``, and
    beta = d/4 + 1/2.

    Parameters
    ----------
    values : ndarray
        Eigenvalues lambda [energy / length**2].
    times : ndarray
        When [length**2 / energy].
    n : int
        Number of particles.
    """
    return np.array([np.sqrt(np.sum(values * np.exp(-2.0 * values * time)) / n) for time in times])


def low_frequency_exponent(values: np.ndarray, fraction: float) -> tuple[float, float]:
    """Return s of ``D(omega) ~ omega**s`` and its error, from the softest modes.

    The likelihood of their frequencies under omega**s below the next mode, without the bias of its maximum:
    ``s + 1 = (m - 1) / sum ln(omega_next / omega)``, with relative error (m - 2)**-1/2. Mode frequencies of a finite
    system come in groups (plane waves), which that error does not know.

    Parameters
    ----------
    values : ndarray
        Eigenvalues omega**2, ascending [energy / length**2].
    fraction : float
        Share of the modes used.
    """
    m = min(int(fraction * len(values)), len(values) - 1)
    if m < 3:
        return np.nan, np.nan
    frequency = np.sqrt(values[: m + 1])
    one = (m - 1) / float(np.sum(np.log(frequency[-1] / frequency[:-1])))
    return one - 1.0, one / np.sqrt(m - 2)
