"""LAMMPS by pelplug: its own pair styles against pelplug's kernels through fix external, by processor time.

Run: ``python benchmarks/engines_lammps.py``. Both routes by turns on the same liquid; medians of the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.lammps.engine import LammpsEngine
from pelplug.engines.velocities import thermalised

# Model: a temperature at which it is a liquid.
MODELS = {
    "kob-andersen": 0.8,
    "modified-kob-andersen": 0.8,
    "inverse-power-law": 0.8,
    "sticky-spheres": 1.0,
    "polydisperse-soft-spheres": 0.5,
    "polydisperse-soft-spheres-2d": 0.5,
    "stillinger-weber": 0.08,
    "cu50zr50": 1500.0,
}


def liquid(name: str, n: int):
    """Return a model and a state with velocities."""
    model = pelplug.model(name)
    start = model.random_configuration(n, 1)
    eased = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
    return model, thermalised(eased, model, MODELS[name], 1).replace(step=0)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="particles")
    parser.add_argument("--steps", type=int, default=200, help="steps a turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    options = parser.parse_args()
    print("| model | LAMMPS's style | steps/s native | steps/s kernel | ratio (range) |\n|---|---|---|---|---|")
    for name in options.models:
        model, state = liquid(name, options.n)
        dynamics = EquationsOfMotion("nvt", model.time_step, temperature=MODELS[name])
        with (
            LammpsEngine(route="native").session(state, model, dynamics, seed=1) as native,
            LammpsEngine(route="kernel").session(state, model, dynamics, seed=1) as kernel,
        ):
            rates: dict = {native: [], kernel: []}
            for session in rates:
                session.run(options.steps)  # compiled, melted a little
            for _ in range(options.turns):
                for session, found in rates.items():
                    began = time.process_time()
                    session.run(options.steps)
                    found.append(options.steps / (time.process_time() - began))
            ratios = [ours / theirs for ours, theirs in zip(rates[kernel], rates[native], strict=True)]
            print(
                f"| {name} | {native.route.removeprefix('native: ')} | {statistics.median(rates[native]):.0f} | "
                f"{statistics.median(rates[kernel]):.0f} | {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f}) |",
                flush=True,
            )


if __name__ == "__main__":
    main()
