"""Analyse each run in a folder by itself, in two processes: ``python analyse.py FOLDER``; what is there is left."""

import concurrent.futures
import multiprocessing
import pathlib
import sys

import pelplug


def analyse(path):
    """Write the minima of a run, and its mean squared displacement."""
    wanted = {"minima": ("inherent-structures", {"log_frequency_sum": True})}
    if path.name.startswith("ka-"):
        wanted["dynamics"] = ("dynamics", {"quantities": ("msd",), "per_decade": 40})
    for suffix, (name, parameters) in wanted.items():
        output = path.with_suffix(f".{suffix}.nc")
        if not output.exists():
            with pelplug.Device("cpu", threads=1):
                result = pelplug.analyze(name, path, model="kob-andersen", verbose=False, **parameters)
            pelplug.write_netcdf(output, result)
            print(output, flush=True)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    # Fresh processes: threads that numba has started do not survive a fork.
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(analyse, sorted([*folder.glob("ka-*.gsd"), *folder.glob("gas-*.gsd")])))
