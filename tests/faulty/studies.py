# ruff: noqa: RUF012
"""Studies with one fault each; those of the rules that they share with analyses are analyses."""

import os

import numpy as np
from oracles.studies import RUNS, Square

import pelplug
from faulty import Faulty
from pelplug.tasks.collection import Collection


def runs(folder):
    return [one.copy(deep=True) for one in RUNS]


class Mean(pelplug.Study):
    """Mean height of all results."""

    name = "mean-height"
    summary = "Mean height"
    uses = ("height",)
    varies = ("temperature",)
    provides = {"mean": pelplug.Field((), "energy / length**2", "mean height")}
    trial = {"results": runs}

    def heights(self, collection):
        return [float(one["height"].mean()) for one in collection]

    def compute(self, collection):
        heights = self.heights(collection)
        return {"mean": sum(heights) / max(len(heights), 1)}

    def plot(self, ax=None, **keywords):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot() if ax is None else ax
        ax.axhline(float(self.to_dataset()["mean"]), **keywords)
        ax.set(xlabel="nothing", ylabel="mean height")
        return ax


class First(Mean):
    """Takes the first result alone."""

    def heights(self, collection):
        return super().heights(collection)[:1]


class InMemory(Mean):
    """Does not look into files."""

    def heights(self, collection):
        return [np.nan if one.path else float(one["height"].mean()) for one in collection]


class Marks(Mean):
    """Writes into results that it has read them."""

    def heights(self, collection):
        for one in collection:
            one.dataset.attrs["read"] = one.dataset.attrs.get("read", 0) + 1
        return super().heights(collection)


class TakesAll(Mean):
    """Takes whatever it is given."""

    @property
    def collection(self):
        return Collection() if self._given is None else self._given


def of_this_process(x):
    """What another process gives otherwise."""
    return {"y": x**2 + os.getpid()}


class Processes(Square):
    """Its parts depend on who computes them."""

    def compute(self, collection):
        x = np.linspace(0, 1, self.points)
        return {"x": x, "y": [one["y"] for one in self.each_part(of_this_process, [(one,) for one in x])]}


class NoName(Mean):
    """Its variable is no variable."""

    provides = {"mean": "energy"}


GOOD = (Mean, Square)
KIT = {"results": runs}
FAULTY = (
    Faulty(NoName, "check_declared", "pelplug.Field", kit=KIT),
    Faulty(First, "check_order_of_results", "mean differs", kit=KIT),
    Faulty(InMemory, "check_results_in_files", "mean differs", kit=KIT),
    Faulty(Processes, "check_parts_in_processes", "y differs"),
    Faulty(Marks, "check_leaves_results", "number 0, 1, 2, 3", kit=KIT),
    Faulty(TakesAll, "check_refuses_other_results", "without results it runs", kit=KIT),
)
