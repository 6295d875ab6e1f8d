"""Propensity of motion in the isoconfigurational ensemble, and how it goes with the dipole stiffness."""

from __future__ import annotations

import itertools
import json
from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_propensity.options import EngineName, TimeStep, VelocityTemperature
from pelplug_propensity.relaxation_time import relaxation_time
from pelplug_propensity.settings import step_of_runs, velocity_temperature
from pelplug_propensity.statistics import extremes, ranks_by_species, spearman_by_species

__all__ = ["Propensity"]

GROUPS = ("mobile", "immobile", "all")


class Propensity(pelplug.Analysis):
    """The mean displacement of each particle in many runs from one configuration.

    Notes
    -----
    The variable ``route`` says what simulated and with whose forces.
    """

    name = "propensity"
    summary = "Isoconfigurational propensity of motion, and its correlation with the dipole stiffness"
    needs = (
        pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.MASSES | pelplug.Need.POTENTIAL | pelplug.Need.ENGINE
    )
    uses = ("inherent-structures", "kappa")
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "propensity": pelplug.Field(("frame", "particle"), "length", "mean displacement over the runs"),
        "propensity_error": pelplug.Field(("frame", "particle"), "length", "standard error of propensity"),
        "propensity_squared": pelplug.Field(("frame", "particle"), "length**2", "mean squared displacement"),
        "propensity_rank": pelplug.Field(("frame", "particle"), "1", "rank within the species, 1 the most mobile"),
        "kappa_rank": pelplug.Field(("frame", "particle"), "1", "rank of kappa_i within the species, 1 the stiffest"),
        "kappa_ratio": pelplug.Field(("frame", "particle"), "1", "kappa_i over its mean in the frame"),
        "mobile": pelplug.Field(("frame", "selected"), "1", "most mobile particles, -1 where there are fewer"),
        "immobile": pelplug.Field(("frame", "selected"), "1", "least mobile particles, -1 where there are fewer"),
        "spearman": pelplug.Field(("frame", "kind"), "1", "rank correlation of 1/kappa_i with propensity by species"),
        "spearman_frame": pelplug.Field(("frame",), "1", "rank correlation, mean over the species"),
        "route": pelplug.Field(("frame",), "1", "what simulated, with whose forces"),
        "spearman_mean": pelplug.Field((), "1", "C_s: rank correlation of 1/kappa_i with propensity, mean over frames"),
        "spearman_error": pelplug.Field((), "1", "standard error of spearman_mean"),
        "kappa_distribution": pelplug.Field(("group", "kappa_bin"), "1", "P(kappa_i/<kappa>) of each group"),
        "kappa_distribution_error": pelplug.Field(("group", "kappa_bin"), "1", "standard error of kappa_distribution"),
        "kappa_bin_edges": pelplug.Field(("kappa_edge",), "1", "edges of the bins of kappa_i/<kappa>"),
        "rank_distribution": pelplug.Field(("group", "rank_bin"), "1", "density of the rank of kappa_i in each group"),
        "rank_distribution_error": pelplug.Field(("group", "rank_bin"), "1", "standard error of rank_distribution"),
        "duration": pelplug.Field((), "time", "length of each run"),
        "relaxation_time": pelplug.Field((), "time", "tau_alpha; NaN where the duration was given"),
        "velocity_temperature": pelplug.Field((), "energy / k_B", "temperature of the velocities"),
    }
    cites = (
        "A. Widmer-Cooper, P. Harrowell and H. Fynewever, Phys. Rev. Lett. 93, 135701 (2004)",
        "Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
    )
    trial = {  # noqa: RUF012
        "model": "inverse-power-law",
        "n": 40,
        "frames": 2,
        "parameters": {"duration": 0.05, "replicas": 2, "resamples": 100},
        "expected_failures": dict.fromkeys(
            ("check_permutation", "check_rotation"), "velocities are drawn one after the other, along fixed axes"
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        replicas: Annotated[int, pelplug.Param("runs from each frame", minimum=2)] = 20,
        duration: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "length of each run; auto: tau_alpha/10, F_s(tau_alpha) of the trajectory being the threshold",
                exclusive_minimum=0,
                unit="time",
            ),
        ] = "auto",
        threshold: Annotated[
            float, pelplug.Param("what F_s has fallen to at tau_alpha", exclusive_minimum=0, exclusive_maximum=1)
        ] = 0.2,
        wave_number: Annotated[
            Literal["auto"] | float,
            pelplug.Param("wave number q of F_s; auto: 2 pi rho^(1/d)", exclusive_minimum=0, unit="1 / length"),
        ] = "auto",
        velocity_temperature: VelocityTemperature = "auto",
        origin: Annotated[
            str,
            pelplug.Param(
                "where runs begin: at the frame, or at its inherent structure as in the paper",
                choices=("frame", "inherent-structure"),
            ),
        ] = "frame",
        ensemble: Annotated[
            str,
            pelplug.Param(
                "equations of motion; auto: nve from a frame, nvt from an inherent structure",
                choices=("auto", "nve", "nvt", "langevin"),
            ),
        ] = "auto",
        time_step: TimeStep = None,
        engine: EngineName = "auto",
        selected: Annotated[
            int,
            pelplug.Param(
                "most and least mobile particles of the largest species to pick in each frame", minimum=1, meaning=False
            ),
        ] = 5,
        largest: Annotated[
            str, pelplug.Param("species to pick them from; auto: of the largest diameter or sigma")
        ] = "auto",
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples of the frames", minimum=100, maximum=100_000, meaning=False)
        ] = 1000,
        seed: Annotated[
            int, pelplug.Param("seed of the velocities and of the bootstrap", minimum=0, meaning=False)
        ] = 0,
        bins: Annotated[
            int, pelplug.Param("bins of P(kappa/<kappa>), equal in the logarithm", minimum=2, meaning=False)
        ] = 24,
        **base,
    ):
        super().__init__(trajectory, **base)
        _, self.needs = self.demands(self.parameters)
        if ensemble == "auto":
            ensemble = "nve" if origin == "frame" else "nvt"
        self.replicas, self.threshold, self.ensemble, self.engine = replicas, threshold, ensemble, engine
        self.origin, self.selected, self.resamples, self.seed, self.bins = origin, selected, resamples, seed, bins
        self._given = {"duration": duration, "wave_number": wave_number}
        self.largest = largest
        self._settled: dict[str, float] = {}

    # --- once -----------------------------------------------------------------------------------------------

    @classmethod
    def demands(cls, parameters) -> tuple[tuple[str, ...], pelplug.Need]:
        """Return what it uses and needs: the temperature of the states, where that of the velocities is not given."""
        own = parameters["velocity_temperature"] != "auto"
        return cls.uses, cls.needs if own else cls.needs | pelplug.Need.TEMPERATURE

    def settle(self) -> dict[str, float]:
        """Return temperature, duration and relaxation time, from the trajectory where they were not given.

        Raises
        ------
        InputError
            If the trajectory does not say.
        """
        if self._settled:
            return self._settled
        given = self._given
        step_of_runs(self)
        temperature = velocity_temperature(self)
        tau, duration = np.nan, given["duration"]
        if duration == "auto":
            first = self.trajectory.configuration(0)
            wave_number = given["wave_number"]
            if wave_number == "auto":
                wave_number = 2.0 * np.pi * first.density ** (1.0 / first.dimension)
            tau = relaxation_time(self.trajectory, self._species(first), wave_number, self.threshold)
            duration = tau / 10.0
        times = {"duration": float(duration), "relaxation_time": float(tau)}
        self._settled = {"velocity_temperature": temperature, **times}
        return self._settled

    def check_before(self, frames) -> None:
        """Find temperature and duration before anything is quenched, and refuse a run without a time step."""
        velocity_temperature(self)
        if self.largest != "auto" and self.largest not in self.trajectory.species_names:
            raise pelplug.InputError(
                f"There is no species {self.largest}; there are {', '.join(self.trajectory.species_names)}."
            )
        self.settle()

    def prepare(self) -> None:
        """Find temperature and duration."""
        self.settle()

    # --- each frame -----------------------------------------------------------------------------------------

    def compute(self, configuration) -> dict[str, Any]:
        """Run the replicas of one frame and compare with its dipole stiffness."""
        settled = self.settle()
        start = configuration.wrapped()
        if self.origin == "inherent-structure":
            positions = self.input("inherent-structures")["positions"].values
            start = configuration.replace(positions=positions, images=None).wrapped()
        runs = pelplug.isoconfigurational(
            start,
            self.model,
            settled["velocity_temperature"],
            settled["duration"],
            replicas=self.replicas,
            seed=(self.seed, configuration.frame or 0),
            ensemble=self.ensemble,
            engine=self.engine,
            time_step=step_of_runs(self),
        )
        squared = np.sum(runs.displacements[:, -1] ** 2, axis=-1)
        distances = np.sqrt(squared)
        mean = distances.mean(axis=0)
        kappa = self.input("kappa")["kappa"].values
        species = configuration.species
        spearman = spearman_by_species(1.0 / kappa, mean, species)
        names = self.trajectory.species_names
        mobile, immobile = self._extremes(start, mean)
        return {
            "propensity": mean,
            "propensity_error": pelplug.standard_error(distances),
            "propensity_squared": squared.mean(axis=0),
            "propensity_rank": ranks_by_species(mean, species),
            "kappa_rank": ranks_by_species(kappa, species),
            "kappa_ratio": kappa / np.nanmean(kappa),
            "mobile": mobile,
            "immobile": immobile,
            "spearman": np.array([spearman[str(name)] for name in names]),
            "spearman_frame": np.nanmean(list(spearman.values()))
            if any(map(np.isfinite, spearman.values()))
            else np.nan,
            "route": f"{runs.engine}: {runs.route}",
        }

    def _species(self, configuration) -> str:
        """Return the species of the largest particles."""
        names = self.trajectory.species_names
        if self.largest != "auto":
            if self.largest not in names:
                raise pelplug.InputError(f"There is no species {self.largest}; there are {', '.join(names)}.")
            return self.largest
        potential = self.potential_of(configuration)
        sizes = potential.sizes(configuration)
        if sizes is not None:
            mean = {name: float(sizes[configuration.species == name].mean()) for name in names}
            if len(set(mean.values())) > 1:
                return max(names, key=lambda name: mean[name])
        counts = {name: int(np.sum(configuration.species == name)) for name in names}
        return max(names, key=counts.get)

    def _extremes(self, configuration, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        name = self._species(configuration)
        potential = self.potential_of(configuration)
        candidates = np.flatnonzero(configuration.species == name)
        ranges = potential.ranges(configuration)
        spacing = configuration.density ** (-1.0 / configuration.dimension)
        separation = 2.5 * spacing if ranges is None else float(ranges[candidates].max())
        fractional, cell = configuration.fractional(), configuration.cell
        # Fractions rounded give the nearest image in cells with right angles alone; in others it is one beside it.
        reach = int(separation / configuration.heights.min() + 0.5)
        beside = np.array(list(itertools.product(range(-reach, reach + 1), repeat=len(cell))))

        def distance_squared(i, others):
            apart = fractional[others] - fractional[i]
            images = (apart - np.rint(apart))[:, None] + beside
            return np.sum((images @ cell) ** 2, axis=-1).min(axis=1)

        found = []
        for sign in (1.0, -1.0):
            picked = extremes(sign * mean, candidates, distance_squared, separation, self.selected)
            found.append(np.pad(picked, (0, self.selected - picked.size), constant_values=-1))
        return found[0], found[1]

    # --- all frames -----------------------------------------------------------------------------------------

    def summarize(self, dataset):
        """Add C_s with its error, and the distributions of the mobile, the immobile and all."""
        settled = self.settle()
        values = dataset["spearman_frame"].values
        unit, of = pelplug.independent_samples(dataset, values, of="starting configurations")
        resampling = pelplug.Bootstrap(int(unit.max()) + 1, resamples=self.resamples, seed=self.seed)
        known = np.isfinite(values)
        mean = resampling.means(
            pelplug.unit_sums(np.where(known, values, 0.0), unit), pelplug.unit_sums(known.astype(float), unit)
        )
        groups = self._groups(dataset)
        ratios = dataset["kappa_ratio"].values
        edges = np.geomspace(np.nanmin(ratios), np.nanmax(ratios) * (1 + 1e-9), self.bins + 1)
        rank_edges = np.linspace(0.0, 1.0, 11)
        of_kappa, of_rank = (
            [_density(resampling, unit, part, chosen, edge) for chosen in groups]
            for part, edge in ((ratios, edges), (dataset["kappa_rank"].values, rank_edges))
        )
        dataset = dataset.assign_coords(
            group=("group", list(GROUPS)), kind=("kind", list(self.trajectory.species_names))
        ).assign(
            spearman_mean=((), mean[0]),
            spearman_error=((), resampling.error(mean, samples=np.unique(unit[known]).size)),
            kappa_distribution=(("group", "kappa_bin"), [value for value, _ in of_kappa]),
            kappa_distribution_error=(("group", "kappa_bin"), [error for _, error in of_kappa]),
            kappa_bin_edges=("kappa_edge", edges),
            rank_distribution=(("group", "rank_bin"), [value for value, _ in of_rank]),
            rank_distribution_error=(("group", "rank_bin"), [error for _, error in of_rank]),
            **{name: ((), settled[name]) for name in settled},
        )
        missing = []
        fewest = pelplug.FEWEST_FOR_ERROR
        if resampling.samples < fewest:
            missing.append(
                f"There are no errors of C_s and of the distributions: they come from the scatter of {fewest} or more "
                f"starting configurations, not {resampling.samples}; start from more frames (--step, --stop)."
            )
        if self.replicas < fewest:
            missing.append(
                f"There are no errors of the propensity: they come from {fewest} or more runs from each "
                f"configuration, not {self.replicas}; raise --replicas."
            )
        dataset.attrs["not_found"] = json.dumps(missing)
        pelplug.state_errors(dataset, ["propensity_error"], "standard error over the runs of a frame", self.replicas)
        names = ("spearman_error", "kappa_distribution_error", "rank_distribution_error")
        return pelplug.state_errors(dataset, names, resampling.attributes(of))

    def _groups(self, dataset) -> list[np.ndarray]:
        """Return a mask, shape (frame, particle), of the mobile, the immobile, and all of their species."""
        shape = dataset["kappa_ratio"].shape
        masks = []
        for name in ("mobile", "immobile"):
            mask = np.zeros(shape, dtype=bool)
            chosen = dataset[name].values
            rows = np.repeat(np.arange(shape[0])[:, None], chosen.shape[1], axis=1)
            mask[rows[chosen >= 0], chosen[chosen >= 0]] = True
            masks.append(mask)
        # Frames of swap Monte Carlo have other species each.
        states = [self.trajectory.configuration(int(label)) for label in dataset["frame"].values]
        kind = self._species(states[0])
        return [*masks, np.array([state.species == kind for state in states]).reshape(shape)]

    def plot(self, ax=None, **keywords):
        """Draw P(kappa_i/<kappa>) of the mobile, the immobile and all."""
        from pelplug_propensity.drawing import draw_distributions

        return draw_distributions(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws the distributions of kappa and of its rank."""
        from pelplug_propensity.drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Draw the distributions of kappa beside those of its rank."""
        from pelplug_propensity.drawing import draw_figure

        return draw_figure(self.to_dataset())


def _density(resampling, unit, values, chosen, edges) -> tuple[np.ndarray, np.ndarray]:
    """Return the density of the chosen values, and its error over independent samples.

    Particles of one configuration are not independent of each other; bins that fewer than three samples reach have no
    error.

    Parameters
    ----------
    resampling : Resampling
        Over samples.
    unit : ndarray of int, shape (frames,)
        Sample of each frame.
    values, chosen : ndarray, shape (frames, N)
        Values, and which count.
    edges : ndarray
        Of the bins.
    """
    rows = [row[there & np.isfinite(row)] for row, there in zip(values, chosen, strict=True)]
    counts = pelplug.unit_sums(np.array([np.histogram(row, edges)[0] for row in rows]), unit)
    density = resampling.means(counts, pelplug.unit_sums(np.array([float(row.size) for row in rows]), unit))
    density /= np.diff(edges)
    return np.nan_to_num(density[0]), resampling.error(density, samples=np.count_nonzero(counts, axis=0))
