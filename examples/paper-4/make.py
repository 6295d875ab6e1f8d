"""Results that run.sh studies: defects over temperature, and descents from T = infinity at several sizes.

Each file is written whole; those that are there are not made again.
"""

import argparse
import pathlib

import pelplug

TEMPERATURES = (0.80, 0.50, 0.40, 0.32, 0.26, 0.22, 0.18, 0.14, 0.10, 0.06)  # as the chains are cooled

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--particles", type=int, default=500, help="of the soft spheres; 64000 in the paper")
parser.add_argument("--chains", type=int, default=5, help="independent runs at each temperature")
parser.add_argument("--frames", type=int, default=20, help="of each run")
parser.add_argument("--sweeps", type=int, default=100, help="between frames")
parser.add_argument("--equilibration", type=int, default=2000, help="sweeps before the first")
parser.add_argument("--sizes", type=int, nargs="+", default=[250, 1000, 4000], help="of the harmonic spheres")
parser.add_argument("--starts", type=int, default=10, help="random starts of each size")
given = parser.parse_args()


def defects(chain):
    """Cool one chain through all temperatures; all chains have the same diameters."""
    model = pelplug.model("polydisperse-soft-spheres-2d")
    diameters = model.random_configuration(given.particles, 0).diameters
    state = model.random_configuration(given.particles, chain).replace(diameters=diameters)
    for temperature in TEMPERATURES:
        frames, result = (pathlib.Path(f"defects-{temperature}-{chain}{end}") for end in (".frames.nc", ".nc"))
        run = pelplug.swap_monte_carlo(
            state,
            model,
            temperature,
            given.frames * given.sweeps,
            equilibration=given.equilibration,
            sample_every=given.sweeps,
            p_swap=0.2,
            seed=1000 * chain + round(1000 * temperature),
            output=frames,
            resume=True,
        )
        state = run.configuration.replace(step=None)
        if not result.exists():
            pelplug.write_netcdf(result, pelplug.analyze("defects", frames, force_tolerance=1e-6))
            print(result, flush=True)


def descents(n, start):
    """Follow one start without any correlation to its minimum."""
    model = pelplug.model("harmonic-spheres", dimension=2)
    name, result = f"descent-{n}-{start}.start.nc", pathlib.Path(f"descent-{n}-{start}.nc")
    if result.exists():
        return
    state = model.random_configuration(n, start, arrangement="random")
    said = pelplug.Conditions(temperature=float("inf"), seed=start)
    pelplug.write_trajectory(name, [state], model_record=model.to_dict(), conditions=said, overwrite=True)
    pelplug.write_netcdf(result, pelplug.analyze("relaxation", name, rtol=0.03, t_end=1e4))
    print(result, flush=True)


for chain in range(1, given.chains + 1):
    defects(chain)
for size in given.sizes:
    for start in range(1, given.starts + 1):
        descents(size, start)
