"""Swap Monte Carlo: equilibrium configurations where dynamics is too slow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, RunError
from pelplug.models.base import Model
from pelplug.potentials.pair import PairPotential

__all__ = ["SwapResult", "swap_monte_carlo"]

_BLOCK = 100  # sweeps after which the running energy is compared with a fresh evaluation
_MOVES = 2_000_000  # or after so many moves, so that Ctrl-C is answered
_TUNING = 20  # sweeps after which delta is adjusted
_TARGET = 0.4  # share of displacements to accept


@dataclasses.dataclass(frozen=True)
class SwapResult:
    """What a swap Monte Carlo run has sampled.

    Attributes
    ----------
    configuration : Configuration
        The last state, positions wrapped into the box; ``step`` is the number of sweeps since equilibration.
    configurations : tuple of Configuration
        All that were sampled; only the last one where they were written to a file.
    energies : ndarray, shape (sweeps,)
        Potential energy after each sweep [energy].
    equilibration_energies : ndarray, shape (equilibration,)
        The same while equilibrating.
    displacement_acceptance, swap_acceptance : float
        Accepted share of each kind of move after equilibration; NaN where none was tried.
    delta : float
        Half the side of the cube from which displacements were drawn after equilibration [length].
    drift : float
        Largest difference between the running energy and a fresh evaluation, a particle [energy].
    temperature : float
        [energy].
    p_swap : float
        Share of swaps among the moves.
    model_record : dict or None
        Name and parameters of the model.
    """

    configuration: Configuration
    configurations: tuple[Configuration, ...]
    energies: np.ndarray
    equilibration_energies: np.ndarray
    displacement_acceptance: float
    swap_acceptance: float
    delta: float
    drift: float
    temperature: float
    p_swap: float
    model_record: dict | None

    @property
    def mean_energy(self) -> float:
        """Mean potential energy of `energies` [energy]."""
        return float(self.energies.mean())

    @property
    def mean_energy_error(self) -> float:
        """Standard error of `mean_energy`, correlations included; NaN for fewer than 16 sweeps [energy].

        References
        ----------
        H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989).
        """
        values, errors = self.energies, []
        while len(values) >= 16:
            errors.append(values.std(ddof=1) / math.sqrt(len(values)))
            values = 0.5 * (values[: len(values) // 2 * 2 : 2] + values[1::2])
        return float(max(errors, default=math.nan))


def swap_monte_carlo(
    configuration: Configuration,
    model: Model | PairPotential,
    temperature: float,
    sweeps: int,
    *,
    equilibration: int = 0,
    sample_every: int | None = None,
    p_swap: float | None = None,
    swap_range: float | None = None,
    delta: float | None = None,
    seed: int | np.random.Generator | None = None,
    output=None,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> SwapResult:
    """Sample the canonical ensemble by displacing particles and by exchanging unlike ones.

    Parameters
    ----------
    configuration : Configuration
        Where to start, in two or three dimensions, in an orthorhombic box at least two cutoffs wide.
    model : Model or PairPotential
        The interactions: a pair potential, between species or particles with diameters.
    temperature : float
        T, with k_B = 1; may be infinite [energy].
    sweeps : int
        How long to sample; a sweep is N moves tried.
    equilibration : int, optional
        Sweeps to make first. If `delta` is not given it is tuned in them, and only in them, so that about 40 % of the
        displacements are accepted.
    sample_every : int, optional
        Keep a configuration every so many sweeps; by default only the last.
    p_swap : float, optional
        Probability that a move is a swap; 0.2, or 0 where all particles are alike.
    swap_range : float, optional
        Only particles whose diameters differ by less are swapped [length]; 0.2 by default. Not for species.
    delta : float, optional
        Half the side of the cube from which a displacement is drawn [length]; at first 0.06 times the mean diameter or
        the smallest sigma.
    seed : int or numpy.random.Generator, optional
        The same seed gives the same run.
    output : path_like, optional
        Trajectory to write, .gsd or .nc; the sampled configurations are then not kept in memory.
    overwrite : bool, optional
        Whether `output` may be replaced.
    progress : callable, optional
        Called with the number of sweeps done since the last call.

    Returns
    -------
    SwapResult

    Raises
    ------
    InputError
        If the interactions are not pairwise, the dimension is not 2 or 3, the box is not orthorhombic or too small,
        diameters are missing, a number is out of range, or there is nothing to swap though `p_swap` asks for it.
    RunError
        If the running energy departs from a fresh evaluation by more than rounding.

    Notes
    -----
    A swap exchanges the positions of two particles, which is the same as exchanging their diameters or species; so
    every particle keeps both in all configurations. The chain has no time: velocities, images and time are dropped.

    References
    ----------
    A. Ninarello, L. Berthier and D. Coslovich, Phys. Rev. X 7, 021039 (2017); the moves are those of Y. Nishikawa et
    al., Phys. Rev. X 12, 021001 (2022), Appendix A.
    """
    sweeps = _whole("sweeps", sweeps, 1)
    equilibration = _whole("equilibration", equilibration, 0)
    sample_every = sweeps if sample_every is None else _whole("sample_every", sample_every, 1)
    if sample_every > sweeps:
        raise InputError(f"sample_every is {sample_every}, more than the {sweeps} sweeps; give a smaller number.")
    chain = _Chain(configuration, model, temperature, p_swap, swap_range, delta, np.random.default_rng(seed))
    record = model.to_dict() if isinstance(model, Model) else None
    if output is not None:
        from pelplug.files import check_output

        check_output(output, overwrite)

    def sample() -> Iterator[Configuration]:
        for done in range(0, sweeps, sample_every):
            chain.advance(min(sample_every, sweeps - done), energies, progress)
            if done + sample_every <= sweeps:
                yield chain.configuration(done + sample_every)

    first_energies: list[float] = []
    chain.equilibrate(equilibration, delta is None, first_energies, progress)
    energies: list[float] = []
    chain.counters[:] = 0
    chain.drift = 0.0
    if output is None:
        kept = tuple(sample())
    else:
        from pelplug.readers.write import write_trajectory

        write_trajectory(output, sample(), model_record=record, overwrite=overwrite)
        kept = ()
    last = chain.configuration(sweeps)
    tried, moved, swaps, swapped = (int(value) for value in chain.counters)
    return SwapResult(
        configuration=last,
        configurations=kept or (last,),
        energies=np.array(energies),
        equilibration_energies=np.array(first_energies),
        displacement_acceptance=moved / tried if tried else math.nan,
        swap_acceptance=swapped / swaps if swaps else math.nan,
        delta=chain.delta,
        drift=chain.drift,
        temperature=float(temperature),
        p_swap=chain.p_swap,
        model_record=record,
    )


class _Chain:
    """The state of one Markov chain."""

    def __init__(self, start, model, temperature, p_swap, swap_range, delta, rng):
        from pelplug.simulate.swap_kernels import Grid, swap_kernels

        self.potential = _pair_potential(start, model)
        edges = _edges(start)
        temperature = _number("temperature", temperature)
        self.rng = rng
        self.beta = 1.0 / temperature
        self.n = start.n
        wrapped = start.wrapped().positions
        # Rounding may leave a position on the upper face, which is the lower one.
        wrapped = np.where(wrapped < edges, np.maximum(wrapped, 0.0), 0.0)
        self.start = start.replace(
            positions=wrapped, images=None, velocities=None, time=None, frame=None, step=None
        )  # fmt: skip
        p = self.potential
        if p.per_particle:
            self.payload = np.array(start.diameters)
            size = float(self.payload.mean())
            reach = p.cutoff * float(self.payload.max())
        else:
            names = p.species or start.species_names
            self.payload = np.array([names.index(name) for name in start.species], dtype=np.float64)
            size, reach = float(p.sigma.min()), p.cutoff
            if not p.species:  # one table for all
                self.payload[:] = 0.0
        if np.min(edges) < 2.0 * reach:
            raise InputError(
                f"The box is only {np.min(edges):.6g} wide, less than two cutoffs ({2 * reach:.6g}), and Monte Carlo "
                "moves see one image of each neighbour; use a larger system."
            )
        self.swap_range = _swap_range(swap_range, p.per_particle)
        self.p_swap = _p_swap(p_swap, self.payload, self.swap_range)
        self.delta = 0.06 * size if delta is None else _number("delta", delta)
        self.largest_delta = 0.5 * float(np.min(edges))
        self.grid = Grid.build(wrapped, self.payload, edges, reach)
        self.kernels = swap_kernels(p.form.function, p.truncation, start.dimension, p.mixing)
        self.counters = np.zeros(4, dtype=np.int64)
        self.drift = 0.0
        self.energy = p.energy(self.start)

    def configuration(self, step: int) -> Configuration:
        """Return the present state."""
        return self.start.replace(positions=self.grid.positions(), step=step)

    def equilibrate(self, sweeps: int, tune: bool, energies: list, progress) -> None:
        """Advance, and adjust delta to the acceptance."""
        for done in range(0, sweeps, _TUNING):
            self.counters[:] = 0
            self.advance(min(_TUNING, sweeps - done), energies, progress)
            if tune and self.counters[0] > 0:
                ratio = self.counters[1] / self.counters[0] / _TARGET
                self.delta = min(self.delta * min(max(ratio, 0.5), 1.5), self.largest_delta)

    def advance(self, sweeps: int, energies: list, progress) -> None:
        """Make sweeps, append the energy after each, and compare it with a fresh evaluation."""
        while sweeps > 0:
            block = max(1, min(sweeps, _BLOCK, _MOVES // self.n))
            sums = np.array([self.energy, abs(self.energy)])
            energies.extend(self._sweep(block, sums).tolist())
            sweeps -= block
            fresh = self.potential.energy(self.configuration(0))
            difference = abs(fresh - sums[0])
            scale = max(sums[1], self.n / self.beta if self.beta > 0 else 0.0)
            if not difference <= 1e-8 * scale:
                raise RunError(
                    f"The energy added up from {block} sweeps is {sums[0]:.12g}, but the configuration has "
                    f"{fresh:.12g}; report it with the seed."
                )
            self.drift = max(self.drift, difference / self.n)
            self.energy = energies[-1] = fresh
            if progress is not None:
                progress(block)

    def _sweep(self, sweeps: int, sums: np.ndarray) -> np.ndarray:
        p, done, moves = self.potential, 0, sweeps * self.n
        series, pending = np.empty(sweeps), np.zeros(4)
        while done < moves:
            pending[0] = -1.0
            done = self.kernels.run(
                done, moves, series, self.rng, self.beta, self.delta, self.p_swap, self.swap_range,
                *self.grid.arrays(), self.payload, p._inverse_sigma, p._stack, p._tail, p._cutoff_squared,
                self.counters, sums, pending,
            )  # fmt: skip
            if pending[0] >= 0.0:
                self.grid.grow()
                self.kernels.relocate(*self.grid.arrays(), self.payload, pending)
        return series


def _pair_potential(start: Configuration, model) -> PairPotential:
    if start.dimension not in (2, 3):
        raise InputError(
            f"Swap Monte Carlo works in two and three dimensions; the configuration has d = {start.dimension}."
        )
    if isinstance(model, Model):
        potential, name = model.potential(start), model.name
    elif isinstance(model, PairPotential):
        potential, name = model, repr(model)
        potential.energy(start)  # says what of the configuration does not fit
    else:
        potential, name = model, repr(model)
    if not isinstance(potential, PairPotential):
        if isinstance(model, Model) and model.plantable:
            raise InputError(
                f"Monte Carlo moves do not know the random shifts of {name}, and it needs none: --start planted "
                "(model.planted(n, temperature, seed) in Python) gives an equilibrium configuration."
            )
        raise InputError(
            f"Swap Monte Carlo needs a pair potential, and {name} is none; pass pelplug.model(name) of a model with "
            "pair interactions, or a PairPotential."
        )
    return potential


def _edges(start: Configuration) -> np.ndarray:
    edges = np.array(np.diag(start.cell))
    if np.any(start.cell != np.diag(edges)) or not np.all(edges > 0):
        raise InputError("Swap Monte Carlo needs an orthorhombic box along the axes; the configuration's is tilted.")
    return edges


def _swap_range(value, per_particle: bool) -> float:
    if not per_particle:
        if value is not None:
            raise InputError("swap_range compares diameters, and the particles of this model have none; leave it out.")
        return math.inf
    return 0.2 if value is None else _number("swap_range", value)


def _p_swap(value, payload: np.ndarray, swap_range: float) -> float:
    kinds = np.unique(payload)
    possible = len(kinds) > 1 and float(np.diff(kinds).min()) < swap_range
    if value is None:
        return 0.2 if possible else 0.0
    try:
        probability = float(value)
    except (TypeError, ValueError):
        probability = math.nan
    if not 0.0 <= probability < 1.0:
        raise InputError(f"p_swap is a probability from 0 up to but not including 1, not {value!r}.")
    if probability > 0.0 and not possible:
        why = "differ by less than swap_range" if len(kinds) > 1 else "differ"
        raise InputError(f"There is nothing to swap: no two particles {why}; use p_swap=0.")
    return probability


def _number(name: str, value) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not number > 0.0 or (name == "delta" and math.isinf(number)):
        raise InputError(f"{name} must be a positive number, not {value!r}.")
    return number


def _whole(name: str, value, least: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a whole number, not {value!r}.") from None
    if number != float(value) or number < least:
        raise InputError(f"{name} must be a whole number from {least} up, not {value!r}.")
    return number
