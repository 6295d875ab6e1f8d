"""Results to try the study with."""

from __future__ import annotations

__all__ = ["trial_results"]


def trial_results(folder) -> list:
    """Return results of kappa and dynamics at two temperatures: states that a random walk takes away from a minimum."""
    import numpy as np

    import pelplug
    from pelplug.testing import make_trajectory

    path = make_trajectory(folder / "states.gsd", n=60, frames=2, minima=2)
    model = pelplug.model("kob-andersen", truncation="smooth")
    made = []
    for k, temperature in enumerate((0.5, 1.0)):
        said = pelplug.Conditions(temperature=temperature)
        start, rng = pelplug.read_configuration(path, frame=k), np.random.default_rng(k)
        steps = 0.1 * (1 + k) * rng.normal(size=(30, start.n, 3))
        walk = start.positions + np.cumsum(steps, axis=0)
        states = [
            start.replace(positions=one, images=np.zeros(one.shape, dtype=int), step=10 * number, time=0.05 * number)
            for number, one in enumerate(walk)
        ]
        pelplug.write_trajectory(folder / f"walk-{k}.gsd", states, conditions=said)
        pelplug.write_trajectory(folder / f"state-{k}.gsd", [start], conditions=said)
        made.append(pelplug.analyze("kappa", folder / f"state-{k}.gsd", model=model, pairs=20))
        made.append(
            pelplug.analyze(
                "dynamics", folder / f"walk-{k}.gsd", model=model, quantities=("msd", "fs"), wave_number=7.25, dt=0.005
            )
        )
    return made
