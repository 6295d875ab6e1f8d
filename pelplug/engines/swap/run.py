"""Swap Monte Carlo: equilibrium configurations where dynamics is too slow."""

from __future__ import annotations

import dataclasses
import math
import numbers
import os
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.conditions import Conditions
from pelplug.core.lock import lock_outputs
from pelplug.core.parameters import Param
from pelplug.core.units import Units
from pelplug.engines.swap.chain import Chain
from pelplug.engines.swap.resumable import sample_resumably
from pelplug.errors import InputError
from pelplug.execution.placement import computed_on_the_cpu
from pelplug.files.unfinished import Unfinished
from pelplug.models.base import Model
from pelplug.potentials.pair import PairPotential
from pelplug.trajectories.readers.write import check_ending, write_trajectory

__all__ = ["SwapResult", "swap_monte_carlo"]

_BLOCK = 1_000_000  # moves after which the running energy is compared with a fresh evaluation and Ctrl-C is answered
_TUNING = 20  # sweeps after which delta is first adjusted


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
    conditions : Conditions
        Temperature, and the seed if it was given as a number.
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
    conditions: Conditions

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


@computed_on_the_cpu("Swap Monte Carlo")
@takes()
def swap_monte_carlo(
    configuration: Configuration,
    model: Model | PairPotential,
    temperature: Annotated[
        float, Param("T, with k_B = 1; may be infinite", exclusive_minimum=0.0, maximum=math.inf, unit="energy")
    ],
    sweeps: Annotated[int, Param("how long to sample; a sweep is N moves tried", minimum=1)],
    *,
    equilibration: Annotated[int, Param("sweeps to make first", minimum=0)] = 0,
    sample_every: Annotated[int | None, Param("keep a configuration every so many sweeps", minimum=1)] = None,
    p_swap: Annotated[
        float | None, Param("probability that a move is a swap", minimum=0.0, exclusive_maximum=1.0)
    ] = None,
    swap_range: Annotated[
        float | None,
        Param(
            "only particles whose diameters differ by less are swapped",
            exclusive_minimum=0.0,
            maximum=math.inf,
            unit="length",
        ),
    ] = None,
    delta: Annotated[
        float | None,
        Param("half the side of the cube from which a displacement is drawn", exclusive_minimum=0.0, unit="length"),
    ] = None,
    seed: int | np.random.Generator | None = None,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
    announce: Callable[[str], None] | None = None,
    said: Conditions | None = None,
) -> SwapResult:
    """Sample the canonical ensemble by displacing particles and by exchanging unlike ones.

    Parameters
    ----------
    configuration : Configuration
        Where to start, in two or three dimensions, in an orthorhombic box at least two cutoffs wide. Of a model with
        random shifts (mari-kurchan): in its cubic box, in any dimension; `Model.planted` gives one in equilibrium.
    model : Model or PairPotential
        The interactions: a pair potential, between species or particles with diameters, or one with random shifts,
        whose particles are alike and make Metropolis moves only.
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
    resume : bool, optional
        Keep checkpoints in a hidden folder beside `output`, and go on from there if a run of the same arguments was
        interrupted; what comes out is the same to the last bit. If `output` was completed by the same arguments it
        stays as it is, and what came out is returned. Needs `output` and `seed`.
    progress : callable, optional
        Called with the number of sweeps done since the last call.
    announce : callable, optional
        Called with a sentence if there is nothing left to do.
    computing : Computing
        What computes.
    said : Conditions, optional
        What else to record in the file: a label, a replica, the seed of a generator.

    Returns
    -------
    SwapResult

    Raises
    ------
    InputError
        If the interactions are not pairwise, the dimension is not 2 or 3, the box is not orthorhombic or too small,
        diameters are missing, a number is out of range, there is nothing to swap though `p_swap` asks for it, or
        another process or another unfinished run would write `output`.
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
    sample_every = sweeps if sample_every is None else sample_every
    if sample_every > sweeps:
        raise InputError(f"sample_every is {sample_every}, more than the {sweeps} sweeps; give a smaller number.")
    if resume and (output is None or seed is None):
        raise InputError("A run can be resumed only with an output file and a seed; give both, or leave resume out.")
    kind = _kind_of(configuration, model)
    chain = kind(configuration, model, temperature, p_swap, swap_range, delta, np.random.default_rng(seed))
    record = model.to_dict() if isinstance(model, Model) else None
    conditions = dataclasses.replace(
        said or Conditions(), temperature=float(temperature), units=getattr(model, "units", Units())
    )
    if isinstance(seed, numbers.Integral):
        conditions = dataclasses.replace(conditions, seed=int(seed))
    if output is not None:
        check_ending(output)
    blocks = _blocks(chain, equilibration, sweeps, sample_every, delta is None, progress)
    kept: tuple[Configuration, ...] = ()
    if resume:
        label = {} if said is None or said.label is None else {"label": said.label}
        command = {
            **chain.identity(), "model": record, "sweeps": sweeps, "equilibration": equilibration,
            "sample_every": sample_every, "tuned": delta is None, **label,
        }  # fmt: skip
        done = sample_resumably(output, overwrite, chain, blocks, command, model, record, conditions, progress)
        if announce is not None and not done:
            announce(f"{output} was finished by this command already; nothing is left to do")
    else:
        frames = (chain.configuration(step) for step in blocks if step is not None)
        if output is None:
            kept = tuple(frames)
        else:
            with lock_outputs(output):
                Unfinished(output, "swap Monte Carlo", {}).claim(overwrite)
                write_trajectory(output, frames, model_record=record, conditions=conditions, overwrite=overwrite)
    last = chain.configuration(sweeps)
    tried, moved, swaps, swapped = (int(value) for value in chain.counters)
    energies = np.concatenate(chain.energies)
    return SwapResult(
        configuration=last,
        configurations=kept or (last,),
        energies=energies[equilibration:],
        equilibration_energies=energies[:equilibration],
        displacement_acceptance=moved / tried if tried else math.nan,
        swap_acceptance=swapped / swaps if swaps else math.nan,
        delta=chain.delta,
        drift=chain.drift,
        temperature=float(temperature),
        p_swap=chain.p_swap,
        model_record=record,
        conditions=conditions,
    )


def _kind_of(configuration: Configuration, model: Any) -> type[Chain]:
    """Return the chain that knows the model's interactions."""
    from pelplug.engines.swap.shifted import ShiftedChain
    from pelplug.potentials.shifted_pairs import ShiftedPairPotential

    shifted = isinstance(model, ShiftedPairPotential) or (isinstance(model, Model) and model.plantable)
    return ShiftedChain if shifted else Chain


def _blocks(
    chain: Chain,
    equilibration: int,
    sweeps: int,
    sample_every: int,
    tune: bool,
    progress: Callable[[int], None] | None,
) -> Iterator[int | None]:
    """Advance the chain from wherever it is to the end; yield after each block the step of a frame, or None."""
    total = equilibration + sweeps
    while chain.done < total:
        sampling = chain.done >= equilibration
        if sampling:
            end = chain.done + sample_every - (chain.done - equilibration) % sample_every
        else:
            # At first delta is far off and is adjusted often; later its acceptance is better known.
            end = chain.tuned + max(_TUNING, chain.tuned // 5) if tune else equilibration
            end = min(end, equilibration)
        block = min(end, total, chain.done + max(1, _BLOCK // chain.n)) - chain.done
        chain.advance(block)
        if not sampling and chain.done == end:
            if tune:
                chain.tune()
            if end == equilibration:
                chain.counters[:] = 0
                chain.drift = 0.0
        if progress is not None:
            progress(block)
        yield chain.done - equilibration if sampling and (chain.done - equilibration) % sample_every == 0 else None
