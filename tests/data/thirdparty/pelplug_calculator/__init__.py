"""A potential of a third party: energy and forces by NumPy, and nothing else."""

import numpy as np

import pelplug

EPSILON, SIGMA, END = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]]), 2.5
# 4 (x^-12 - x^-6) + C . (1, x^2, x^4) and its first two derivatives vanish at the end.
C = np.linalg.solve(
    [[1, END**2, END**4], [0, 2 * END, 4 * END**3], [0, 2, 12 * END**2]],
    [-4 * (END**-12 - END**-6), 4 * (12 * END**-13 - 6 * END**-7), -4 * (156 * END**-14 - 42 * END**-8)],
)


class Calculator(pelplug.Potential):
    """The Kob-Andersen mixture, smooth at its cutoff, in cells wider than twice that."""

    def record(self):
        return {"potential": "pelplug-calculator"}

    def energy_forces(self, configuration):
        kind = (configuration.species == "B").astype(int)
        steps = [s[:, None] - s for s in configuration.fractional().T]
        steps = [step - np.rint(step) for step in steps]
        parts = [sum(step * w for step, w in zip(steps, column, strict=True) if w) for column in configuration.cell.T]
        i, j = np.nonzero(np.triu(sum(part * part for part in parts) < END**2, 1))
        r = np.stack([part[i, j] for part in parts])
        x2 = np.sum(r**2, axis=0) / SIGMA[kind[i], kind[j]] ** 2
        near = x2 < END**2
        i, j, r, x2 = i[near], j[near], r[:, near], x2[near]
        epsilon, sigma, six = EPSILON[kind[i], kind[j]], SIGMA[kind[i], kind[j]], x2**-3
        energy = epsilon * (4 * (six**2 - six) + C[0] + C[1] * x2 + C[2] * x2**2)
        pull = epsilon / sigma**2 * (24 * (2 * six**2 - six) / x2 - 2 * C[1] - 4 * C[2] * x2)
        forces = [np.bincount(i, pull * w, len(kind)) - np.bincount(j, pull * w, len(kind)) for w in r]
        return energy.sum(), np.stack(forces, axis=1)
