"""The inherent-structure trajectory: which structure a system is in at every time, and when it goes to another."""

from __future__ import annotations

import itertools
import json
from typing import Annotated

import numpy as np
import xarray as xr

import pelplug
from pelplug_inherent_structures.bisection import Sampled, Search, search_by_bisection
from pelplug_inherent_structures.identity import Catalogue, follow, goes_far, images_of
from pelplug_inherent_structures.inherent_structures import InherentStructures
from pelplug_inherent_structures.quenching import Quencher, reason_of
from pelplug_inherent_structures.series import Found, Row, together
from pelplug_inherent_structures.statistics import (
    EnergySamples,
    ballistic_time,
    density_of,
    energy_moments,
    miss_rate,
    transition_rate,
)
from pelplug_inherent_structures.variables import PROVIDES

__all__ = ["InherentStructureTransitions"]

_OVER_FRAMES = (
    "mean_energy", "variance_energy", "skewness_energy", "density", "transition_rate", "reduced_rate",
)  # fmt: skip
_GROUP = 1000
"""Frames whose coordinates are in memory at once."""


class InherentStructureTransitions(pelplug.QuenchingAnalysis):
    """Inherent structure (IS) over time, its transitions and their rate, from few quenches.

    Frames are in time, dense enough that successive ones are in the same IS as a rule.

    Raises
    ------
    RunError
        If no frame could be quenched.
    InputError
        If the cell changes between frames, or frames do not follow each other in time.

    Notes
    -----
    Bisection after B. Doliwa and A. Heuer, Phys. Rev. E 67, 030501 (2003): where the frames at both ends of an interval
    have the same IS, nothing inside is quenched. It finds every transition that dense quenching finds, at the same
    frames, but for excursions that leave and return inside an interval.
    """

    name = "inherent-structure-transitions"
    summary = "Inherent structure over time, transitions and their rate, by bisection"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.POTENTIAL | pelplug.Need.TIME
    needs |= pelplug.Need.IDENTITY
    provides = PROVIDES
    cites = (
        "F. H. Stillinger and T. A. Weber, Phys. Rev. A 25, 978 (1982)",
        "B. Doliwa and A. Heuer, Phys. Rev. E 67, 030501 (2003)",
    )
    reads_frames = False
    pools = True
    keeps = True
    trial = {  # noqa: RUF012
        "n": 60,
        "frames": 24,
        "minima": 4,
        "exempt": {
            "density": "its bins begin and end at energies that are there, where rounding decides",
            "skewness_energy_error": "of resamples in which all energies are one",
        },
    }

    def __init__(
        self,
        trajectory,
        *,
        search: Annotated[
            str, pelplug.Param("quench as few frames as bisection needs, or all", choices=("bisection", "all"))
        ] = "bisection",
        interval: Annotated[
            int,
            pelplug.Param(
                "frames from one quench to the next in the first pass of the bisection; 1 finds everything", minimum=1
            ),
        ] = 32,
        budget: Annotated[
            float,
            pelplug.Param(
                "fraction of the frames to quench, about, the sample included", minimum=0, maximum=1, meaning=False
            ),
        ] = 0.2,
        sample: Annotated[
            int | None,
            pelplug.Param(
                "skipped frames to quench at random for the miss rate; none: a fortieth of the frames",
                minimum=0,
                meaning=False,
            ),
        ] = None,
        energy_tolerance: Annotated[
            float, pelplug.Param("total energies of one structure differ by less", exclusive_minimum=0, unit="energy")
        ] = 1e-6,
        displacement_tolerance: Annotated[
            float,
            pelplug.Param(
                "particles of one structure are apart by less, images and drift aside",
                exclusive_minimum=0,
                unit="length",
            ),
        ] = 1e-2,
        bins: Annotated[int, pelplug.Param("bins of P(e_IS)", minimum=1, meaning=False)] = 40,
        seed: Annotated[int, pelplug.Param("seed of the random sample", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)
        self._n_workers = 1

    @classmethod
    def get_supported_backends(cls) -> tuple[str, ...]:
        """Return the names of the backends `run` takes: the search asks for frames as it goes, so not dask."""
        return ("serial", "multiprocessing")

    def check_before(self, frames) -> None:
        """Refuse frames out of order, and a model whose minima no minimiser can reach."""
        self._check_order(np.asarray(frames, dtype=int))
        super().check_before(frames)

    def _check_order(self, labels: np.ndarray) -> None:
        if np.any(np.diff(labels) <= 0):
            raise pelplug.InputError(
                f"The analysis {self.name} needs frames in the order of time, each once; give a positive --step."
            )

    def run(self, *selection, n_workers: int | None = None, backend=None, **keywords):
        """Run as `pelplug.Analysis.run` does; the quenches are spread over the processes of the backend."""
        if backend not in (None, *self.get_supported_backends()):
            raise pelplug.InputError(
                f"The analysis {self.name} cannot use the backend {backend}; use serial or multiprocessing."
            )
        if n_workers is not None and (isinstance(n_workers, bool) or n_workers < 1):
            raise pelplug.InputError(f"The number of workers must be a positive integer, not {n_workers!r}.")
        self._n_workers = (n_workers or pelplug.available_cores()) if backend == "multiprocessing" else 1
        return super().run(*selection, **keywords)

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Search the frames, and derive everything from the series of structures."""
        catalogue = Catalogue(self.parameters["energy_tolerance"], self.parameters["displacement_tolerance"])
        failures: dict[int, str] = {}
        selections = self.selections or (self.frames,)
        offsets = np.cumsum([0, *(one.n_frames for one in self.trajectories)])
        self.attributes["images"] = "followed from frame to frame"
        found = [
            self._search(trajectory, np.asarray(labels, dtype=int), int(offset), catalogue, failures)
            for trajectory, labels, offset in zip(self.trajectories, selections, offsets[:-1], strict=True)
        ]
        for trajectory, one in zip(self.trajectories, found, strict=True):
            if not one.quenched:
                label, reason = next(iter((k, v) for k, v in failures.items() if k in one.labels))
                raise pelplug.RunError(
                    f"The analysis {self.name} failed in every frame of {trajectory.path}; frame {label}: {reason}"
                )
        self.attributes["failed_frames"] = json.dumps({str(k): failures[k] for k in sorted(failures)})
        return self._dataset(found, catalogue)

    def _search(self, trajectory, labels: np.ndarray, offset: int, catalogue: Catalogue, failures: dict) -> Found:
        """Find the structures of the frames of one run; what failed goes to `failures`."""
        self._check_order(labels)
        times, unreadable = self._times(trajectory, labels)
        energies: dict[int, float] = {}
        images: dict[int, np.ndarray] = {}
        quenched = {name: self.parameters[name] for name in pelplug.QuenchingAnalysis.parameter_specs()}
        analysis = InherentStructures(trajectory, model=self.model, **quenched)
        store = None
        if self._store is not None:
            store = self._store.for_analysis(analysis.name, analysis.fingerprint())
        with Quencher(analysis, store, min(self._n_workers, len(labels)), bool(self._verbose)) as quencher:

            def identify(places: list[int]) -> list[int | None]:
                structures: list[int | None] = []
                # Coordinates of a group at a time: only those of distinct structures are kept.
                for group in (places[k : k + _GROUP] for k in range(0, len(places), _GROUP)):
                    for place, values in zip(group, quencher.quench([int(labels[k]) for k in group]), strict=True):
                        if values is None:
                            structures.append(None)
                            continue
                        energies[place] = float(values["energy"])
                        number = catalogue.identify(energies[place], values["positions"], values["cell"])
                        images[place] = images_of(catalogue.positions[number], values["positions"], values["cell"])
                        structures.append(number)
                return structures

            search = Search(len(labels), identify, failed=set(unreadable))
            sampled = Sampled(0, 0, 0, 0.0, 0.0, 0)
            if self.parameters["search"] == "all":
                search.quench(range(len(labels)))
            else:
                sample = self.parameters["sample"]
                sampled = search_by_bisection(
                    search,
                    self.parameters["interval"],
                    -(-len(labels) // 40) if sample is None else sample,
                    self.parameters["seed"],
                    self.parameters["budget"],
                )
        failures |= {offset + int(labels[k]): reason for k, reason in unreadable.items()}
        failures |= {offset + label: reason for label, reason in quencher.failures.items()}
        series = search.filled() if search.known else np.full(len(labels), -1)
        lost = ""
        alive = np.flatnonzero(series >= 0)
        moves = (
            catalogue.positions[series[b]] - catalogue.positions[series[a]] + (images[b] - images[a]) @ catalogue.cell
            for a, b in itertools.pairwise(alive.tolist())
            if series[a] != series[b]
        )
        # All frames are read once more only where that may say something else than the nearest images.
        if images and (not trajectory.has("images") or goes_far(moves, catalogue.cell)):
            lost = follow(trajectory, {int(labels[place]): one for place, one in images.items()})
        if lost:
            self.attributes["images"] = f"nearest ones: {lost}"
        counts = len(search.known), len(search.failed)
        return Found(offset + labels, times, series, energies, *counts, sampled, None if lost else images)

    def plot(self, ax=None, **keywords):
        """Draw the inherent-structure energy per particle over time, and a mark at every transition."""
        from pelplug_inherent_structures.drawing import draw_transitions

        return draw_transitions(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws the energy over time, and P(e_IS)."""
        from pelplug_inherent_structures.drawing import panels

        return panels(self.to_dataset())

    def figure(self):
        """Return a Figure: energy over time, and P(e_IS)."""
        from pelplug_inherent_structures.drawing import draw_transition_figure

        return draw_transition_figure(self.to_dataset())

    def _times(self, trajectory, labels: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        """Return the time of each frame, and why some cannot be read."""
        times, unreadable = np.full(len(labels), np.nan), {}
        for place, label in enumerate(labels):
            try:
                times[place] = trajectory.configuration(int(label)).time
            except Exception as error:
                unreadable[place] = reason_of(error)
        good = times[np.isfinite(times)]
        trajectory.check_times(np.asarray(labels)[np.isfinite(times)], good)
        return times, unreadable

    def _dataset(self, found: list[Found], catalogue: Catalogue) -> xr.Dataset:
        row = Row(found, catalogue)
        labels, times, energy = row.labels, row.times, row.energy
        configuration = self.joined.configuration(int(labels[0]))
        coords = {
            "frame": ("frame", labels, {"long_name": "frame number in the trajectory", "units": "1"}),
            "time": ("frame", times, {"long_name": "time", "units": "time"}),
        }
        several = len(found) > 1
        if several:
            coords["run"] = ("frame", row.run, {"long_name": "which of the trajectories", "units": "1"})
        samples = EnergySamples(xr.Dataset(coords=coords), energy)
        visited = row.structure[row.starts]
        positions, steps = row.path()
        lengths = np.sqrt(np.square(steps).sum(axis=2))
        changes = row.changes
        variables = {
            "structure": ("frame", row.structure),
            "energy": ("frame", energy),
            "energy_per_particle": ("frame", energy / configuration.n),
            "quenched": ("frame", row.quenched),
            "transition_before": ("transition", labels[changes]),
            "transition_after": ("transition", labels[changes + 1]),
            "transition_time": ("transition", (times[changes] + times[changes + 1]) / 2),
            "transition_distance": ("transition", np.sqrt(np.square(lengths).sum(axis=1))),
            "transition_largest": ("transition", lengths.max(axis=1)),
            "visit_structure": ("visit", visited),
            "visit_first": ("visit", labels[row.starts]),
            "visit_last": ("visit", labels[row.ends]),
            "visit_energy": ("visit", row.own[visited]),
            **({"visit_run": ("visit", row.run[row.starts])} if several else {}),
            # An export writes a frame for each, with what the frame of that label has besides positions.
            "positions": (("visit", "particle", "dimension"), positions, {"frame_labels": "visit_first"}),
            "cell": (("vector", "dimension"), catalogue.cell),
            **self._counts(found, len(row.found)),
            **self._rates(row, samples, configuration),
            **self._distribution(energy, configuration.n, samples),
        }
        dataset = xr.Dataset(variables, coords)
        dataset.attrs["not_found"] = json.dumps(samples.remarks(self.name))
        over = samples.attributes(samples.of)
        pelplug.state_errors(dataset, [f"{name}_error" for name in _OVER_FRAMES], over)
        sampled = int(dataset["sampled"])
        return pelplug.state_errors(
            dataset, ["missed_transitions_error"], "random sample of the skipped frames", sampled
        )

    def _counts(self, found: list[Found], structures: int) -> dict:
        sampled = together([one.sampled for one in found])
        rate, low, high = miss_rate(sampled.missed, sampled.size)
        known = sampled.size > 0
        return {
            "quenches": ((), sum(one.quenched + one.failed for one in found)),
            "structures": ((), structures),
            "skipped": ((), sampled.skipped),
            "sampled": ((), sampled.size),
            "missed": ((), sampled.missed),
            "miss_rate": ((), rate),
            "miss_rate_low": ((), low),
            "miss_rate_high": ((), high),
            "missed_transitions": ((), sampled.transitions if known else np.nan),
            "missed_transitions_error": ((), sampled.error if known else np.nan),
            # A run of r missed frames has r + 1 transitions at most, so no frame stands for more than two.
            "missed_transitions_high": ((), 2 * high * sampled.skipped),
            "recovered_transitions": ((), sampled.found),
        }

    def _rates(self, row: Row, samples: EnergySamples, configuration) -> dict:
        rate, error = transition_rate(row.times, row.run, row.changes, samples)
        values = {"transition_rate": ((), rate), "transition_rate_error": ((), error)}
        if (temperature := self.conditions.liquid_temperature) is not None:
            mass = float(np.mean(self.masses_of(configuration)))
            ballistic = ballistic_time(configuration, self.units.thermal_speed(temperature, mass))
            scale = ballistic * 1000 / configuration.n
            values |= {
                "ballistic_time": ((), ballistic),
                "reduced_rate": ((), rate * scale),
                "reduced_rate_error": ((), error * scale),
            }
        return values

    def _distribution(self, energy: np.ndarray, n: int, samples: EnergySamples | None = None) -> dict:
        samples = samples or EnergySamples(xr.Dataset(coords={"frame": np.arange(len(energy))}), energy)
        values = {}
        for name, (value, error) in energy_moments(energy, samples).items():
            values |= {f"{name}_energy": ((), value), f"{name}_energy_error": ((), error)}
        # One structure only: its quenches differ by rounding, far less than bins can tell.
        middle, half = (energy.min() + energy.max()) / 2, (energy.max() - energy.min()) / 2
        half = max(half, self.parameters["energy_tolerance"])
        edges = np.linspace((middle - half) / n, (middle + half) / n, self.parameters["bins"] + 1)
        density, error = density_of(energy / n, edges, samples)
        return values | {
            "bin_energy": ("bin", (edges[1:] + edges[:-1]) / 2),
            "density": ("bin", density),
            "density_error": ("bin", error),
        }
