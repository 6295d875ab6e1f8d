"""Print tables of the results in a folder, what is published beside what is found: ``python table.py FOLDER``."""

import pathlib
import sys
from itertools import product

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


def coupled_landscape(ds):
    """Coupled systems over temperature and q; the paper has about 0.175 for xi at large q and low T."""
    yield (
        "T",
        "q",
        "tau_alpha",
        "tau_alpha(0)/tau_alpha",
        "c",
        "<tau> over that at q = 0, less 1",
        "beta",
        "xi, all T",
    )
    for k, j in product(range(ds.sizes["temperature"]), range(ds.sizes["q"])):
        one = ds.isel(coupling=0, temperature=k, q=j)
        names = ("relaxation_time", "slowdown", "prefactor", "waiting_time_shift", "kww_beta")
        xi = with_error(one, "stokes_einstein_exponent") if "stokes_einstein_exponent" in ds else ""
        yield (f"{float(one['temperature']):g}", f"{float(one['q']):g}", *(with_error(one, name) for name in names), xi)


def couplings(ds):
    """All couplings over q_eff at one temperature."""
    yield ("coupling", "N_eff", "q", "q_eff", "tau_alpha")
    for c, k in product(range(ds.sizes["coupling"]), range(ds.sizes["q"])):
        one = ds.isel(coupling=c, q=k, temperature=0)
        numbers = (f"{float(one[name]):.4g}" for name in ("neighbours", "q", "effective_q"))
        yield (str(one["coupling"].values), *numbers, with_error(one, "relaxation_time"))


def with_error(one, name):
    """Return a number with its error."""
    return f"{float(one[name]):.4g} ± {float(one[f'{name}_error']):.2g}"


TABLES = {
    "trap-model": ("trap-model", trap_model),
    "coupled-landscape": ("coupled-landscape", coupled_landscape),
    "couplings": ("coupled-landscape", couplings),
}


def main(folder):
    """Print the tables of what is there."""
    for name, (study, rows) in TABLES.items():
        path = folder / f"{name}.nc"
        if not path.exists():
            continue
        head, *body = rows(pelplug.read_results(path)[study])
        print(f"## {name}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        print("\n".join(f"| {' | '.join(row)} |" for row in body), end="\n\n")


main(pathlib.Path(sys.argv[1]))
