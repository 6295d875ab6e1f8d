"""Results that run.sh studies: defects and descents over temperature, and descents from random starts of several sizes.

Each file is written whole; those that are there are not made again.
"""

import argparse
import concurrent.futures
import functools
import multiprocessing
import pathlib

import pelplug

COOLED = {  # the temperatures of a chain, in its order
    2: ("polydisperse-soft-spheres-2d", (0.80, 0.50, 0.40, 0.32, 0.26, 0.22, 0.18, 0.14, 0.10, 0.06)),
    3: ("polydisperse-soft-spheres", (0.40, 0.30, 0.24, 0.20, 0.17, 0.15, 0.13, 0.11, 0.085, 0.062)),
}
PLANTED = (0.0001, 0.0003, 0.001, 0.003, 0.006, 0.015)  # Mari-Kurchan, from equilibrium
PARTS = ("defects-2d", "defects-3d", "descents", "mari-kurchan")

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
parser.add_argument("--workers", type=int, default=2, help="processes")
parser.add_argument("--particles", type=int, default=1000, help="of the soft spheres; 64000 in the paper")
parser.add_argument("--chains", type=int, default=5, help="independent runs at each temperature")
parser.add_argument("--frames", type=int, default=20, help="of each run")
parser.add_argument("--sweeps", type=int, default=100, help="between frames")
parser.add_argument("--equilibration", type=int, default=2000, help="sweeps before the first")
parser.add_argument("--sizes", type=int, nargs="+", default=[250, 1000, 4000], help="of the harmonic spheres")
parser.add_argument("--starts", type=int, default=10, help="random starts of each size")
parser.add_argument("--planted", type=int, nargs="+", default=[256, 1024], help="sizes of Mari-Kurchan; up to 16384")
parser.add_argument("--samples", type=int, default=6, help="of Mari-Kurchan, at each size and temperature")


def written(result, name, trajectory, **parameters):
    """Analyse a trajectory into a file, if it is not there."""
    if not pathlib.Path(result).exists():
        pelplug.write_netcdf(result, pelplug.analyze(name, trajectory, **parameters))
        print(result, flush=True)


def defects(given, dimension, chain):
    """Cool one chain, all of which have the same diameters; defects of every frame, descents of every fifth."""
    name, temperatures = COOLED[dimension]
    model = pelplug.model(name)
    diameters = model.random_configuration(given.particles, 0).diameters
    state = model.random_configuration(given.particles, chain).replace(diameters=diameters)
    for temperature in temperatures:
        at = f"{dimension}d-{temperature}-{chain}"
        run = pelplug.swap_monte_carlo(
            state,
            model,
            temperature,
            given.frames * given.sweeps,
            equilibration=given.equilibration,
            sample_every=given.sweeps,
            p_swap=0.2,
            seed=1000 * chain + round(1000 * temperature),
            output=f"frames-{at}.nc",
            resume=True,
        )
        state = run.configuration.replace(step=None)
        written(f"defects-{at}.nc", "defects", f"frames-{at}.nc", force_tolerance=1e-6)
        written(f"relaxation-{at}.nc", "relaxation", f"frames-{at}.nc", step=5, rtol=0.03, t_end=1e4, compare=True)


def descent(model, name, state, temperature, seed, t_end):
    """Follow one start to its minimum."""
    start, said = f"{name}.start.nc", pelplug.Conditions(temperature=temperature, seed=seed)
    pelplug.write_trajectory(start, [state], model_record=model.to_dict(), conditions=said, overwrite=True)
    written(f"{name}.nc", "relaxation", start, rtol=0.03, t_end=t_end)


def descents(given, size, start):
    """Follow a start without any correlation: T = infinity."""
    model, name = pelplug.model("harmonic-spheres", dimension=2), f"descent-{size}-{start}"
    if not pathlib.Path(f"{name}.nc").exists():
        state = model.random_configuration(size, start, arrangement="random")
        descent(model, name, state, float("inf"), start, 1e4)


def mari_kurchan(given, size, temperature, sample):
    """Follow a planted equilibrium of the Mari-Kurchan model."""
    name = f"mari-kurchan-{size}-{temperature}-{sample}"
    if not pathlib.Path(f"{name}.nc").exists():
        model, state = pelplug.model("mari-kurchan").planted(size, temperature, sample)
        descent(model, name, state, temperature, sample, 2500.0)


def jobs(given):
    """List what to compute, the longest first."""
    for dimension in (2, 3):
        if f"defects-{dimension}d" in given.parts:
            yield from (functools.partial(defects, given, dimension, chain + 1) for chain in range(given.chains))
    if "descents" in given.parts:
        for size in sorted(given.sizes, reverse=True):
            yield from (functools.partial(descents, given, size, start + 1) for start in range(given.starts))
    if "mari-kurchan" in given.parts:
        for size in sorted(given.planted, reverse=True):
            for temperature in PLANTED:
                yield from (
                    functools.partial(mari_kurchan, given, size, temperature, sample + 1)
                    for sample in range(given.samples)
                )


def one_thread(job):
    """Run a job beside others."""
    with pelplug.Device("cpu", threads=1):
        job()


if __name__ == "__main__":
    given = parser.parse_args()
    todo = list(jobs(given))
    # Fresh processes: threads that numba has started do not survive a fork.
    with concurrent.futures.ProcessPoolExecutor(given.workers, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(one_thread, todo))
