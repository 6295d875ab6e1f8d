"""Coordination numbers: an analysis as a class, with a parameter, numbers over all frames, and a figure of its own."""

from typing import Annotated, ClassVar

import freud
import numpy as np

import pelplug


class Coordination(pelplug.Analysis):
    """Number of particles within `distance` of each particle; the first minimum of g(r) is the usual choice."""

    name = "coordination"
    summary = "Coordination number of every particle"
    provides: ClassVar = {
        "coordination": pelplug.Field(("frame", "particle"), "1", "coordination number"),
        "mean_coordination": pelplug.Field(("frame",), "1", "mean coordination number"),
        "number": pelplug.Field(("bin",), "1", "coordination number"),
        "probability": pelplug.Field(("bin",), "1", "fraction of particles"),
    }
    cites = ("V. Ramasubramani et al., Comput. Phys. Commun. 254, 107275 (2020)",)

    def __init__(
        self,
        trajectory,
        *,
        distance: Annotated[
            float, pelplug.Param("largest distance of a neighbour", exclusive_minimum=0, unit="length")
        ] = 1.4,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.distance = distance

    def compute(self, configuration):
        """Count the neighbours in one frame."""
        query = freud.locality.AABBQuery(*configuration.freud())
        try:
            bonds = query.query(query.points, {"r_max": self.distance, "exclude_ii": True}).toNeighborList()
        except RuntimeError:
            raise pelplug.InputError(f"The distance {self.distance:g} is beyond half the box; choose less.") from None
        counts = bonds.neighbor_counts.astype(np.int64)
        return {"coordination": counts, "mean_coordination": counts.mean()}

    def summarize(self, dataset):
        """Add the distribution over all particles and frames."""
        numbers, counts = np.unique(dataset["coordination"], return_counts=True)
        return dataset.assign(number=("bin", numbers), probability=("bin", counts / counts.sum()))

    def plot(self, ax=None, **keywords):
        """Draw the distribution of coordination numbers."""
        dataset = self.to_dataset()
        panel = pelplug.Panel(dataset, ax, **keywords).axes("coordination number", "fraction of particles")
        return panel.curve(dataset["number"], dataset["probability"]).finish()
