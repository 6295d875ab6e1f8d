"""``pelplug prepare``: equilibrium configurations of a model, by swap Monte Carlo or by planting."""

from __future__ import annotations

import contextlib
import json
import math

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import common, model_argument, model_options, named, output_options, registry
from pelplug.cli.output import note, show_progress
from pelplug.core.given import Given
from pelplug.errors import InputError
from pelplug.execution.placement import Computing

__all__ = ["prepare"]


@click.command()
@model_argument
@model_options
@click.option("-N", "--particles", type=int, metavar="N", help="Number of particles; not with a file to start from.")
@click.option("-T", "--temperature", type=float, required=True, metavar="T", help="Temperature, k_B = 1.")
@click.option(
    "--sweeps", type=int, metavar="N", help="Sweeps (N moves each) to sample; planted, or random at -T inf: none."
)
@click.option("--equilibration", type=int, metavar="N", help="Sweeps before, tuning the step.  [default: as --sweeps]")
@click.option("--every", type=int, metavar="N", help="Write a frame every N sweeps.  [default: only the last]")
@click.option("--seed", type=int, metavar="N", help="Makes the run repeatable.")
@click.option("--p-swap", type=float, metavar="P", help="Share of swap moves.  [default: 0.2; 0 if all are alike]")
@click.option("--swap-range", type=float, metavar="LENGTH", help="Largest difference of diameters.  [default: 0.2]")
@click.option("--delta", type=float, metavar="LENGTH", help="Largest displacement along each axis, not tuned.")
@click.option("--density", type=float, metavar="RHO", help="Number density.  [default: the model's]")
@click.option(
    "--start",
    default="lattice",
    metavar="lattice|random|planted|FILE",
    help="Start, or the file whose last frame it is; planted is in equilibrium already (mari-kurchan).",
)
@declared(Computing)
@declared(Given, only=("label",))
@click.option("-o", "--output", required=True, type=click.Path(), metavar="TRAJ.gsd", help="Trajectory to write.")
@output_options
@common
def prepare(particles, temperature, sweeps, equilibration, every, seed, start, density, label, output, **options):
    """Sample configurations of MODEL at a temperature by swap Monte Carlo, or plant one.

    With --start planted one configuration is written that is in equilibrium at T by construction, with the disorder
    drawn around it; that is for models with random shifts (mari-kurchan), of which Monte Carlo then makes Metropolis
    dynamics from that file. With --start random and -T inf positions without any correlation are written.

    The model goes into the file, so that other commands need no --model. An interrupted run goes on where the same
    command is given again, if it has a --seed; to go on from a finished one pass its file as --start. Compare the two
    halves of the energy that is printed at the end: where they differ by more than the error, the run was too short.
    """
    import numpy as np

    from pelplug.core.conditions import Conditions
    from pelplug.core.outputs import check_output
    from pelplug.engines.swap.run import swap_monte_carlo

    device = click.get_current_context().with_resource(taken(Computing, options).used())
    device.require_cpu("What prepare makes")
    quiet, overwrite = options.pop("quiet"), options.pop("overwrite")
    interactions = named(options)
    liquid, model_parameters = interactions.resolved(registry()).model, interactions.model_parameters or {}
    if liquid is None:
        raise InputError("Say which model to prepare; `pelplug models` lists them.")
    if start == "planted":
        unused = {"sweeps": sweeps, "equilibration": equilibration, "every": every, "density": density, **options}
        _refuse_unused(unused, model_parameters)
        _plant(liquid, particles, temperature, _seed(seed), label, output, overwrite, quiet)
        return
    if start == "random" and temperature == math.inf and sweeps is None:
        _refuse_unused({"equilibration": equilibration, "every": every, **options}, {})
        _place(liquid, particles, density, _seed(seed), label, output, overwrite, quiet)
        return
    _check_sweeps(sweeps)
    from_file = start not in ("lattice", "random")
    # With a seed the file may be there, complete.
    check_output(output, overwrite or seed is not None, [start] if from_file else [])
    rng = np.random.default_rng(_seed(seed))
    configuration = _start(liquid, particles, density, start, from_file, rng)
    equilibration = sweeps if equilibration is None else equilibration
    with _progress(sweeps + equilibration, quiet) as progress:
        result = swap_monte_carlo(
            configuration,
            liquid,
            temperature,
            sweeps,
            equilibration=equilibration,
            sample_every=every,
            seed=rng,
            output=output,
            overwrite=overwrite,
            resume=seed is not None,
            progress=progress,
            announce=None if quiet else note,
            said=Conditions(seed=seed, label=label),
            **options,
        )
    if not quiet:
        _summarise(result, output, sweeps // (every or sweeps))


def _seed(seed):
    if seed is not None and seed < 0:
        raise InputError(f"A seed is a whole number from 0 up, not {seed}.")
    return seed


def _check_sweeps(sweeps):
    if sweeps is None:
        raise InputError(
            "Say how many sweeps to sample with --sweeps; only --start planted, or random at -T inf, needs none."
        )


def _refuse_unused(options: dict, model_parameters) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"--{name.replace('_', '-')} is for Monte Carlo, and a planted configuration, or random positions at "
                "-T inf, need none; leave it out."
            )
    if {"seed", "planted_temperature"} & set(model_parameters):
        raise InputError("Give the seed and the temperature of planting with --seed and -T, not with --model-param.")


def _plant(model, particles, temperature, seed, label, output, overwrite, quiet) -> None:
    def make(seed):
        planted, configuration = model.planted(particles, temperature, seed)
        return planted, configuration, "planted"

    _write_one(make, particles, temperature, seed, label, output, overwrite, quiet)


def _place(model, particles, density, seed, label, output, overwrite, quiet) -> None:
    def make(seed):
        return model, _start(model, particles, density, "random", False, seed), "random"

    _write_one(make, particles, math.inf, seed, label, output, overwrite, quiet)


def _write_one(make, particles, temperature, seed, label, output, overwrite, quiet) -> None:
    """Write a configuration that is in equilibrium as it is made: ``make(seed)`` gives model, state and how."""
    import numpy as np

    from pelplug.core.conditions import Conditions
    from pelplug.core.lock import lock_outputs
    from pelplug.core.outputs import check_output
    from pelplug.trajectories.readers.write import read_record, write_trajectory

    if particles is None:
        raise InputError("Say how many particles with -N.")
    with lock_outputs(output):
        check_output(output, overwrite or seed is not None)  # with a seed the file may be there, complete
        seed = int(np.random.default_rng().integers(2**53)) if seed is None else seed
        model, configuration, how = make(seed)
        energy = model.potential(configuration).energy(configuration)  # says if there is no room for a pair
        density = {} if how == "planted" else {"density": configuration.density, "seed": seed}
        done = {"start": how, "n": particles, "model": json.loads(json.dumps(model.to_dict())), **density}
        if not overwrite and read_record(output, "preparation") == done:
            if not quiet:
                note(f"{output} was finished by this command already; nothing is left to do")
        else:
            write_trajectory(
                output,
                iter([configuration.replace(step=0)]),
                model_record=done["model"],
                conditions=Conditions(temperature=temperature, seed=seed, label=label, units=model.units),
                overwrite=overwrite,
                records={"preparation": done},
            )
    if not quiet:
        click.echo(
            f"{output}: {particles} particles {'planted' if how == 'planted' else 'at random'} at T = {temperature:g} "
            f"with seed {seed}, energy a particle {energy / particles:.6g}"
        )


def _start(model, particles, density, start, from_file, rng):
    if from_file:
        if particles is not None or density is not None:
            raise InputError("The file to start from has its own N and density; leave -N and --density out.")
        from pelplug.trajectories.matching import read_start

        return read_start(start, model)[0]
    if particles is None:
        raise InputError("Say how many particles with -N, or start from a file with --start.")
    return model.random_configuration(particles, rng, density=density, arrangement=start)


@contextlib.contextmanager
def _progress(total: int, quiet: bool):
    from pelplug.execution.progress import Progress

    with Progress(total=total, unit="sweep", disable=not show_progress(quiet)) as bar:
        yield bar.update


def _summarise(result, output, frames: int) -> None:
    n = result.configuration.n
    half = len(result.energies) // 2
    first, second = (part.mean() / n for part in (result.energies[: half or 1], result.energies[half:]))
    swaps = "no swaps" if result.p_swap == 0.0 else f"swaps {100 * result.swap_acceptance:.3g} %"
    click.echo(
        f"{output}: {frames} {'frame' if frames == 1 else 'frames'} of {n} particles at T = {result.temperature:g}"
    )
    click.echo(
        f"energy a particle {result.mean_energy / n:.6g} +- {result.mean_energy_error / n:.2g} "
        f"(first half {first:.6g}, second half {second:.6g})"
    )
    click.echo(
        f"accepted: displacements {100 * result.displacement_acceptance:.3g} %, {swaps}; delta {result.delta:.4g}; "
        f"energy drift a particle {result.drift:.1g}"
    )
