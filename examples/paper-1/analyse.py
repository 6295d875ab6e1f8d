"""Analyse each run in a folder by itself: ``python analyse.py FOLDER``; what is there already is left."""

import pathlib
import sys

import pelplug

folder = pathlib.Path(sys.argv[1])
for path in sorted([*folder.glob("ka-*.gsd"), *folder.glob("gas-*.gsd")]):
    wanted = {"minima": ("inherent-structures", {"log_frequency_sum": True})}
    if path.name.startswith("ka-"):
        wanted["dynamics"] = ("dynamics", {"quantities": ("msd",), "per_decade": 40})
    for suffix, (name, parameters) in wanted.items():
        output = path.with_suffix(f".{suffix}.nc")
        if not output.exists():
            result = pelplug.analyze(name, path, model="kob-andersen", verbose=False, **parameters)
            pelplug.write_netcdf(output, result)
            print(output, flush=True)
