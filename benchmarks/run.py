"""Run every benchmark beside its peers and print the ratios.

    python benchmarks/run.py

Each benchmark also runs alone, with options: ``python benchmarks/kappa.py --help``.
"""

import pathlib
import subprocess
import sys

BENCHMARKS = (
    "hessian",
    "quench",
    "kappa",
    "embedded_atom",
    "swap",
    "vibrations",
    "soft_modes",
    "dynamics",
    "msed",
    "metabasins",
    "coupled_landscape",
    "engines_hoomd",
)


def main() -> int:
    """Run the benchmarks one after the other, each in a fresh process; return how many failed."""
    failed = 0
    for name in BENCHMARKS:
        print(f"\n## {name}\n", flush=True)
        failed += subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name(f"{name}.py"))]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
