# ruff: noqa: RUF012
"""Analyses with mistakes that the kit for authors must find."""

import pelplug

FIELD = pelplug.Field(("frame",), "1", "a number")


class NoSummary(pelplug.Analysis):
    name = "no-summary"
    provides = {"x": FIELD}

    def compute(self, configuration):
        return {"x": 1.0}


class PlainDims(NoSummary):
    name = "plain-dims"
    summary = "Dims without a Field"
    provides = {"x": ("frame",)}


class NoCompute(pelplug.Analysis):
    name = "no-compute"
    summary = "Forgot compute"
    provides = {"x": FIELD}


class NoBase(NoSummary):
    name = "no-base"
    summary = "Takes nothing from the host"

    def __init__(self, trajectory):
        super().__init__(trajectory)


class CountsFrames(NoSummary):
    name = "counts-frames"
    summary = "Depends on the order of the frames in its process"
    provides = {"order": FIELD}

    def prepare(self):
        self.count = 0

    def compute(self, configuration):
        self.count += 1
        return {"order": self.count}


class FailsOnce(NoSummary):
    name = "fails-once"
    summary = "Fails in one frame"

    def compute(self, configuration):
        if configuration.frame == 2:
            raise ValueError("told to")
        return {"x": 1.0}


class Unpicklable(NoSummary):
    name = "unpicklable"
    summary = "Holds something that does not pickle"

    def __init__(self, trajectory, **base):
        super().__init__(trajectory, **base)
        self.function = lambda x: x

    def compute(self, configuration):
        return {"x": self.function(1.0)}
