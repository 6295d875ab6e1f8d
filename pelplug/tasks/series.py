"""Series: what is computed from energies over time, in a file, from frames, or inside a running simulation."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import xarray as xr

from pelplug.core.checksum import checksum
from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.potentials.interaction import require_interaction
from pelplug.tasks.analysis import Analysis
from pelplug.tasks.provenance import to_json
from pelplug.trajectories.energies import energies_of_trajectory, read_energies
from pelplug.trajectories.energy_series import EnergyChunk, EnergyOrigin, EnergySegments, gathered
from pelplug.trajectories.opening import open_trajectory

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Series"]

_OWN = ("auto", "log", "model")
_SAME = {"n": "particles", "extensive": "normalisation", "time_step": "time steps", "unit": "units"}  # of several runs


class Series(Analysis, abc.ABC):
    """Base of analyses of energies over time; one object serves a file and a running simulation.

    A subclass writes `begin`, `add` and `evaluate`, and `state` and `restore` if a running simulation may be
    interrupted. Energies come in equally spaced segments: restarts, gaps and odd entries have been dealt with.

    Attributes
    ----------
    origin : EnergyOrigin
        What is known of the series: ``source``, ``time_step`` [time], ``n``, ``extensive``, ``system`` (its `Units`),
        ``temperature``, ``note``.
    segments : EnergySegments
        ``spacing`` (steps or time between entries), ``entries``, ``segments`` (how many) and ``dropped``.
    running : bool
        Whether the energies are those of a running simulation.
    simulation : dict
        What a running simulation says of itself, as the record of a trajectory would.
    """

    needs = Need.POSITIONS
    reads_frames = False
    running = False
    simulation: ClassVar[dict] = {}

    def __init__(
        self,
        trajectory: Any,
        *,
        energies: Annotated[
            str,
            Param(
                "auto: what the trajectory logged, else from its frames with the model; log or model; or a file",
                meaning=False,
            ),
        ] = "auto",
        column: Annotated[str, Param("name of the quantity in a log or table; auto: the potential energy")] = "auto",
        block: Annotated[
            Literal["all"] | int,
            Param("which run of a log, 0 the first, -1 the last; all: those of molecular dynamics", meaning=False),
        ] = "all",
        instantaneous: Annotated[
            bool, Param("entries of LAMMPS's fix ave/time are of single steps (Nrepeat 1), not averages")
        ] = False,
        particles: Annotated[
            Literal["auto"] | int,
            Param("number of particles N; auto: the trajectory's, or what a LAMMPS log says", minimum=1),
        ] = "auto",
        time_step: Annotated[
            Literal["auto"] | float,
            Param("time of one step; auto: what the file says", exclusive_minimum=0, unit="time"),
        ] = "auto",
        normalisation: Annotated[
            str,
            Param(
                "whether energies are of the whole system or per particle; auto: what the file says",
                choices=("auto", "total", "per-particle"),
            ),
        ] = "auto",
        **base: Any,
    ) -> None:
        super().__init__(trajectory, **base)
        self.energies, self.column, self.block, self.instantaneous = energies, column, block, instantaneous
        self._particles, self._time_step, self._normalisation = particles, time_step, normalisation
        self.origin: EnergyOrigin = None  # type: ignore[assignment]  # None until it begins
        self.segments: EnergySegments = None  # type: ignore[assignment]  # None but while energies come

    # --- what an author writes ------------------------------------------------------------------------------------

    @abc.abstractmethod
    def begin(self) -> None:
        """Get ready for energies: `origin`, `running` and, in a running simulation, ``segments.spacing`` are known."""

    @abc.abstractmethod
    def add(self, energy: np.ndarray, begins: bool) -> None:
        """Take the next energies, equally spaced.

        Parameters
        ----------
        energy : ndarray, shape (K,)
            Potential energies, of the whole system or per particle (``origin.extensive``) [energy].
        begins : bool
            Whether a segment begins here, so that the time from the entry before is another.
        """

    @abc.abstractmethod
    def evaluate(self, dataset: xr.Dataset) -> xr.Dataset:
        """Return the dataset with everything computed; N, time and normalisation are settled in `origin`.

        Parameters
        ----------
        dataset : Dataset
            Without variables.
        """

    def begin_run(self) -> None:
        """Get ready for the energies of another trajectory, for a subclass that pools them; by default nothing."""

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs to go on in another process, as arrays.

        Raises
        ------
        InputError
            Unless a subclass knows.
        """
        raise InputError(f"The analysis {self.name} cannot be interrupted, so it cannot run in situ.")

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state` was taken; after `begin`."""
        raise NotImplementedError

    # --- running --------------------------------------------------------------------------------------------------

    def run(self, *arguments: Any, **keywords: Any) -> Self:
        """Run; without a trajectory, on a file of energies."""
        if self.trajectory is None and self.energies not in _OWN:
            return self.conclude()
        return super().run(*arguments, **keywords)

    def begin_series(self, n: int, time_step: float, log_every: int, temperature: float | None = None) -> None:
        """Get ready for energies of a running simulation; `add_energies` takes them, `conclude` ends.

        Parameters
        ----------
        n : int
            Number of particles.
        time_step : float
            Time of one step [time].
        log_every : int
            Steps between energies.
        temperature : float, optional
            Of the thermostat, if it is constant.
        """
        self.running = True
        origin = EnergyOrigin(
            "the running simulation", time_step=time_step, n=n, extensive=True, temperature=temperature
        )
        origin.take_units(self.units)
        self._start(origin, float(log_every))

    def add_energies(
        self, step: npt.ArrayLike, potential_energy: npt.ArrayLike, kinetic_temperature: npt.ArrayLike | None = None
    ) -> None:
        """Take entries of the energy log: absolute steps, total energies, and kinetic temperatures, each an array."""
        warm = None if kinetic_temperature is None else np.asarray(kinetic_temperature)
        self._take(EnergyChunk(np.asarray(step), np.asarray(potential_energy), kinetic_temperature=warm))

    def series_state(self) -> dict[str, np.ndarray]:
        """Return what `restore_series` needs to go on, as arrays."""
        return {"segments": np.array(self.segments.state()), **self.state()}

    def restore_series(self, state: dict[str, np.ndarray]) -> None:
        """Go on where another process was; after `begin_series`."""
        state = dict(state)
        self.segments.restore(str(state.pop("segments")))
        self.restore(state)

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Read the series, unless it has come already, and evaluate it."""
        if self.segments is None:
            self._read()
        self._settle()
        dataset = self.evaluate(dataset)
        dataset.attrs.setdefault("series", f"{self.segments.entries} entries in {self.segments.words}")
        self.segments, self.running = None, False  # type: ignore[assignment]  # None but while energies come
        for name, variable in dataset.variables.items():
            unit = self.provides[str(name)].unit if name in self.provides else variable.attrs.get("units")
            if unit is not None:
                variable.attrs["units"] = self.origin.system.text(unit)
        return dataset

    def _read(self) -> None:
        """Take the energies of the file, or of each trajectory in turn."""
        runs: list[tuple[Any, Any]] = list(zip(self.trajectories, self.selections, strict=True)) or [(None, ())]
        if len(runs) > 1 and self.energies not in _OWN:
            raise InputError(
                f"The energies of {self.energies} are of one run, and {len(runs)} trajectories are given; leave "
                "--energies out, or give one trajectory."
            )
        for k, (trajectory, frames) in enumerate(runs):
            origin, chunks = self._open(trajectory, frames)
            if k == 0:
                self._start(origin)
            else:
                self._next(origin)
            for chunk in gathered(chunks):
                self._take(chunk)
        self.segments.origin = self.origin

    def _next(self, origin: EnergyOrigin) -> None:
        """Go on with another run, which must be of the same kind."""
        if self._time_step != "auto":
            origin.time_step = self.origin.time_step
        for name, words in _SAME.items():
            one, other = getattr(self.origin, name), getattr(origin, name)
            if one != other:
                raise InputError(
                    f"The {words} of {self.origin.source} and of {origin.source} differ ({one} and {other}); give runs "
                    "that logged their energies alike."
                )
        self.segments.begin_run(origin)
        self.begin_run()

    def _start(self, origin: EnergyOrigin, spacing: float | None = None) -> None:
        self.origin, self.segments = origin, EnergySegments(origin, spacing)
        self._settle_time_step()
        self.begin()

    def _take(self, chunk: EnergyChunk) -> None:
        for begins, energy in self.segments.pieces(chunk):
            self.add(energy, begins)

    # --- where energies come from ---------------------------------------------------------------------------------

    def _open(self, trajectory: Any, frames: Any) -> tuple[EnergyOrigin, Iterable[EnergyChunk]]:
        if self.energies not in _OWN:
            return self._of_file(Path(self.energies))
        if self.energies != "model":
            found = energies_of_trajectory(trajectory, frames, self.column)
            if found is not None:
                return found
            if self.energies == "log" or self.interactions() is None:
                raise InputError(
                    f"{trajectory.path} logs no potential energy; pass --energies FILE with a log of them, or "
                    "--model to compute them from the frames."
                )
        elif self.interactions() is None:
            raise InputError(f"The energies of {trajectory.path} need a model; pass --model NAME.")
        return self._of_frames(trajectory, frames)

    def _of_file(self, path: Path) -> tuple[EnergyOrigin, Iterable[EnergyChunk]]:
        if path.suffix.lower() == ".gsd":
            other = open_trajectory(path)
            self._same_size(other.n, path)
            found = energies_of_trajectory(other, np.arange(len(other)), self.column)
            if found is None:
                raise InputError(f"{path} logs no potential energy; give a file that does.")
        else:
            found = read_energies(path, self.column, self.instantaneous).series(self.block)
        self._note_file(path)
        return found

    def _of_frames(self, trajectory: Any, frames: Any) -> tuple[EnergyOrigin, Iterable[EnergyChunk]]:
        first = trajectory.configuration(int(frames[0]))
        record = trajectory.simulation_record or {}
        origin = EnergyOrigin(f"the frames of {trajectory.path}", n=first.n, extensive=True)
        origin.take_units(self.units)
        origin.time_step = trajectory.dt or record.get("time_step")
        if trajectory.frame_interval is not None:
            origin.time_step = None
        # Times of frames serve where nobody says how long a step is.
        said = origin.time_step is not None or self._time_step != "auto"
        timed = first.time is not None and (first.step is None or not said)
        if timed:
            origin.time_step = 1.0
        elif first.step is None:
            raise InputError(
                f"The frames of {trajectory.path} have neither steps nor times; pass --frame-interval TIME "
                "(frame_interval= in Python)."
            )
        potential = self.potential_of(first)
        require_interaction(first, potential)

        def chunks() -> Iterator[EnergyChunk]:
            for label in frames:
                state = trajectory.configuration(int(label))
                at = state.time if timed else state.step
                # Species and diameters of swap Monte Carlo are others in each frame.
                same = all(np.array_equal(getattr(state, key), getattr(first, key)) for key in ("species", "diameters"))
                own = potential if same else self.potential_of(state)
                yield EnergyChunk(np.array([at]), np.array([own.energy(state)]))

        return origin, chunks()

    def _note_file(self, path: Path) -> None:
        self.attributes["energies_sha256"] = checksum(path)
        if self.trajectory is None:
            self.attributes["input_file"] = path.name
            self.attributes["input_sha256"] = sha = self.attributes["energies_sha256"]
            self.attributes["trajectories"] = to_json([{"file": path.name, "sha256": sha, "frames": ""}])

    def _same_size(self, n: int, path: Any) -> None:
        if self.trajectory is not None and self.trajectory.n != n:
            raise InputError(
                f"{path} is of {n} particles, {self.trajectory.path} has {self.trajectory.n}: not one system."
            )

    def _settle_time_step(self) -> None:
        origin = self.origin
        if self._time_step != "auto":
            if origin.time_step != self._time_step:  # in what it is nobody said; 1 means steps
                origin.system = dataclasses.replace(origin.system, time=None)
            origin.time_step = self._time_step

    def _settle(self) -> None:
        """Refuse a series of which number of particles, time or normalisation is not known."""
        origin = self.origin
        source = origin.source
        if origin.n is not None:
            self._same_size(origin.n, source)
        elif self.trajectory is not None:
            origin.n = self.trajectory.n
        if self._particles != "auto":
            if origin.n not in (None, self._particles):
                raise InputError(f"{source} is of {origin.n} particles, not {self._particles}; leave --particles out.")
            origin.n = self._particles
        if self._normalisation != "auto":
            origin.extensive = self._normalisation == "total"
        if origin.extensive is None:
            raise InputError(
                f"{source} does not say whether its energies are of the whole system or per particle; pass "
                "--normalisation total or per-particle."
            )
        if origin.n is None and origin.extensive:
            raise InputError(f"{source} does not say how many particles there are; pass --particles N.")
        if origin.time_step is None:
            raise InputError(
                f"The time of one step is not told by {source}; pass --time-step (with 1, times are in steps)."
            )
        self._settle_conditions(origin)

    def _settle_conditions(self, origin: EnergyOrigin) -> None:
        """Join what the energies say of their conditions with what is known; without frames they say N and units."""
        known, own = self.conditions, Conditions(temperature=origin.temperature)
        if self.trajectory is None and not self.running:
            units = origin.system if origin.system.is_stated else known.units
            known = dataclasses.replace(known, n=origin.n, units=units)
            self.attributes["units"] = to_json(units.to_dict())
        self._conditions = known.merged(
            own, "What the states are known to be", origin.source, "give energies of the same run"
        )
        origin.temperature = self._conditions.temperature
