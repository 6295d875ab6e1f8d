"""Quench every frame to its inherent structure."""

from __future__ import annotations

import json
from typing import Annotated, Any

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
        "log_frequency_sum": pelplug.Field(
            ("frame",), "1", "sum over the modes of ln(omega t), omega in rad and t one unit of time"
        ),
        "modes": pelplug.Field(("frame",), "1", "vibrational modes in the sum, without translations and rattlers"),
        "n_rattlers": pelplug.Field(("frame",), "1", "rattlers taken out, which have no frequency"),
        "rattlers_by": pelplug.Field(("frame",), "1", "how rattlers were told: by contacts, or blocks of the Hessian"),
        "mean_log_frequency_sum": pelplug.Field((), "1", "mean of log_frequency_sum over frames"),
        "mean_log_frequency_sum_error": pelplug.Field((), "1", "its standard error"),
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
        "parameters": {"log_frequency_sum": True},
        "exempt": {
            "max_force": "nothing but what the minimiser has left",
            "evaluations": "rounding decides when it has converged",
        },
    }

    def __init__(
        self,
        trajectory,
        *,
        log_frequency_sum: Annotated[
            bool,
            pelplug.Param(
                "also sum ln omega over the modes of each structure, which takes a factorisation of its Hessian",
                meaning=False,
            ),
        ] = False,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.log_frequency_sum = log_frequency_sum
        _, self.needs = self.demands(self.parameters)

    @classmethod
    def demands(cls, parameters) -> tuple[tuple[str, ...], pelplug.Need]:
        """Return what it uses and needs: a Hessian and masses too where frequencies are asked for."""
        more = pelplug.Need.HESSIAN | pelplug.Need.MASSES
        return cls.uses, cls.needs | more if parameters["log_frequency_sum"] else cls.needs

    def compute(self, configuration) -> dict[str, Any]:
        """Quench one frame.

        Raises
        ------
        NotConvergedError
            With the reason.
        NotAMinimumError
            If frequencies are asked for, and the structure has a zero mode or a negative eigenvalue.
        """
        # In the cell, coordinates keep their last digits however far a particle has travelled.
        start = configuration.wrapped()
        quenched = self.quench(start)
        frequencies = self._frequencies(quenched.configuration) if self.log_frequency_sum else {}
        return {
            **frequencies,
            "energy_per_particle": quenched.energy / start.n,
            "energy": quenched.energy,
            "initial_energy": quenched.initial_energy,
            "max_force": quenched.max_force,
            "evaluations": quenched.evaluations,
            "displacement": quenched.displacement,
            "positions": quenched.configuration.unwrapped_positions(),
            "cell": start.cell,
        }

    def _frequencies(self, state) -> dict[str, Any]:
        response = pelplug.LinearResponse(state.wrapped(), self.potential_of(state), pairs=1, determinant=True)
        # In units in which a squared frequency is a curvature over a mass, whatever the model's are.
        masses = self.units.mass_unit * self.masses_of(state)
        return {
            "log_frequency_sum": pelplug.log_frequency_sum(response, masses),
            "modes": response.n_modes,
            "n_rattlers": response.n_rattlers,
            "rattlers_by": response.rattlers_by,
        }

    def summarize(self, dataset):
        """Add mean, variance and skewness of the total inherent-structure energy, and the mean of the frequencies."""
        energy = dataset["energy"].values
        samples = EnergySamples(dataset, energy)
        for name, (value, error) in energy_moments(energy, samples).items():
            dataset[f"{name}_energy"], dataset[f"{name}_energy_error"] = ((), value), ((), error)
            pelplug.state_errors(dataset, [f"{name}_energy_error"], samples.attributes(samples.of))
        if self.log_frequency_sum:
            dataset["log_frequency_sum"].attrs["frequency_unit"] = self.units.text("rad / time")
            logarithms = dataset["log_frequency_sum"].values
            samples_of_them = EnergySamples(dataset, logarithms)
            mean, error = energy_moments(logarithms, samples_of_them)["mean"]
            dataset["mean_log_frequency_sum"], dataset["mean_log_frequency_sum_error"] = ((), mean), ((), error)
            said = samples_of_them.attributes(samples_of_them.of)
            pelplug.state_errors(dataset, ["mean_log_frequency_sum_error"], said)
        dataset.attrs["not_found"] = json.dumps(samples.remarks(self.name))
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw the inherent-structure energy per particle over time, with its mean and standard deviation."""
        from pelplug_inherent_structures.drawing import draw_energies

        return draw_energies(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Draw the energies over time and, where they are known, the frequencies against them."""
        from pelplug_inherent_structures.drawing import draw_figure

        return draw_figure(self.to_dataset())
