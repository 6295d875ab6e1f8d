"""Analyse each run in a folder by itself: ``python analyse.py FOLDER``; what is there already is left.

Below T = 1 the inherent structure of every frame too: hotter runs are for D_inf alone.
"""

import pathlib
import sys

import pelplug

for path in sorted(pathlib.Path(sys.argv[1]).glob("ka-*.gsd")):
    wanted = {"dynamics": ({"quantities": ("msd",), "per_decade": 40}, path.with_suffix(".dynamics.nc"))}
    if pelplug.open_trajectory(path).conditions.temperature < 1:
        wanted["inherent-structures"] = ({}, path.with_suffix(".minima.nc"))
    for name, (parameters, output) in wanted.items():
        if not output.exists():
            result = pelplug.analyze(name, path, model="kob-andersen", verbose=False, **parameters)
            pelplug.write_netcdf(output, result)
            print(output, flush=True)
