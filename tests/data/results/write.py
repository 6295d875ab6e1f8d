"""Write small results of the bundled analyses that take seconds, to be kept beside this file: an archive a release.

    python tests/data/results/write.py tests/data/results/0.1.0.tar.xz

A release adds its own before it is published; none is ever changed. ``tests/test_old_results.py`` reads, draws and
studies each. With ``--states COLD WARM`` the trajectories are given: that is how the archives of versions before this
script were made, by their own code.
"""

import argparse
import pathlib
import sys
import tarfile
import tempfile

import pelplug

TIMES = {"dt": 0.005}
FEW = {"per_decade": 2, "resamples": 100, "samples": 20, "blocks": 4, "bins": 6}
WITH = {
    "defects": {"x_eq": 1.4, "stop": 2},
    "dynamics": {"quantities": ("msd", "fs", "alpha_2"), "min_origins": 2, **TIMES},
    "inherent-structures": {"stop": 2},
    "inherent-structure-transitions": {"search": "all", **TIMES},
    "kappa": {"stop": 3, "pairs": 10},
    "metabasins": {"minimum": 2, "search": "all", "waiting_per_decade": 2, "energy_bins": 3, **TIMES},
    "msed": {"energies": "model", **TIMES},
    "relaxation": {"stop": 2, "t_end": 10.0, "to_minimum": False},
    "vibrations": {"stop": 2, "modes": 20},
}


def main():
    """Write what can be written, and say what cannot."""
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--states", nargs=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cold, warm = given.states or states(folder)
        results = [write(folder, analysis, warm, analysis, WITH[analysis]) for analysis in WITH]
        results.append(write(folder, "kappa-cold", cold, "kappa", WITH["kappa"]))
        with tarfile.open(given.archive, "x:xz", preset=9) as archive:
            for path in filter(None, results):
                archive.add(path, path.name)
    print(f"{given.archive}: {given.archive.stat().st_size} bytes")


def write(folder, stem, trajectory, analysis, parameters):
    """Write the result of an analysis; None if there is none."""
    known = parameters_of(analysis)
    few = {key: value for key, value in FEW.items() if key in known}
    try:
        dataset = pelplug.analyze(analysis, trajectory, model="kob-andersen", **{**few, **parameters})
        dataset = dataset[analysis] if isinstance(dataset, dict) else dataset
        pelplug.write_netcdf(folder / f"{stem}.nc", dataset)
    except Exception as error:
        print(f"{stem}: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    return folder / f"{stem}.nc"


def states(folder):
    """Make trajectories of 60 particles about four minima, said to be at two temperatures."""
    from pelplug.testing import make_trajectory

    made = make_trajectory(folder / "warm.gsd", n=60, frames=24, minima=4, time_step=0.005)
    cold = [pelplug.read_configuration(made, frame=k) for k in range(4, 8)]
    pelplug.write_trajectory(folder / "cold.gsd", cold, conditions=pelplug.Conditions(temperature=0.5))
    return folder / "cold.gsd", made


def parameters_of(name):
    """Return the names of the parameters of an analysis."""
    from pelplug.host.functions import default_registry

    return default_registry().analysis(name).parameter_specs()


if __name__ == "__main__":
    main()
