# ruff: noqa: RUF012
"""One analysis with every shape a variable may have, one that uses it, and one that reads no frames."""

from typing import Annotated

import numpy as np

import pelplug


class Near(pelplug.Analysis):
    name = "near"
    summary = "Pairs of particles nearer than a distance"
    provides = {
        "count": pelplug.Field(("frame", "particle"), "1", "number of near particles"),
        "total": pelplug.Field(("frame",), "1", "number of near pairs"),
        "separation": pelplug.Field(("frame", "pair"), "length", "distance of a near pair", ragged=True),
        "pair_particles": pelplug.Field(("frame", "pair", "end"), "1", "particles of a near pair", ragged=True),
        "mean_count": pelplug.Field(("particle",), "1", "mean number of near particles"),
    }
    cites = ("A. Author, J. Examples 1, 1 (2020)",)

    def __init__(
        self,
        trajectory,
        *,
        distance: Annotated[float, pelplug.Param("largest distance", exclusive_minimum=0, unit="length")] = 1.2,
        fail_at: Annotated[tuple[int, ...], pelplug.Param("frames that shall fail", minimum=0)] = (),
        **base,
    ):
        super().__init__(trajectory, **base)
        self.distance = distance
        self.fail_at = fail_at

    def compute(self, configuration):
        if configuration.frame in self.fail_at:
            raise ZeroDivisionError("told to fail")
        i, j = np.triu_indices(configuration.n, 1)
        shift = configuration.fractional()[j] - configuration.fractional()[i]
        r = np.linalg.norm((shift - np.rint(shift)) @ configuration.cell, axis=1)
        near = r < self.distance
        i, j = i[near], j[near]
        return {
            "count": np.bincount(np.concatenate([i, j]), minlength=configuration.n),
            "total": len(i),
            "separation": r[near],
            "pair_particles": np.stack([i, j], axis=1),
        }

    def summarize(self, dataset):
        return dataset.assign(mean_count=dataset["count"].mean("frame"))


class Busiest(pelplug.Analysis):
    name = "busiest"
    summary = "The particle with most near ones, and its nearest distance"
    uses = ("near",)
    provides = {
        "busiest": pelplug.Field(("frame",), "1", "particle with most near ones"),
        "shortest": pelplug.Field(("frame",), "length", "shortest distance in the frame"),
    }

    def compute(self, configuration):
        near = self.input("near")
        assert int(near["frame"]) == configuration.frame
        assert set(near["pair_frame"].values) <= {configuration.frame}
        return {"busiest": int(np.argmax(near["count"].values)), "shortest": float(near["separation"].min())}


class Drift(pelplug.Analysis):
    name = "drift"
    summary = "Change of the number of near pairs: reads results, no frames"
    uses = ("near",)
    reads_frames = False
    provides = {"change": pelplug.Field(("interval",), "1", "change from frame to frame")}

    def summarize(self, dataset):
        return dataset.assign(change=("interval", np.diff(self.input("near")["total"].values)))
