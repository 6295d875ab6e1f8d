"""Print Table I and the times of a folder, what is published beside what is found: ``python table.py FOLDER``.

It writes parameters.toml too: the landscape with the correlations of its errors, for `pelplug study trap-model`.
"""

import math
import pathlib
import sys

import pelplug

PUBLISHED = {"sigma": "2.9", "lam": "0.50", "crossover": "-11.9", "entropic_factor": "0.56", "rate_prefactor": "4.82",
             "last_barrier": "", "sigma_gamma": "1.0", "cutoff": "-25"}  # fmt: skip
OPTIONS = {"lam": "lambda", "entropic_factor": "entropic-factor", "rate_prefactor": "rate-prefactor",
           "last_barrier": "last-barrier", "sigma_gamma": "sigma-gamma"}  # fmt: skip
TIMES = {"waiting_time": "<tau>", "relaxation_time": "tau_alpha", "diffusion_coefficient": "D"}


def with_error(ds, name):
    """Return a number with its error or interval, or none."""
    value = float(ds[name])
    if name == "cutoff":
        low, high = (f"{float(one):.4g}" for one in ds["cutoff_interval"])
        return f"{value:.4g} ({low} to {high})"
    return f"{value:.3g} ± {float(ds[f'{name}_error']):.1g}" if math.isfinite(value) else "not fixed"


def main(folder):
    """Print both tables and write the parameters."""
    ds = pelplug.read_results(folder / "random-walk.nc")["random-walk"]
    print("| parameter | published | found |\n| --- | --- | --- |")
    for name, published in PUBLISHED.items():
        print(f"| {OPTIONS.get(name, name)} | {published} | {with_error(ds, name)} |")
    head = [f"{symbol} {whose}" for symbol in TIMES.values() for whose in ("measured", "of the landscape")]
    print(f"\n| T | jumps | {' | '.join(head)} | xi |\n|{' --- |' * (len(head) + 3)}")
    for k in range(ds.sizes["temperature"]):
        at = ds.isel(temperature=k)
        both = [with_error(at, f"{whose}_{name}") for name in TIMES for whose in ("measured", "predicted")]
        row = (f"{float(at['temperature']):g}", f"{float(at['metabasins']):.0f}", *both, with_error(at, "exponent"))
        print(f"| {' | '.join(row)} |")
    (folder / "parameters.toml").write_text(parameters(ds))


def parameters(ds):
    """Return the landscape as a file of parameters; what is not fixed keeps its default."""
    known = [name for name in PUBLISHED if name != "cutoff" and math.isfinite(float(ds[name]))]
    possible = [name for name in known if name != "last_barrier" or float(ds[name]) >= 0]
    lines = [f"{OPTIONS.get(name, name)} = {float(ds[name]):.6g}" for name in possible]
    lines += ["", "[trap-model.errors]"]
    told = [name for name in possible if math.isfinite(float(ds[f"{name}_error"]))]
    lines += [f"{OPTIONS.get(name, name)} = {float(ds[f'{name}_error']):.3g}" for name in told]
    names = [name for name in told if name in ds["parameter"].values]
    matrix = ds["correlation"].sel(parameter=names, other_parameter=names).values
    lines += ["", "[trap-model.errors.correlation]", f"parameters = {[OPTIONS.get(one, one) for one in names]}",
              f"matrix = {[[round(float(one), 4) for one in row] for row in matrix]}", ""]  # fmt: skip
    return "\n".join(lines)


main(pathlib.Path(sys.argv[1]))
