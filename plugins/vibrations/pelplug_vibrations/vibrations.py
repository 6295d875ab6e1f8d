"""Vibrational modes of the inherent structure of each frame."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_vibrations.elastic import beta_harmonic, debye_level, first_phonon
from pelplug_vibrations.modes import all_modes, lowest_modes, participation_ratio
from pelplug_vibrations.spectrum import averaged

__all__ = ["Vibrations"]

FREQUENCY = "rad / time"
MODULUS = "energy / length**dimension"

# Moduli of given axes and planes, and what follows from them.
OF_AXES = (
    "shear_modulus",
    "omega_phonon",
    "debye",
    "debye_mean",
    "debye_mean_error",
    "shear_modulus_mean",
    "shear_modulus_mean_error",
    "fit_limit",
    "exponent",
    "exponent_error",
    "quartic",
    "quartic_error",
    *(f"{name}{suffix}" for name in ("c11", "c12", "c44") for suffix in ("", "_mean", "_mean_error")),
    "stress_strain_coefficients",
    "elastic_constants",
    "elastic_constants_nonaffine",
    "stress",
)
# Degrees of freedom up to which "auto" takes all modes, and above which "all" is refused.
SMALL, LARGEST = 6000, 30_000
AUTO_MODES = 300


class Vibrations(pelplug.Analysis):
    """Frequencies and participation ratios of the modes in which each inherent structure vibrates."""

    name = "vibrations"
    summary = "Vibrational modes of each inherent structure: density of states, participation ratios, low-frequency law"
    needs = pelplug.Need.POSITIONS | pelplug.Need.HESSIAN | pelplug.Need.MASSES
    uses = ("inherent-structures",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "omega": pelplug.Field(("frame", "mode"), FREQUENCY, "frequency of the mode", ragged=True),
        "participation_ratio": pelplug.Field(("frame", "mode"), "1", "participation ratio of the mode", ragged=True),
        "polarisation": pelplug.Field(
            ("frame", "kept", "particle", "dimension"), "1", "polarisation vector sqrt(m) u of a low mode, normalised"
        ),
        "n_modes": pelplug.Field(("frame",), "1", "modes there are, without translations and rattlers"),
        "omega_known": pelplug.Field(("frame",), FREQUENCY, "every mode below this frequency was found"),
        "omega_phonon": pelplug.Field(("frame",), FREQUENCY, "frequency of the first transverse phonon from G"),
        "shear_modulus": pelplug.Field(("frame",), MODULUS, "athermal shear modulus, mean over planes"),
        **pelplug.ElasticConstants.FIELDS,
        "debye": pelplug.Field(("frame",), "time**dimension", "A of Debye's D(omega) = A omega**(dimension - 1)"),
        "n_rattlers": pelplug.Field(("frame",), "1", "rattlers taken out"),
        "rattlers_by": pelplug.Field(("frame",), "1", "how rattlers were told: by contacts, or blocks of the Hessian"),
        "pairs_at_cutoff": pelplug.Field(("frame",), "1", "pairs within cutoff_tolerance of the cutoff"),
        "solver": pelplug.Field(("frame",), "1", "how the Hessian was inverted"),
        "density_of_states": pelplug.Field(("omega_bin",), "time", "D(omega), integral one over all modes"),
        "density_of_states_error": pelplug.Field(("omega_bin",), "time", "standard error of D(omega)"),
        "density_of_states_interval": pelplug.Field(("bound", "omega_bin"), "time", "bootstrap interval of D(omega)"),
        "counts": pelplug.Field(("omega_bin",), "1", "modes in the bin"),
        "omega_samples": pelplug.Field(("omega_bin",), "1", "independent samples with modes in the bin"),
        "omega_edges": pelplug.Field(("edge",), FREQUENCY, "edges of the bins"),
        "debye_mean": pelplug.Field((), "time**dimension", "mean A of Debye's law"),
        "debye_mean_error": pelplug.Field((), "time**dimension", "standard error of the mean A of Debye's law"),
        "shear_modulus_mean": pelplug.Field((), MODULUS, "mean shear modulus"),
        "shear_modulus_mean_error": pelplug.Field((), MODULUS, "standard error of the mean shear modulus"),
        **pelplug.ElasticConstants.MEANS,
        "fit_limit": pelplug.Field((), FREQUENCY, "modes below this frequency were fitted"),
        "n_fitted": pelplug.Field((), "1", "modes fitted"),
        "exponent": pelplug.Field((), "1", "s of D(omega) ~ omega**s below fit_limit"),
        "exponent_error": pelplug.Field((), "1", "standard error of the exponent"),
        "quartic": pelplug.Field((), "time**5", "A_4 of D(omega) = A_4 omega**4 below fit_limit"),
        "quartic_error": pelplug.Field((), "time**5", "standard error of A_4"),
        "beta_harm": pelplug.Field((), "1", "exponent of harmonic descent in a Debye spectrum, d/4 + 1/2"),
    }
    cites = (
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
        "E. Lerner, G. During and E. Bouchbinder, Phys. Rev. Lett. 117, 035501 (2016)",
    )
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 2,
        "parameters": {"modes": 20},
        "exempt": dict.fromkeys(
            (f"check_rotation.{name}" for name in OF_AXES),
            "moduli are of given axes and planes, and so small a cell is not isotropic",
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        modes: Annotated[
            Literal["auto", "all"] | int,
            pelplug.Param(
                "all modes, or how many of the lowest; auto: all up to N d = 6000, else the lowest 300", minimum=1
            ),
        ] = "auto",
        vectors: Annotated[
            int, pelplug.Param("polarisation vectors to keep, from the lowest mode", minimum=0, meaning=False)
        ] = 0,
        solver: Annotated[
            str,
            pelplug.Param(
                "how the Hessian is inverted, for the moduli and the lowest modes; auto: by size, sparsity and memory",
                choices=("auto", "dense", "sparse", "cg"),
                meaning=False,
            ),
        ] = "auto",
        bins: Annotated[int, pelplug.Param("bins of D(omega), equal in the logarithm", minimum=2, meaning=False)] = 40,
        fit_below: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "frequency below which the power law is fitted; auto: 0.9 of the lowest first phonon",
                exclusive_minimum=0,
                unit="1 / time",
            ),
        ] = "auto",
        cutoff_tolerance: Annotated[
            float,
            pelplug.Param(
                "a pair this close to the cutoff, as a fraction of it, sits on it", exclusive_minimum=0, maximum=0.1
            ),
        ] = 1e-6,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.modes = modes
        self.vectors = vectors
        self.solver = solver
        self.bins = bins
        self.fit_below = fit_below
        self.cutoff_tolerance = cutoff_tolerance

    def check_before(self, frames) -> None:
        """Refuse more modes or vectors than there are or than fit into memory, and a system without masses.

        Raises
        ------
        InputError
            With the remedy.
        """
        n, d = self.trajectory.n, self.trajectory.dimension
        self._wanted(self._count(n * d), d * (n - 1))
        try:
            first = self.trajectory.configuration(int(frames[0]))
        except pelplug.PelplugError:  # the run records which frames cannot be read
            return
        first.require_masses("Vibrations need")
        _ = self.units.mass_unit  # refuses units that nobody states

    def _wanted(self, count: int | None, total: int) -> int:
        wanted = total if count is None else count
        if max(wanted, self.vectors) > total or self.vectors > wanted:
            raise pelplug.InputError(
                f"This state has {total} modes and {min(wanted, total)} were to be found; ask for no more of them "
                "(--modes), nor vectors (--vectors)."
            )
        return wanted

    def compute(self, configuration) -> dict[str, Any]:
        """Find the modes of the frame's inherent structure.

        Raises
        ------
        NotAMinimumError
            If the inherent structure has a negative eigenvalue or a zero mode besides the translations.
        InputError
            If more modes or vectors are asked for than there are, or all of a system too large for that.
        """
        configuration.require_masses("Vibrations need")
        positions = self.input("inherent-structures")["positions"].values
        state = configuration.replace(positions=positions, images=None, velocities=None).wrapped()
        count = self._count(state.positions.size)
        # Lanczos takes two to three solves for each mode.
        response = pelplug.LinearResponse(
            state, self.potential_of(state), solver=self.solver, pairs=max(1, 3 * (count or 100))
        )
        backbone, d = response.backbone, state.dimension
        # In units in which a squared frequency is a curvature over a mass, whatever the model's are.
        masses = self.units.mass_unit * self.masses_of(backbone)
        total = d * (backbone.n - 1)
        wanted = self._wanted(count, total)
        # Most of a dense matrix's eigenvalues by Lanczos take longer than all of them.
        if wanted > total // 3:
            omega, vectors = all_modes(response.hessian, masses)
            known = np.inf if wanted == total else omega[wanted]
            omega, vectors = omega[:wanted], vectors[:, :wanted]
        else:
            omega, vectors = lowest_modes(response, masses, wanted)
            known = omega[-1]
        response.state_softest(vectors[:, 0] / np.repeat(np.sqrt(masses), d))
        elastic = pelplug.elastic_constants(response)
        shear, bulk = elastic.shear.mean, elastic.bulk_modulus
        density = masses.sum() / state.volume
        values = {
            "omega": omega,
            "participation_ratio": participation_ratio(vectors, d),
            "n_modes": total,
            "omega_known": known,
            "omega_phonon": first_phonon(state.cell, shear, density),
            "shear_modulus": shear,
            **elastic.values(),
            "debye": debye_level(d, state.volume, total, shear, bulk, density),
            "n_rattlers": response.n_rattlers,
            "rattlers_by": response.rattlers_by,
            "pairs_at_cutoff": pelplug.pairs_near_cutoff(response, self.cutoff_tolerance),
            "solver": response.factor.solver,
        }
        if self.vectors:
            kept = np.zeros((self.vectors, state.n, d))
            kept[:, response.members] = vectors[:, : self.vectors].T.reshape(self.vectors, -1, d)
            values["polarisation"] = kept
        return values

    def summarize(self, dataset):
        """Add D(omega), the Debye level and the power law of the modes below the first phonon, with errors."""
        dataset, few = averaged(dataset, bins=self.bins, fit_below=self.fit_below)
        dataset = dataset.assign(beta_harm=((), beta_harmonic(self.trajectory.dimension - 1))).assign_coords(
            **pelplug.ElasticConstants.coordinates(self.trajectory.dimension)
        )
        dataset["omega_bin"].attrs = {"long_name": "frequency, middle of the bin", "units": FREQUENCY}
        dataset.attrs["quench"] = self.input("inherent-structures").attrs.get("quench", "")
        dataset.attrs["not_found"] = json.dumps(few)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw D(omega) on logarithmic axes, with the Debye level and the omega**4 law."""
        from pelplug_vibrations.drawing import draw_density

        return draw_density(self.to_dataset(), ax, self._dimension(), **keywords)

    def figure(self):
        """Draw D(omega) above the participation ratio of each mode."""
        from pelplug_vibrations.drawing import draw_figure

        return draw_figure(self.to_dataset(), self._dimension())

    def _count(self, freedom: int) -> int | None:
        """Return how many modes are wanted, None for all."""
        if self.modes == "auto":
            return None if freedom <= SMALL else AUTO_MODES
        if self.modes != "all":
            return self.modes
        if freedom > LARGEST:
            raise pelplug.InputError(
                f"All {freedom} modes need {16 * freedom**2 / 2**30:.0f} GiB and hours; ask for the lowest ones "
                "(--modes 300)."
            )
        return None

    def _dimension(self) -> int:
        # beta_harm = d/4 + 1/2 is in every dataset, the trajectory is not.
        return round(4.0 * float(self.to_dataset()["beta_harm"]) - 2.0)
