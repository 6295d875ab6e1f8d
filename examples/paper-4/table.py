"""Print T_def, beta, z and T_SF of the studies in this folder beside the published numbers."""

import numpy as np

import pelplug


def opened(file, study):
    """Read what a study gave."""
    return pelplug.read_results(file)[study]


def row(name, value, error, published):
    """Print a value with its error, where there are such."""
    spread = "" if np.isnan(error) else f" ± {float(error):.3f}"
    number = "none" if np.isnan(value) else f"{float(value):.3f}{spread}"
    print(f"| {name} | {number} | {published} |")


print("| quantity | found | published |\n|---|---|---|")
for dimension, published in (("2d", 0.25), ("3d", 0.15)):
    found = opened(f"defects-{dimension}.nc", "defects-of-temperature")
    for name, text in (
        ("t_def_slope", "largest slope of <phi> against T"),
        ("t_def_log_slope", "largest slope of <phi> against ln T"),
        ("t_def_chi", "peak of chi"),
    ):
        row(f"T_def, {dimension}, {text}", found[name], found[f"{name}_error"], published)
for dimension in ("2d", "3d"):
    found = opened(f"relaxation-{dimension}.nc", "descent-exponents").isel(particles=0)
    for k, (temperature, limit) in {0: ("coldest", "beta_harmonic"), -1: ("hottest", "beta_hot")}.items():
        text = f"beta, {dimension}, T = {float(found['temperature'][k]):g} ({temperature})"
        row(text, found["beta"][k], found["beta_error"][k], f"{float(found[limit]):g}")
    for k in (0, -1):
        text = f"distance of the minima of sd and fire, {dimension}, T = {float(found['temperature'][k]):g}"
        row(text, found["distance_sd_fire"][k], found["distance_sd_fire_error"][k], "larger when hotter")
found = opened("descents.nc", "descent-exponents").isel(temperature=0)
row("beta, T = infinity, d = 2, the largest", found["beta"][-1], found["beta_error"][-1], 0.92)
if "z" in found:
    row("z, T = infinity, d = 2", found["z"], found["z_error"], 0.6)
found = opened("mari-kurchan.nc", "descent-exponents")
row("beta, Mari-Kurchan, T = 0.015, the largest", found["beta"][-1, -1], found["beta_error"][-1, -1], 0.75)
low, high = float(found["t_sf_lower"]), float(found["t_sf_upper"])
print(f"| T_SF, Mari-Kurchan | {'none' if np.isnan(low) else f'{low:g} to {high:g}'} | 0.0001 to 0.006 |")
