# ruff: noqa: RUF012
"""Analyses that go wrong while they run, each in one way."""

import time
from typing import Annotated

import numpy as np

import pelplug


class Base(pelplug.Analysis):
    summary = "goes wrong"
    provides = {
        "x": pelplug.Field(("frame",), "1", "x"),
        "v": pelplug.Field(("frame", "particle"), "1", "v"),
        "w": pelplug.Field(("frame", "bin"), "1", "w"),
        "late": pelplug.Field(("bin",), "1", "late"),
    }


class Returns(Base):
    """Returns what it is told to, by a key."""

    name = "returns"

    def __init__(self, trajectory, *, what: Annotated[str, pelplug.Param("key")] = "fine", **base):
        super().__init__(trajectory, **base)
        self.what = what

    def compute(self, configuration):
        n, frame = configuration.n, configuration.frame
        return {
            "fine": {"x": 1.0},
            "list": [1.0],
            "unknown": {"y": 1.0},
            "not per frame": {"late": [1.0]},
            "length": {"v": np.zeros(n - 1)},
            "dimensions": {"v": np.zeros((n, 3))},
            "object": {"x": object()},
            "changes": {"w": np.zeros(frame + 1)},
            "sometimes": {"x": 1.0} if frame else {},
        }[self.what]


class Fails(Base):
    """Fails in every frame as a refusal, a failure to converge, or a bug."""

    name = "fails"

    def __init__(self, trajectory, *, how: Annotated[str, pelplug.Param("kind")] = "bug", **base):
        super().__init__(trajectory, **base)
        self.how = how

    def compute(self, configuration):
        if self.how == "input":
            raise pelplug.InputError("The species are wrong; map them.")
        if self.how == "converge":
            raise pelplug.NotConvergedError("The quench did not converge; raise max_evaluations.")
        raise IndexError("list index out of range")


class Summary(Base):
    """Goes wrong after its frames."""

    name = "summary"

    def __init__(self, trajectory, *, how: Annotated[str, pelplug.Param("kind")] = "bug", **base):
        super().__init__(trajectory, **base)
        self.how = how

    def compute(self, configuration):
        return {"x": 1.0}

    def summarize(self, dataset):
        if self.how == "nothing":
            return None
        if self.how == "undeclared":
            return dataset.assign(z=1.0)
        if self.how == "dims":
            return dataset.assign(late=("frame", np.zeros(dataset.sizes["frame"])))
        raise IndexError("bug")


class Slow(Base):
    """Takes its time, so that a run can be stopped."""

    name = "slow"

    def compute(self, configuration):
        time.sleep(0.4)
        return {"x": configuration.positions[0, 0]}


class Dies(Base):
    """Ends its process, as the system does when memory runs out."""

    name = "dies"

    def compute(self, configuration):
        import multiprocessing
        import os

        if multiprocessing.parent_process() is not None:
            os._exit(9)
        return {"x": 0.0}


class Hungry(Base):
    """Needs everything a file may lack."""

    name = "hungry"
    needs = pelplug.Need.POSITIONS | pelplug.Need.HESSIAN

    def compute(self, configuration):
        return {"x": self.potential_of(configuration).energy(configuration)}


class Circle1(Base):
    name = "circle1"
    uses = ("circle2",)
    compute = Slow.compute


class Circle2(Base):
    name = "circle2"
    uses = ("circle1",)
    compute = Slow.compute


class Orphan(Base):
    name = "orphan"
    uses = ("inherent-structure",)
    compute = Slow.compute


class Child(Returns):
    """Inherits a parameter and adds one; sets the inherited one's value for its own needs."""

    name = "child"

    def __init__(self, trajectory, *, depth: Annotated[int, pelplug.Param("depth", minimum=0)] = 1, **base):
        super().__init__(trajectory, **base)
        self.depth = depth
