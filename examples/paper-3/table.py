"""Print the numbers of the study with the published ones beside them: ``python table.py FOLDER``."""

import pathlib
import sys

import numpy as np

import pelplug

LAW = {"inverse-power-law": ("0.1", "0.4"), "modified-kob-andersen": ("0.02", "0.4")}
"""Fig. 4 (a4, b4) of Kapteijns et al., J. Chem. Phys. 155, 074502 (2021): time and length, without errors."""
EXPONENT = "0.74 to 0.79"
GROWTH = {"inverse-power-law": "about 2 where G has grown by 1.26"}
SPEARMAN = {0.6: "0.13", 0.7: "0.18", 0.95: "0.43"}  # sticky spheres, Fig. 7


def number(one, name):
    """Return a number with its error, if there are any."""
    value, error = float(one[name]), float(one[f"{name}_error"])
    if not np.isfinite(value):
        return "none"
    return f"{value:.4g} ± {error:.2g}" if np.isfinite(error) else f"{value:.4g}"


def main(folder):
    """Print what each state has, then what was fitted."""
    ds = pelplug.read_results(folder / "mesoelastic.nc")["mesoelastic"]
    model = pelplug.Conditions.of(ds).model
    model = model["name"] if model else ""
    names = ("reduced_tau_alpha", "reduced_diffusion", "kappa", "kappa_relative", "shear_modulus_relative",
             "reduced_stiffness", "reduced_rate", "spearman")  # fmt: skip
    print(f"| density | T | {' | '.join(names)} | fitted |\n|{' --- |' * (len(names) + 3)}")
    for density in range(ds.sizes["density"]):
        for temperature in range(ds.sizes["temperature"]):
            one = ds.isel(density=density, temperature=temperature)
            if np.isfinite(one["reduced_tau_alpha"]) or np.isfinite(one["kappa"]):
                row = [f"{float(one[name]):g}" for name in ("density", "temperature")]
                row += [number(one, name) for name in names]
                print(f"| {' | '.join(row)} | {'yes' if one['fitted'] else ''} |")
    print("\n| density | | found | published |\n| --- | --- | --- | --- |")
    time, length = LAW.get(model, ("", ""))
    rows = {"reduced_time": time, "reduced_length": length, "stokes_einstein_exponent": EXPONENT,
            "kappa_growth": GROWTH.get(model, "")}  # fmt: skip
    for density in range(ds.sizes["density"]):
        one = ds.isel(density=density)
        for name, published in rows.items():
            print(f"| {float(one['density']):g} | {name} | {number(one, name)} | {published} |")
        if np.isfinite(one["chi_square"]):
            chi_square = f"{float(one['chi_square']):.3g} of {int(one['freedom'])}"
            print(f"| {float(one['density']):g} | chi_square | {chi_square} | |")
        for level in range(ds.sizes.get("tau_level", 0)):
            at = one.isel(tau_level=level)
            where = f"at tau_alpha/t0 = {float(at['tau_level']):.4g}"
            published = SPEARMAN.get(float(one["density"]), "") if model == "sticky-spheres" else ""
            print(f"| {float(one['density']):g} | C_s {where} | {number(at, 'equal_spearman')} | {published} |")
            print(f"| {float(one['density']):g} | kappa a0^2/T {where} | {number(at, 'equal_reduced_stiffness')} | |")


main(pathlib.Path(sys.argv[1]))
