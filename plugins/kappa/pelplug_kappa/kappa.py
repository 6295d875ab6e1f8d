"""Local dipole stiffness and athermal shear modulus of each frame's inherent structure."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_kappa.picture import FIELDS as PICTURE
from pelplug_kappa.picture import as_given, picture
from pelplug_kappa.responses import FIELDS, check_choices, kept_responses, missing_pairs
from pelplug_kappa.statistics import averaged

__all__ = ["Kappa"]

STIFFNESS = "energy / length**2"
MODULUS = "energy / length**dimension"

# Moduli of given axes and planes, and what follows from them.
OF_AXES = (
    "shear_modulus",
    "shear_modulus_born",
    "shear_modulus_nonaffine",
    "shear_modulus_mean",
    "shear_modulus_mean_error",
    "shear_modulus_interval",
    *(f"{name}{suffix}" for name in ("c11", "c12", "c44") for suffix in ("", "_mean", "_mean_error")),
    "stress_strain_coefficients",
    "elastic_constants",
    "elastic_constants_nonaffine",
    "stress",
)
MODES = ("frame", "soft_mode")
# Solves that a start takes on average: only the choice of the solver depends on it.
SOLVES = 15
# What is left of the gradient of log C, as a fraction of the terms that cancel in it.
SOFT_MODE_TOLERANCE = 1e-8


class Kappa(pelplug.Analysis):
    """The stiffness with which each inherent structure answers the force dipole of each interacting pair.

    Notes
    -----
    Attributes of the dataset: ``pair_rule`` (whose pairs count, and how far first shells reach), ``solver`` (the ones
    used), ``not_found`` (why there are no errors or intervals) and ``soft_modes`` (how they were found), beside the
    usual ones.
    """

    name = "kappa"
    summary = "Local dipole stiffness of every interacting pair, and the shear modulus"
    needs = pelplug.Need.POSITIONS | pelplug.Need.HESSIAN
    uses = ("inherent-structures",)
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "kappa": pelplug.Field(("frame", "particle"), STIFFNESS, "mean dipole stiffness of the particle's pairs"),
        "kappa_ij": pelplug.Field(("frame", "pair"), STIFFNESS, "dipole stiffness of the pair", ragged=True),
        "pair_i": pelplug.Field(("frame", "pair"), "1", "first particle of the pair", ragged=True),
        "pair_j": pelplug.Field(("frame", "pair"), "1", "second particle of the pair", ragged=True),
        "kappa_frame": pelplug.Field(("frame",), STIFFNESS, "mean dipole stiffness"),
        "n_pairs": pelplug.Field(("frame",), "1", "pairs there are, by pair_rule"),
        "pair_rule": pelplug.Field(("frame",), "1", "whose pairs count"),
        "pairs_at_cutoff": pelplug.Field(("frame",), "1", "pairs within cutoff_tolerance of the cutoff"),
        "n_rattlers": pelplug.Field(("frame",), "1", "rattlers taken out"),
        "rattlers_by": pelplug.Field(("frame",), "1", "how rattlers were told: by contacts, or blocks of the Hessian"),
        "shear_modulus": pelplug.Field(("frame", "plane"), MODULUS, "athermal shear modulus"),
        "shear_modulus_born": pelplug.Field(("frame", "plane"), MODULUS, "Born part of the shear modulus"),
        "shear_modulus_nonaffine": pelplug.Field(("frame", "plane"), MODULUS, "what non-affine relaxation takes off"),
        **pelplug.ElasticConstants.FIELDS,
        "solver": pelplug.Field(("frame",), "1", "how the Hessian was inverted"),
        "positions": pelplug.Field(
            ("frame", "particle", "dimension"), "length", "inherent-structure positions, unwrapped"
        ),
        "cell": pelplug.Field(("frame", "vector", "dimension"), "length", "cell vectors"),
        **PICTURE,
        "soft_mode_stiffness": pelplug.Field(MODES, STIFFNESS, "stiffness of the soft mode", ragged=True),
        "soft_mode_frequency": pelplug.Field(MODES, "rad / time", "angular frequency of the soft mode", ragged=True),
        "soft_mode_participation_ratio": pelplug.Field(MODES, "1", "participation ratio of the soft mode", ragged=True),
        "soft_mode_cost": pelplug.Field(MODES, "energy**2 / length**4", "cost C of the soft mode", ragged=True),
        "soft_mode_core": pelplug.Field(MODES, "1", "particle that moves most in the soft mode", ragged=True),
        "soft_mode_core_position": pelplug.Field(
            (*MODES, "dimension"), "length", "position of the core in the inherent structure", ragged=True
        ),
        "soft_mode_starts": pelplug.Field(MODES, "1", "dipole responses that led to the soft mode", ragged=True),
        "soft_mode_vectors": pelplug.Field(
            (*MODES, "particle", "dimension"), "1", "displacement field of the soft mode, of norm one", ragged=True
        ),
        "softest_mode": pelplug.Field(
            ("frame", "particle", "dimension"), "1", "displacement field of the softest mode, of norm one"
        ),
        "soft_mode_cores": pelplug.Field(("frame", "particle"), "1", "soft modes with their core at the particle"),
        "n_soft_mode_starts": pelplug.Field(("frame",), "1", "dipole responses minimised from"),
        "n_soft_mode_unconverged": pelplug.Field(("frame",), "1", "dipole responses left out, not converged"),
        **FIELDS,
        "species": pelplug.Field(("particle",), "1", "species"),
        "kappa_mean": pelplug.Field((), STIFFNESS, "mean dipole stiffness over pairs and inherent structures"),
        "kappa_mean_error": pelplug.Field((), STIFFNESS, "standard error of the mean dipole stiffness"),
        "kappa_interval": pelplug.Field(("bound",), STIFFNESS, "bootstrap interval of the mean dipole stiffness"),
        "kappa_distribution": pelplug.Field(("kappa_ratio",), "1", "P(kappa / <kappa>)"),
        "kappa_distribution_error": pelplug.Field(("kappa_ratio",), "1", "standard error of P(kappa / <kappa>)"),
        "kappa_distribution_interval": pelplug.Field(
            ("bound", "kappa_ratio"), "1", "bootstrap interval of P(kappa / <kappa>)"
        ),
        "kappa_counts": pelplug.Field(("kappa_ratio",), "1", "pairs in the bin"),
        "kappa_samples": pelplug.Field(("kappa_ratio",), "1", "independent samples with pairs in the bin"),
        "kappa_ratio_edges": pelplug.Field(("edge",), "1", "edges of the bins of kappa / <kappa>"),
        "shear_modulus_mean": pelplug.Field((), MODULUS, "mean shear modulus over planes and inherent structures"),
        "shear_modulus_mean_error": pelplug.Field((), MODULUS, "standard error of the mean shear modulus"),
        "shear_modulus_interval": pelplug.Field(("bound",), MODULUS, "bootstrap interval of the mean shear modulus"),
        **pelplug.ElasticConstants.MEANS,
    }
    cites = (
        "Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
        "E. Lerner and E. Bouchbinder, J. Chem. Phys. 148, 214502 (2018)",
        "D. Richard et al., Phys. Rev. Lett. 126, 015501 (2021)",
    )
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 2,
        "parameters": {"resamples": 100, "response": ("softest",)},
        "exempt": dict.fromkeys(("pair_i", "pair_j", "response_i", "response_j"), "they number particles")
        | {"response_direction": "from the particle of the lower number to the other"}
        | dict.fromkeys(
            (f"check_rotation.{name}" for name in OF_AXES),
            "they are of given axes and planes, and so small a cell is not isotropic",
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        pairs: Annotated[
            Literal["all"] | int,
            pelplug.Param("every pair, or how many to sample in each frame", minimum=1),
        ] = "all",
        pair_rule: Annotated[
            Literal["auto", "interacting", "first-shell", "bonds", "hessian"] | float,
            pelplug.Param(
                "whose pairs count: those that interact, in the first shell of g(r), bonded in the force field, with a "
                "block of the Hessian, or nearer than a length; auto: interacting, or first-shell where a potential "
                "without a cutoff is no sum over pairs",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = "auto",
        seed: Annotated[int, pelplug.Param("seed of the sample and of the bootstrap", minimum=0, meaning=False)] = 0,
        solver: Annotated[
            str,
            pelplug.Param(
                "how the Hessian is inverted; auto: by size, sparsity and memory",
                choices=("auto", "dense", "sparse", "cg"),
                meaning=False,
            ),
        ] = "auto",
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        confidence: Annotated[
            float,
            pelplug.Param("probability inside the bootstrap intervals", exclusive_minimum=0, exclusive_maximum=1),
        ] = 0.9,
        bins: Annotated[
            int, pelplug.Param("bins of P(kappa/<kappa>), equal in the logarithm", minimum=2, meaning=False)
        ] = 40,
        cutoff_tolerance: Annotated[
            float,
            pelplug.Param(
                "a pair this close to the cutoff, as a fraction of it, sits on it", exclusive_minimum=0, maximum=0.1
            ),
        ] = 1e-6,
        soft_modes: Annotated[
            Literal["all"] | int,
            pelplug.Param(
                "look for soft modes from this many of each frame's softest dipole responses, or all; 0 for none",
                minimum=0,
            ),
        ] = 0,
        soft_mode_overlap: Annotated[
            float,
            pelplug.Param("soft modes with |z.z'| above this are one", exclusive_minimum=0, exclusive_maximum=1),
        ] = 0.99,
        soft_mode_vectors: Annotated[
            bool,
            pelplug.Param("keep the displacement field of every soft mode, not only of the softest", meaning=False),
        ] = False,
        response: Annotated[
            tuple[str, ...],
            pelplug.Param(
                "keep the dipole responses z_ij of these pairs: softest, stiffest, or two particles as 17-42",
                metavar="PAIR,...",
                meaning=False,
            ),
        ] = (),
        **base,
    ):
        super().__init__(trajectory, **base)
        self.response = response
        self.pairs, self.pair_rule = pairs, pair_rule
        self._shells, self._surveyed = None, ()
        self.seed = seed
        self.solver = solver
        self.resamples = resamples
        self.confidence = confidence
        self.bins = bins
        self.cutoff_tolerance = cutoff_tolerance
        self.soft_modes = soft_modes
        self.soft_mode_overlap = soft_mode_overlap
        self.soft_mode_vectors = soft_mode_vectors

    def check_before(self, frames) -> None:
        """Refuse responses of pairs that there are not.

        Raises
        ------
        InputError
            With the remedy.
        """
        check_choices(self.response, self.trajectory.n)
        self.survey(frames)

    def fingerprint(self) -> str:
        """Return what decides the result of a frame, the first shells of all frames included."""
        own = super().fingerprint()
        if self._shells is None:
            return own
        return hashlib.sha256(f"{own} {self._shells.text(12)}".encode()).hexdigest()

    def survey(self, frames) -> None:
        """Find how far first shells reach, by g(r) of all frames: that of one is noise as well.

        Raises
        ------
        InputError
            If they are asked for, and some two species have none that is clear.
        """
        if self.pair_rule not in ("auto", "first-shell") or self._surveyed == tuple(frames):
            return
        states = self._states_of(frames)
        first = next(states, None)
        if first is None or (self.pair_rule == "auto" and not self._acts_on_all(first)):
            return
        self._shells, self._surveyed = pelplug.first_shells(itertools.chain([first], states)), tuple(frames)
        if self.pair_rule == "first-shell":
            self._shells.require(
                "one length for all pairs (--pair-rule 3.2), or another rule (--pair-rule interacting)"
            )

    def _states_of(self, frames):
        for frame in frames:
            try:
                yield self.trajectory.configuration(int(frame))
            except pelplug.PelplugError:  # it fails again when its turn comes, and is told then
                continue

    def _acts_on_all(self, state) -> bool:
        """Whether a potential may be no sum over pairs and acts at any distance, as far as it says."""
        potential = as_given(self.potential_of(state))
        return not potential.can(pelplug.Capability.PAIRS) and potential.reach(state) is None

    def compute(self, configuration) -> dict[str, Any]:
        """Factorise the Hessian of the frame's inherent structure and read off pairs and moduli.

        Raises
        ------
        NotAMinimumError
            If the inherent structure has a negative eigenvalue or a zero mode besides the translations.
        """
        positions = self.input("inherent-structures")["positions"].values
        # Coordinates of the cell keep their last digits however far a particle has travelled.
        state = configuration.replace(positions=positions, images=None, velocities=None).wrapped()
        if self.soft_modes:  # their frequencies need masses: the file's, the model's, or 1 in reduced units
            state = state.replace(masses=self.masses_of(state))
        potential = self.potential_of(state)
        response = pelplug.LinearResponse(state, potential, solver=self.solver, pairs=self._solves())
        response.choose_pairs(self.pair_rule, self._shells)
        elastic = pelplug.elastic_constants(response)
        modulus = elastic.shear
        # Every frame draws its own sample, whichever worker has it.
        stiffness = pelplug.dipole_stiffness(response, self.pairs, seed=(self.seed, configuration.frame or 0))
        values = {
            "kappa": stiffness.kappa_i,
            "kappa_ij": stiffness.kappa_ij,
            "pair_i": stiffness.i,
            "pair_j": stiffness.j,
            "kappa_frame": stiffness.mean,
            "n_pairs": stiffness.n_pairs,
            "pair_rule": response.pair_rule,
            "pairs_at_cutoff": pelplug.pairs_near_cutoff(response, self.cutoff_tolerance),
            "n_rattlers": response.n_rattlers,
            "rattlers_by": response.rattlers_by,
            "shear_modulus": modulus.values,
            "shear_modulus_born": modulus.born,
            "shear_modulus_nonaffine": modulus.nonaffine,
            **elastic.values(),
            "solver": response.factor.solver,
            "positions": positions,
            "cell": state.cell,
            **picture(response, as_given(potential)),
        }
        if self.response:
            values |= kept_responses(response, stiffness, self.response)
        return values | self._soft_modes(response, stiffness, positions) if self.soft_modes else values

    def summarize(self, dataset):
        """Add means with errors and intervals, and the distribution of kappa / <kappa>."""
        dataset, few = averaged(
            dataset, bins=self.bins, confidence=self.confidence, resamples=self.resamples, seed=self.seed
        )
        dataset = dataset.assign(
            species=("particle", np.asarray(self.trajectory.species, dtype=str)),
        ).assign_coords(
            plane=("plane", _plane_names(dataset.sizes["dimension"])),
            **pelplug.ElasticConstants.coordinates(dataset.sizes["dimension"]),
        )
        dataset["plane"].attrs = {"long_name": "flow and gradient direction of the simple shear", "units": "1"}
        rules = sorted(set(map(str, dataset["pair_rule"].values)))
        if "first-shell" in rules:
            of = "of each inherent structure" if self._shells is None else f"at {self._shells.text()}"
            rules[rules.index("first-shell")] = f"first-shell: nearer than the first minimum of g(r), {of}"
        dataset.attrs["pair_rule"] = "; ".join(rules)
        dataset.attrs["solver"] = ", ".join(sorted(set(map(str, dataset["solver"].values))))
        if self.response:
            dataset = dataset.assign_coords(response=list(self.response))
            few += missing_pairs(dataset, self.response)
        dataset.attrs["not_found"] = json.dumps(few)
        # Which minimum this is depends on the algorithm that found it.
        dataset.attrs["quench"] = self.input("inherent-structures").attrs.get("quench", "")
        if self.soft_modes:
            starts = "all dipole responses" if self.soft_modes == "all" else f"the {self.soft_modes} softest responses"
            dataset.attrs["soft_modes"] = (
                f"pseudoharmonic modes from {starts} of each frame, gradient of log C below {SOFT_MODE_TOLERANCE:g}"
            )
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw P(kappa/<kappa>) on logarithmic axes."""
        from pelplug_kappa.drawing import draw_distribution

        return draw_distribution(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Draw P(kappa/<kappa>), a slice through the softest particle, the softest mode, and the responses kept."""
        from pelplug_kappa.drawing import draw_figure

        return draw_figure(self.to_dataset())

    def _solves(self) -> str | int:
        if self.pairs == "all":
            return "all"
        starts = self.pairs if self.soft_modes == "all" else min(self.pairs, self.soft_modes)
        return self.pairs + SOLVES * starts

    def _soft_modes(self, response, stiffness, positions) -> dict[str, Any]:
        """Return the variables of the soft modes."""
        modes = pelplug.soft_modes(
            response, stiffness, self.soft_modes, overlap=self.soft_mode_overlap, tolerance=SOFT_MODE_TOLERANCE
        )
        values = {
            "soft_mode_stiffness": modes.stiffness,
            "soft_mode_frequency": modes.frequency / np.sqrt(self.units.mass_unit),
            "soft_mode_participation_ratio": modes.participation_ratio,
            "soft_mode_cost": modes.cost,
            "soft_mode_core": modes.core,
            "soft_mode_core_position": positions[modes.core],
            "soft_mode_starts": modes.starts,
            "softest_mode": modes.vectors[0] if len(modes) else np.full(positions.shape, np.nan),
            "soft_mode_cores": np.bincount(modes.core, minlength=len(positions)),
            "n_soft_mode_starts": modes.n_starts,
            "n_soft_mode_unconverged": modes.n_unconverged,
        }
        return values | {"soft_mode_vectors": modes.vectors} if self.soft_mode_vectors else values


def _plane_names(dimension: int) -> list[str]:
    planes = [(a, b) for a in range(dimension) for b in range(a + 1, dimension)]
    return ["xyz"[a] + "xyz"[b] if dimension <= 3 else f"{a}-{b}" for a, b in planes]
