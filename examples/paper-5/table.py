"""Print the numbers of the study beside those of Zhang et al. and of harmonic vibrations, as Markdown."""

import sys

import numpy as np

import pelplug


def stated(value: float, error: float) -> str:
    """Return a number with its error, or what there is."""
    if not np.isfinite(value):
        return "none"
    return f"{value:.4g} ± {error:.2g}" if np.isfinite(error) else f"{value:.4g}, no error"


def main(file: str) -> None:
    """Print the tables of a result."""
    result = next(iter(pelplug.Collection(file)))
    names = ("tau", "tau_alpha", "u0", "um", "s1", "s2")
    print("| T | tau* | tau_alpha | U0 | over harmonic | Um | S1/Nk | S2/Nk |\n|---|---|---|---|---|---|---|---|")
    for k, temperature in enumerate(result["temperature"].values):
        row = [stated(float(result[name][k]), float(result[f"{name}_error"][k])) for name in names]
        row.insert(3, f"{float(result['u0_over_harmonic'][k]):.4g}")
        print(f"| {temperature:.4f} | " + " | ".join(row) + " |")
    print("\n| | here | published |\n|---|---|---|")
    for name, label, published in (
        ("u0_exponent", "b of U0 ~ T^b", "1"),
        ("um_turn", "T at which Um turns", "0.39 (T_g)"),
        ("tau_turn", "T at which tau* turns to strong", "not stated; 760 K in Cu50Zr50"),
        ("reference_entropy", "S at the reference, by Adam and Gibbs [k]", "not stated"),
        ("adam_gibbs_slope", "A of Adam and Gibbs", "not stated"),
    ):
        print(f"| {label} | {stated(float(result[name]), float(result[f'{name}_error']))} | {published} |")


if __name__ == "__main__":
    main(sys.argv[1])
