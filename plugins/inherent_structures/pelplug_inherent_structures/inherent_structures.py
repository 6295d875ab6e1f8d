"""Quench every frame to its inherent structure."""

from __future__ import annotations

import json
from typing import Any

import pelplug
from pelplug_inherent_structures.statistics import EnergySamples, energy_moments

__all__ = ["InherentStructures"]


class InherentStructures(pelplug.QuenchingAnalysis):
    """The inherent structure (IS) of each frame: the minimum of U that the chosen algorithm reaches from it.

    Raises
    ------
    InputError
        If a parameter does not fit, or the minimiser has no such one.

    Notes
    -----
    A frame that does not converge fails with the reason and is not part of the result. The attribute ``quench`` of the
    dataset holds the method and every parameter, as JSON.
    """

    name = "inherent-structures"
    summary = "Energy and coordinates of the inherent structure of every frame"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.POTENTIAL
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "energy_per_particle": pelplug.Field(("frame",), "energy", "inherent-structure energy per particle"),
        "energy": pelplug.Field(("frame",), "energy", "inherent-structure energy"),
        "initial_energy": pelplug.Field(("frame",), "energy", "potential energy of the frame"),
        "max_force": pelplug.Field(("frame",), "energy / length", "largest force component left"),
        "evaluations": pelplug.Field(("frame",), "1", "force evaluations of the quench"),
        "displacement": pelplug.Field(
            ("frame",), "length", "rms displacement from the frame to its inherent structure"
        ),
        "positions": pelplug.Field(
            ("frame", "particle", "dimension"), "length", "inherent-structure positions, unwrapped"
        ),
        "cell": pelplug.Field(("frame", "vector", "dimension"), "length", "cell vectors"),
        "mean_energy": pelplug.Field((), "energy", "mean inherent-structure energy"),
        "mean_energy_error": pelplug.Field((), "energy", "its standard error"),
        "variance_energy": pelplug.Field((), "energy**2", "variance of the inherent-structure energy"),
        "variance_energy_error": pelplug.Field((), "energy**2", "its standard error"),
        "skewness_energy": pelplug.Field((), "1", "skewness of the inherent-structure energy"),
        "skewness_energy_error": pelplug.Field((), "1", "its standard error"),
    }
    cites = (
        "F. H. Stillinger and T. A. Weber, Phys. Rev. A 25, 978 (1982)",
        "E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006)",
    )
    trial = {  # noqa: RUF012
        "exempt": {
            "max_force": "nothing but what the minimiser has left",
            "evaluations": "rounding decides when it has converged",
        }
    }

    def compute(self, configuration) -> dict[str, Any]:
        """Quench one frame.

        Raises
        ------
        NotConvergedError
            With the reason.
        """
        # In the cell, coordinates keep their last digits however far a particle has travelled.
        start = configuration.wrapped()
        quenched = self.quench(start)
        return {
            "energy_per_particle": quenched.energy / start.n,
            "energy": quenched.energy,
            "initial_energy": quenched.initial_energy,
            "max_force": quenched.max_force,
            "evaluations": quenched.evaluations,
            "displacement": quenched.displacement,
            "positions": quenched.configuration.unwrapped_positions(),
            "cell": start.cell,
        }

    def summarize(self, dataset):
        """Add mean, variance and skewness of the total inherent-structure energy."""
        energy = dataset["energy"].values
        samples = EnergySamples(dataset, energy)
        for name, (value, error) in energy_moments(energy, samples).items():
            dataset[f"{name}_energy"], dataset[f"{name}_energy_error"] = ((), value), ((), error)
            pelplug.state_errors(dataset, [f"{name}_energy_error"], samples.attributes(samples.of))
        dataset.attrs["not_found"] = json.dumps(samples.remarks(self.name))
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw the inherent-structure energy per particle over time, with its mean and standard deviation."""
        from pelplug_inherent_structures.drawing import draw_energies

        return draw_energies(self.to_dataset(), ax, **keywords)
