"""Print tables of the results in a folder, what is published beside what is found: ``python table.py FOLDER``."""

import pathlib
import sys

import pelplug


def trap_model(ds):
    """One elementary system over temperature; the paper has 0.4 for the limit of xi."""
    yield (
        "T",
        "<tau>",
        "closed",
        "tau_alpha",
        "closed",
        "xi",
        "closed",
        "<1/Gamma> near the cutoff",
        "jumps above e_c",
    )
    names = ("mean_waiting_time", "closed_mean_waiting_time", "relaxation_time", "closed_relaxation_time", "exponent",
             "closed_exponent", "relaxation_near_cutoff", "jumps_above_crossover")  # fmt: skip
    for at in range(ds.sizes["temperature"]):
        one = ds.isel(temperature=at)
        yield (f"{float(one['temperature']):g}", *(f"{float(one[name]):.4g}" for name in names))
    limit = f"{float(ds['limit_exponent']):.3g} (published: 0.4)"
    yield ("to 0, no cutoff", "", "", "", "", limit, limit, "", "")


TABLES = {"trap-model": trap_model}


def main(folder):
    """Print the tables of what is there."""
    for name, rows in TABLES.items():
        path = folder / f"{name}.nc"
        if not path.exists():
            continue
        head, *body = rows(pelplug.read_results(path)[name])
        print(f"## {name}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        print("\n".join(f"| {' | '.join(row)} |" for row in body), end="\n\n")


main(pathlib.Path(sys.argv[1]))
