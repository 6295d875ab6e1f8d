"""Soft modes of many small glasses: bounds, sizes and the low-frequency law.

Published: soft quasilocalised modes have the same size whatever N is, and frequencies with P(omega) ~ omega**4 (Lerner,
During and Bouchbinder, Phys. Rev. Lett. 117, 035501 (2016); Richard et al., Phys. Rev. Lett. 126, 015501 (2021)). The
protocol was written down in docs/records/2026-11-21-soft-modes.md before it was run. Run:

    pytest -m validation tests/validation/test_soft_modes.py -s
"""

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh

import pelplug

pytestmark = pytest.mark.validation
SMALL, LARGE, STARTS = 400, 2000, 64
STATES = {SMALL: range(1, 201), LARGE: range(1, 4)}
QUANTILES = (0.25, 0.5)


def measure(n, seed):
    """Return the soft modes of one inherent structure and the three lowest eigenvalues of its Hessian."""
    model = pelplug.model("inverse-power-law")
    start = model.random_configuration(n, seed)
    potential = model.potential(start)
    state = pelplug.quench(start, potential, "lbfgs").require_converged().configuration
    response = pelplug.LinearResponse(state, potential)
    modes = pelplug.soft_modes(response, pelplug.dipole_stiffness(response), STARTS)
    inverse = LinearOperator(response.hessian.shape, lambda v: response.factor.solve(v.reshape(-1)), dtype=float)
    v0 = np.random.default_rng(0).standard_normal(3 * n)
    return modes, np.sort(1 / eigsh(inverse, k=3, which="LA", v0=v0, return_eigenvectors=False))


def exponent(omega, limit):
    """Maximum likelihood of P(omega) ~ omega**s below a limit: s, its standard error, and of how many."""
    low = omega[omega < limit]
    slope = (low.size - 1) / np.log(limit / low).sum()
    return slope - 1, slope / np.sqrt(low.size - 2), low.size


def report(results):
    """Print what the states give and return the fits of P(omega), the main one first."""
    for n, found in results.items():
        counts = np.array([len(modes) for modes, _ in found])
        print(f"\nN = {n}: {len(found)} states")
        print(f"modes a state: {counts.mean():.2f} ({counts.min()} to {counts.max()})")
        print("starts that did not converge:", sum(modes.n_unconverged for modes, _ in found))
        size = [n * modes.participation_ratio[0] for modes, _ in found]
        print("N e of the softest mode, median and quartiles:", np.quantile(size, [0.5, 0.25, 0.75]).round(1))
        above = np.array([modes.stiffness[0] / values[0] for modes, values in found])
        print("its stiffness over the lowest eigenvalue, median and range:", np.quantile(above, [0.5, 0, 1]).round(4))
        soft = np.argsort([values[0] for _, values in found])[: max(3, len(found) // 20)]
        print("the same in the softest states:", above[soft].round(4))
    every = np.sqrt(np.concatenate([modes.stiffness for modes, _ in results[SMALL]]))
    softest = np.sqrt([modes.stiffness[0] for modes, _ in results[SMALL]])
    eigen = np.sqrt(np.concatenate([values for _, values in results[SMALL]]))
    lowest = np.sqrt([values[0] for _, values in results[SMALL]])
    fits = []
    for quantile in QUANTILES:
        for name, omega, first in (("modes", every, softest), ("eigenvalues", eigen, lowest)):
            limit = np.quantile(first, quantile)
            s, error, count = exponent(omega, limit)
            fits.append((s, error))
            print(f"{name} below {limit:.3f} (quantile {quantile}): s = {s:.2f} +- {error:.2f} of {count}", flush=True)
    return fits


@pytest.fixture(scope="module")
def results():
    return {n: [measure(n, seed) for seed in seeds] for n, seeds in STATES.items()}


def test_bounds_and_size(results):
    for found in results.values():
        for modes, values in found:
            assert modes.n_unconverged == 0
            assert (modes.stiffness >= values[0] * (1 - 1e-8)).all()
    sizes = [np.median([n * modes.participation_ratio[0] for modes, _ in found]) for n, found in results.items()]
    assert 0.5 < sizes[0] / sizes[1] < 2.0


@pytest.mark.xfail(reason="s = 2.78 +- 0.54 in small glasses from random starts, docs/records/2026-11-21-soft-modes.md")
def test_low_frequency_law(results):
    s, error = report(results)[0]
    assert abs(s - 4) < 2 * error or 3 < s < 5
