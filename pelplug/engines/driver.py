"""The protocol of a simulation: build, melt, equilibrate, produce; the same on every engine."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.engine import EnergyLog, Engine, EquationsOfMotion, Session
from pelplug.engines.equilibration import SAMPLES, BlockCurves, compare, relaxation_wave_number
from pelplug.engines.protocol import Protocol
from pelplug.engines.recorder import Checkpoint, Recorder
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError
from pelplug.landscape import quench
from pelplug.trajectories.recorded import of_simulation

__all__ = ["Driver", "Protocol"]

_MELT = 5.0  # times the temperature: hot enough to forget the lattice
_FIRST_BLOCK = 2000  # steps of the first block of equilibration
_SECONDS = 0.5  # an engine is left alone about so long before Ctrl-C, progress and checkpoint are looked at


class Driver:
    """Carries out a protocol on an engine, and goes on where an earlier run of it was killed.

    Parameters
    ----------
    protocol : Protocol
        What to simulate.
    engine : Engine
        By what.
    recorder : Recorder
        Where frames and checkpoints go.
    checkpoint_seconds : float
        Wall time between checkpoints.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` about twice a second.
    watch : pelplug.tasks.in_situ.InSitu, optional
        Looks at the production while it runs. Its state is in every checkpoint: it sees each step once.
    """

    def __init__(
        self,
        protocol: Protocol,
        engine: Engine,
        recorder: Recorder,
        *,
        checkpoint_seconds: float = 60.0,
        progress: Callable[[str, int, int], None] | None = None,
        watch=None,
    ):
        self._watch = watch
        self.protocol, self.engine, self.recorder = protocol, engine, recorder
        self._every = checkpoint_seconds
        self._progress = progress or (lambda *_: None)
        self._ranks = engine.ranks
        self._saved = -np.inf
        self._chunk = 100
        self._stop = False
        self._used: dict[str, str] = {}
        self._left_with: dict[str, str] | None = None

    def run(self) -> dict:
        """Run to the end.

        Returns
        -------
        dict
            The record that is also in the trajectory: engine, route, equilibration.

        Raises
        ------
        InputError
            If the engine cannot run the protocol.
        RunError
            If it failed.
        """
        found = self.recorder.load()
        progress, arrays, internal, log = {"stage": "melt", "done": 0}, {}, None, None
        if found is not None:
            progress, arrays, internal, log = found.progress, found.arrays, found.internal, found.log
            self._left_with = progress.pop("used", None)
            if self._left_with is not None and self._left_with["device"] == "gpu":  # by the version before this
                self._left_with["device"] = "cuda"
        stages = {"melt": self._melt, "cool": self._cool, "equilibrate": self._equilibrate, "produce": self._produce}
        with self._stopping_between_chunks():
            conf = self._first_state() if found is None else found.configuration
            if found is None and self.protocol.dynamics.pressure is not None:
                self._session(conf, self.protocol.dynamics, None).close()  # refused before the work, not after
            while (stage := progress["stage"]) in stages:
                conf, progress = stages[stage](conf, progress, arrays, internal, log)
                arrays, internal, log = {}, None, None
        return progress["record"]

    # --- the stages: each takes the state and where it was left, returns the state and what comes next ------------

    def _first_state(self) -> Configuration:
        protocol = self.protocol
        if protocol.start is not None:
            protocol.model.check(protocol.start)
            return self._moving(protocol.start.replace(step=0, frame=None, time=None))
        conf = protocol.model.random_configuration(protocol.n, protocol.seed, density=protocol.density)
        protocol.model.check(conf)
        # Sites of a lattice taken by particles of unlike sizes: some are too close to begin to move.
        eased = quench(conf, protocol.model.potential(conf), force_tolerance=1e-3, max_evaluations=200)
        return self._ranks.share(self._moving(eased.configuration.replace(step=0), _MELT))

    def _moving(self, conf: Configuration, factor: float = 1.0) -> Configuration:
        dynamics = self.protocol.dynamics
        if conf.velocities is not None and np.any(conf.velocities):
            return conf
        if dynamics.temperature is None:
            if dynamics.minimises:
                return conf
            raise InputError("The start has no velocities; give a temperature with -T to draw them.")
        rng = np.random.default_rng([self.protocol.seed, 1])
        return thermalised(conf, self.protocol.model, factor * dynamics.temperature, rng)

    def _melt(self, conf, progress, arrays, internal, log):
        following = {"stage": "cool", "done": 0}
        if not self._molten:
            return conf, following
        return self._plain(conf, progress, internal, self._thermostat(_MELT), self.protocol.melt_steps, following)

    def _cool(self, conf, progress, arrays, internal, log):
        following = {"stage": "equilibrate", "done": 0}
        if not self._molten:
            return conf, following
        steps = self.protocol.melt_steps
        ramp = dataclasses.replace(
            self._thermostat(_MELT),
            end_temperature=self.protocol.dynamics.temperature,
            ramp_start=conf.step - progress["done"],
            ramp_steps=steps,
        )
        return self._plain(conf, progress, internal, ramp, steps, following)

    def _plain(self, conf, progress, internal, dynamics, steps, following):
        """Run so many steps that nothing is written of."""
        with self._session(conf, dynamics, internal) as session:
            done = progress["done"]
            while done < steps:
                done += self._advance(session, steps - done)[0]
                self._progress(progress["stage"], done, steps)
                self._save_if_due(session, {**progress, "done": done})
            return session.configuration(), following

    def _equilibrate(self, conf, progress, arrays, internal, log):
        protocol = self.protocol
        following = {"stage": "produce"}
        if protocol.dynamics.temperature is None or protocol.equilibration == 0:
            return conf, {**following, "equilibration": {"steps": 0, "verdict": "not asked for"}}
        if protocol.equilibration is not None:
            outcome = {"steps": protocol.equilibration, "verdict": "not tested"}
            following["equilibration"] = outcome
            thermostat = self._thermostat(barostat=True)
            return self._plain(conf, progress, internal, thermostat, protocol.equilibration, following)
        conf, outcome = self._until_stationary(conf, progress, arrays, internal)
        return conf, {**following, "equilibration": outcome}

    def _until_stationary(self, conf, progress, arrays, internal) -> tuple[Configuration, dict]:
        """Run blocks until two in a row show the same displacements and relaxation, and relax."""
        protocol, verdict = self.protocol, None
        longest = protocol.longest_equilibration or max(protocol.steps, 100_000)
        spent, done, blocks = progress.get("spent", 0), progress["done"], list(progress.get("blocks", ()))
        length = progress.get("length", max(min(_FIRST_BLOCK, longest // 2), SAMPLES))
        samples, earlier = list(arrays.get("samples", ())), BlockCurves.from_arrays(arrays)
        cells = list(arrays.get("cells", ()))
        wave_number = relaxation_wave_number(conf)
        with self._session(conf, self._thermostat(barostat=True), internal) as session:
            while True:
                interval = length // SAMPLES
                while len(samples) <= SAMPLES:
                    while done < len(samples) * interval:
                        done += self._advance(session, len(samples) * interval - done)[0]
                        self._progress("equilibrate", min(spent + done, longest), longest)
                        kept = {"done": done, "spent": spent, "length": length, "blocks": blocks}
                        self._save_if_due(
                            session,
                            {**progress, **kept},
                            {
                                "samples": np.array(samples),
                                "cells": np.array(cells),
                                **(earlier.to_arrays() if earlier else {}),
                            },
                        )
                    state = session.configuration()
                    samples.append(state.unwrapped_positions())
                    cells.append(state.cell)
                later = self._ranks.share(BlockCurves.of(np.array(samples), wave_number, np.array(cells)))
                spent, done, samples, cells, verdict = spent + done, 0, [], [], None
                if earlier is not None:
                    verdict = compare(earlier, later)
                    blocks.append({"steps": interval * SAMPLES, **dataclasses.asdict(verdict)})
                    if verdict.equilibrated:
                        break
                # A block shorter than the relaxation time, or one that still ages: look at longer ones.
                unlike = verdict is not None and not verdict.stationary
                length, earlier = (2 * length, None) if unlike or not later.relaxed else (length, later)
                if spent + (1 if earlier is not None else 2) * length > longest:
                    break
            conf = session.configuration()
        words = "stationary" if verdict is not None and verdict.equilibrated else "not stationary"
        return conf, {"steps": int(spent), "verdict": words, "wave_number": wave_number, "blocks": blocks}

    def _produce(self, conf, progress, arrays, internal, log):
        protocol, dynamics = self.protocol, self.protocol.dynamics
        first = progress.get("first", 0)
        if first == 0:
            conf = conf.replace(step=0)  # the count of steps of a trajectory begins with its first frame
        with self._session(conf, dynamics, internal, protocol.log_every) as session:
            record = {
                **self.recorder.command,
                "engine_version": self.engine.status().version,
                "engine_parameters": dict(getattr(self.engine, "parameters", {})),
                "device": session.device,
                "route": session.route,
                **({} if session.agreement is None else {"agreement": list(session.agreement)}),
                "thermostat": session.thermostat,
                "equilibration_report": progress["equilibration"],
            }
            self.recorder.begin({"model": protocol.model.to_dict(), "simulation": record}, first)
            self._begin_watch(session, first, arrays, record)
            pending, done = [] if log is None else [log], conf.step
            for step in protocol.schedule.steps(protocol.steps)[first:].tolist():
                while done < step and not session.converged:
                    advanced, energies = self._advance(session, step - done)
                    done += advanced
                    pending.append(self._seen(energies))
                    self._progress("produce", done, protocol.steps)
                    kept = self._watch.state() if self._watch else None
                    self._save_if_due(session, {**progress, "first": self.recorder.frames}, kept, pending)
                state = session.configuration()
                if step == 0 or session.converged:
                    pending.append(self._seen(self._now(session, state)))
                self.recorder.write(state, self._complete(EnergyLog.joined(pending), state), dynamics.time_step)
                pending = []
                if session.converged:
                    break
            if dynamics.method == "fire":
                record["converged"] = session.converged
        return state, {"stage": "done", "record": record}

    def _begin_watch(self, session: Session, first: int, arrays: dict[str, np.ndarray], record: dict) -> None:
        """Let the observer look at the state at which production starts and at every so many steps from there on."""
        if (watch := self._watch) is None:
            return
        dynamics, state = self.protocol.dynamics, session.configuration()
        of_cell = {"density": state.density} if dynamics.pressure is None else {"several": ("density",)}
        conditions = dataclasses.replace(of_simulation(record), units=self.protocol.model.units, **of_cell)
        simulation = {"method": dynamics.method, "dimension": state.dimension}
        watch.begin(state.n, dynamics.time_step, self.protocol.log_every, conditions, simulation)
        if first > 0:
            watch.restore(arrays)
        elif watch.every:
            watch(state, session.energy_forces()[0])
        if watch.every:
            session.observe(watch.every, watch)

    def _seen(self, energies: EnergyLog) -> EnergyLog:
        if self._watch is not None and len(energies):
            self._watch.energies(energies)
        return energies

    def _complete(self, energies: EnergyLog, state: Configuration) -> EnergyLog:
        """Return energies with the enthalpy, at constant pressure."""
        dynamics = self.protocol.dynamics
        if dynamics.pressure is None or energies.volume is None:
            return energies
        degrees = state.dimension * (state.n - 1)
        kinetic = 0.5 * degrees * self.protocol.model.boltzmann * energies.kinetic_temperature
        enthalpy = energies.potential_energy + kinetic + dynamics.pressure * energies.volume
        return dataclasses.replace(energies, enthalpy=enthalpy)

    # --- odds and ends ------------------------------------------------------------------------------------------

    @property
    def _molten(self) -> bool:
        """Whether the start is a lattice to be molten."""
        protocol = self.protocol
        return protocol.start is None and protocol.melt_steps > 0 and protocol.dynamics.temperature is not None

    def _thermostat(self, factor: float = 1.0, barostat: bool = False) -> EquationsOfMotion:
        """Return the dynamics that brings the liquid to its temperature, and with a barostat to its pressure."""
        dynamics, held = self.protocol.dynamics, {}
        if barostat and dynamics.pressure is not None:
            held = {"pressure": dynamics.pressure, "barostat_time": dynamics.barostat_time}
        return EquationsOfMotion(
            method="langevin" if dynamics.method == "langevin" else "npt" if held else "nvt",
            time_step=dynamics.time_step,
            temperature=factor * dynamics.temperature,
            thermostat_time=dynamics.thermostat_time,
            friction=dynamics.friction,
            **held,
        )

    def _session(self, conf, dynamics, internal, log_every: int = 0) -> Session:
        self._chunk, self._saved = 100, -np.inf  # what a stage has reached is saved as soon as the next one runs
        session = self.engine.session(
            conf, self.protocol.model, dynamics, seed=self.protocol.seed, log_every=log_every, internal=internal
        )
        self._used = {name: getattr(session, name).split(":")[0] for name in ("route", "device")}
        if self._left_with not in (None, self._used):
            before, self._left_with = self._left_with, None
            session.close()
            words = [_said(name, before[name], now) for name, now in self._used.items() if before[name] != now]
            raise InputError(
                f"The unfinished run was made with {' and '.join(words)}, and this one would go on with "
                f"{' and '.join(self._used[name] for name in before if before[name] != self._used[name])}; say "
                f"{' '.join(words)} to finish it, or remove {self.recorder.folder} to start anew."
            )
        self._left_with = None
        return session

    def _advance(self, session: Session, steps: int) -> tuple[int, EnergyLog]:
        """Run at most so many steps, about half a second of them."""
        steps, began = min(steps, self._chunk), time.perf_counter()
        energies = session.advance(steps) if session.observers else session.run(steps)
        if steps == self._chunk:
            seconds = max(time.perf_counter() - began, 1e-9)
            self._chunk = self._ranks.share(max(1, int(steps * min(4.0, max(0.25, _SECONDS / seconds)))))
        return steps, energies

    def _now(self, session: Session, state: Configuration) -> EnergyLog:
        """Return the energies of a state at which an engine logs nothing: it does after a step."""
        row = [state.step, session.energy_forces()[0], kinetic_temperature(state, self.protocol.model)]
        if self.protocol.dynamics.pressure is not None:
            row += [state.volume, session.pressure()]
        return EnergyLog(*(np.array([value]) for value in row))

    def _save_if_due(self, session: Session, progress: dict, arrays=None, pending=()) -> None:
        self._stop = self._ranks.any(self._stop)
        if not self._ranks.share(self._stop or time.monotonic() - self._saved >= self._every):
            return
        self.recorder.save(
            Checkpoint(
                progress={**progress, "used": self._used},
                configuration=session.configuration(),
                internal=session.internal(),
                arrays=dict(arrays or {}),
                log=EnergyLog.joined(pending),
                frames=self.recorder.frames,
            )
        )
        self._saved = time.monotonic()
        if self._stop:
            interrupt = KeyboardInterrupt()
            interrupt.on_all_ranks = True  # see Ranks.end_all
            raise interrupt

    @contextlib.contextmanager
    def _stopping_between_chunks(self):
        """Let Ctrl-C and SIGTERM end the run at its next checkpoint; a second Ctrl-C ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number, frame):
            if self._stop:
                raise KeyboardInterrupt
            self._stop = True

        # Ctrl-C reaches workers too, but it is their master that ends them.
        signals = (signal.SIGTERM,) if multiprocessing.parent_process() else (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, stop) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _said(name: str, before: str, now: str) -> str:
    """Return how to say what an unfinished run was made with: MPI is no device, but what a session ran on."""
    if name == "device" and "mpi" in (before, now):
        return "--mpi" if before == "mpi" else f"--device {before} (without --mpi)"
    return f"--{name} {before}"
