"""Print the study in a folder beside the published numbers: ``python table.py FOLDER``."""

import pathlib
import sys

import numpy as np

import pelplug

PUBLISHED = {
    "diffusion_limit": ("D_inf", "0.155"),
    "landscape_variance": ("sigma^2", "18 ± 2"),
    "adam_gibbs": ("B", "1.85"),
    "landscape_alpha": ("alpha", "0.78"),
    "landscape_center": ("E_0", "-1140"),
    "center_from_means": ("E_0 from the mean energies", ""),
    "least_energy": ("e_K", "-7.81"),
}
STATES = (
    "runs",
    "resting_runs",
    "msd_time",
    "mean_energy",
    "variance_energy",
    "local_variance",
    "diffusion_coefficient",
    "predicted_diffusion",
    "diffusion_ratio",
    "diffusion_product",
    "configurational_entropy",
)


def number(one, name):
    """Return a number with its error, if it has one."""
    value = float(one[name])
    if not np.isfinite(value):
        return "none"
    error = float(one[f"{name}_error"]) if f"{name}_error" in one else np.nan
    return f"{value:.5g}" + (f" ± {error:.2g}" if np.isfinite(error) else "")


def main(folder):
    """Print both tables."""
    found = pelplug.read_results(folder / "local-diffusivity.nc")["local-diffusivity"]
    print("| | published | ours |\n| --- | --- | --- |")
    for name, (symbol, published) in PUBLISHED.items():
        print(f"| {symbol} | {published} | {number(found, name)} |")
    path = folder / "configurational-entropy.nc"
    entropy = pelplug.read_results(path)["configurational-entropy"] if path.exists() else None
    if entropy is not None:
        print(f"| T_K by integration | | {number(entropy, 'kauzmann_temperature')} |")
    print(f"\n| T | {' | '.join(STATES)} |\n|{' --- |' * (len(STATES) + 1)}")
    for k, temperature in enumerate(found["temperature"].values):
        one = found.isel(temperature=k)
        print(f"| {temperature:g} | {' | '.join(number(one, name) for name in STATES)} |")
    if entropy is not None:
        names = ("liquid_entropy", "harmonic_entropy", "anharmonic_entropy", "configurational_entropy")
        print(f"\n| T | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
        for k, temperature in enumerate(entropy["temperature"].values):
            one = entropy.isel(temperature=k)
            print(f"| {temperature:g} | {' | '.join(number(one, name) for name in names)} |")


main(pathlib.Path(sys.argv[1]))
