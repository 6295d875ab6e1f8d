"""Every CUDA kernel that pelplug has, on a GPU beside the CPU: differences and ratios, in minutes.

    python benchmarks/gpu.py [-o gpu.json]
    NUMBA_ENABLE_CUDASIM=1 python benchmarks/gpu.py        # without a GPU, at tiny size: does it compute the same?

It needs numpy, scipy, numba and numba-cuda, and neither HOOMD-blue nor an installed pelplug nor a network: the
modules with the kernels are loaded by their paths. For each kernel

- forces and energies of the GPU are compared with those of plain numpy (an independent sum over pairs) and with the
  same function compiled for the CPU, where arrays have the types and strides of HOOMD-blue's, in float64 and float32;
- the time of a launch is measured after warm-up, the device synchronised, beside the CPU's with all its threads.

The exit code is 0 if all agree, 1 if one differs or fails, 2 if there is no GPU to use.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import itertools
import json
import math
import os
import pathlib
import platform
import sys
import time
import traceback
import warnings

import numpy as np
from scipy.spatial import cKDTree

HOUSE = pathlib.Path(__file__).resolve().parent.parent / "pelplug"
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") == "1"
BLOCK = 128
# Largest difference allowed, of the largest force; float32 is what the arrays hold, sums are in float64.
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}


def series(x, terms):
    """Return a polynomial ``sum c x**k`` over pairs (k, c) and its derivative."""
    return sum(c * x**k for k, c in terms), sum(k * c * x ** (k - 1) for k, c in terms)


def glued(x, p):
    """Lennard-Jones up to its minimum, the smooth end of sticky spheres beyond."""
    inner = series(x, [(-12, 4 * p[0]), (-6, -4 * p[0])])
    powers = [(-12, p[1]), (-6, -p[2]), (0, p[3]), (2, p[4]), (4, p[5]), (6, p[6])]
    outer = series(x, [(k, p[0] * c) for k, c in powers])
    return tuple(np.where(x < 2 ** (1 / 6), one, other) for one, other in zip(inner, outer, strict=True))


# The energies once more, as their papers have them: u and du/dx of arrays x and p.
FORMULAS = {
    "lennard-jones": lambda x, p: series(x, [(-12, 4 * p[0]), (-6, -4 * p[0])]),
    "inverse-power-law": lambda x, p: (p[0] * x ** -p[1], -p[0] * p[1] * x ** (-p[1] - 1)),
    "inverse-power-law-smooth": lambda x, p: series(
        x, [(-10, p[0]), (0, p[0] * p[1]), (2, p[0] * p[2]), (4, p[0] * p[3]), (6, p[0] * p[4])]
    ),
    "sticky-spheres": glued,
    "soft-spheres-12": lambda x, p: series(x, [(-12, p[0]), (0, p[0] * p[1]), (2, p[0] * p[2]), (4, p[0] * p[3])]),
    "harmonic": lambda x, p: (0.5 * p[0] * (1 - x) ** 2, -p[0] * (1 - x)),
}


class Here:
    """Finds the modules of pelplug by their paths; packages above them are empty: what they import is not here."""

    empty = frozenset({"pelplug", "pelplug.potentials", "pelplug.execution", "pelplug.engines"})

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """Return where a module is, None for one that is not pelplug's."""
        first, *rest = name.split(".")
        if first != "pelplug":
            return None
        place = HOUSE.joinpath(*rest)
        if name in cls.empty:
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(place)]
            return spec
        file, folder = (place / "__init__.py", [str(place)]) if place.is_dir() else (place.with_suffix(".py"), None)
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=folder)


def non_additive(d_i, d_j):
    """Diameter of a pair of polydisperse soft spheres."""
    return 0.5 * (d_i + d_j) * (1.0 - 0.2 * abs(d_i - d_j))


def additive(d_i, d_j):
    """Diameter of a pair of harmonic spheres."""
    return 0.5 * (d_i + d_j)


def cases(forms, truncations) -> dict[str, dict]:
    """Return each kernel: form, truncation, dimension, parameters by pair of species, and a density."""
    lj, ipl = [[1.0, 0.8], [0.8, 0.88]], [[1.0, 1.18], [1.18, 1.4]]
    smooth = [-1.11063376625118, 1.26761523722971, -0.49604060728492, 0.06605118264157]
    sticky = [-106.99161353, -304.91846906, -939.38803799, 1190.70962256, -541.30013159, 85.86849369]
    soft = [-28 * 1.25**-12, 48 * 1.25**-14, -21 * 1.25**-16]
    epsilon = [[[1.0], [1.5]], [[1.5], [0.5]]]
    contact = [[1.0, 1.2], [1.2, 1.4]]

    def same(*numbers):
        return [[[1.0, *numbers]] * 2] * 2

    # Form, truncation, dimension, sigma by species or a rule of mixing, parameters, cutoff, density.
    table = [
        ("lennard-jones", "shift", 3, lj, epsilon, 2.5, 1.2),
        ("lennard-jones", "smooth", 2, lj, epsilon, 2.5, 1.2),
        ("lennard-jones", "shifted-force", 3, lj, epsilon, 1.5, 1.2),
        ("inverse-power-law", "smooth", 3, ipl, same(10.0), 1.48, 0.82),
        ("inverse-power-law-smooth", "cut", 3, ipl, same(*smooth), 1.48, 0.82),
        ("sticky-spheres", "cut", 3, ipl, same(*sticky), 1.2 * 2 ** (1 / 6), 0.6),
        ("soft-spheres-12", "cut", 2, non_additive, [[[1.0, *soft]]], 1.25, 1.0),
        ("harmonic", "cut", 3, additive, [[[1.0]]], 1.0, 1.0),
        ("harmonic", "cut", 2, contact, same(), 1.0, 1.0),
    ]
    found = {}
    for name, truncation, d, size, p, cutoff, density in table:
        mixing, sigma = (size, None) if callable(size) else (None, size)
        label = f"{name}, {truncation}, {d}D{', diameters' if mixing else ''}"
        form = forms.FORMS[name]
        found[label] = {"form": form, "truncation": truncation, "d": d, "sigma": sigma, "mixing": mixing}
        found[label]["truncated"] = truncations.truncated(form, truncation)
        found[label] |= {"p": p, "cutoff": cutoff, "density": density}
    missing = set(forms.FORMS) - {case["form"].name for case in found.values()}
    if missing:
        raise RuntimeError(f"this script lacks the forms {', '.join(sorted(missing))}")
    return found


def tail_of(case: dict, sigma_pair: tuple[int, int]) -> list[float]:
    """Solve for what the truncation adds, once more: coefficients of 1, x, x**2 and x**4."""
    a, b = sigma_pair
    x = case["cutoff"]
    u, du, ddu = case["form"].function(x, np.array(case["p"][a][b]))
    if case["truncation"] == "shift":
        return [-u, 0.0, 0.0, 0.0]
    if case["truncation"] == "shifted-force":
        return [-u + du * x, -du, 0.0, 0.0]
    if case["truncation"] == "smooth":
        matrix = [[1, x**2, x**4], [0, 2 * x, 4 * x**3], [0, 2, 12 * x**2]]
        c0, c2, c4 = np.linalg.solve(matrix, [-u, -du, -ddu])
        return [c0, 0.0, c2, c4]
    return [0.0] * 4


def system(case: dict, n: int, rng: np.random.Generator) -> dict:
    """Make a disordered state in a tilted box, with its neighbours as HOOMD-blue lists them."""
    d = case["d"]
    side = math.ceil(n ** (1 / d))
    n = side**d
    edge = (n / case["density"]) ** (1 / d)
    lattice = np.stack(np.meshgrid(*[np.arange(side)] * d, indexing="ij"), axis=-1).reshape(-1, d)
    fractional = (lattice + 0.5 + 0.12 * rng.uniform(-1, 1, (n, d))) / side
    cell = edge * np.eye(d)
    cell[1, 0] = 0.1 * edge
    if d == 3:
        cell[2, 0], cell[2, 1] = -0.05 * edge, 0.15 * edge
    per_particle = case.get("mixing") is not None
    size = 1 if per_particle else 2
    groups = np.zeros(n, np.int64) if per_particle else rng.integers(0, 2, n)
    diameters = rng.uniform(0.75, 1.3, n) if per_particle else np.ones(n)
    sigma = np.ones((1, 1)) if per_particle else np.array(case["sigma"])
    cutoffs = case["cutoff"] * sigma
    reach = case["cutoff"] * (1.35 if per_particle else sigma.max())
    if 2.1 * reach > min(1 / np.linalg.norm(np.linalg.inv(cell), axis=0)):
        raise ValueError(f"the box of {n} particles is too small for a cutoff of {reach:.3g}; use more (-N)")
    i, j = neighbours(fractional, cell, reach + 0.1)
    order = np.argsort(i, kind="stable")
    i, j = i[order], j[order]
    count = np.bincount(i, minlength=n)
    return {
        "n": n,
        "reach": reach,
        "cell": cell,
        "fractional": fractional,
        "groups": groups,
        "diameters": diameters,
        "sigma": sigma,
        "i": i,
        "j": j,
        "count": count.astype(np.uint32),
        "head": np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.uint64),
        "tags": np.arange(n, dtype=np.uint32),
        "inverse_sigma": 1.0 / sigma,
        "p": np.array(case["p"], float),
        "numbers": np.array([[case["truncated"].numbers(p, case["cutoff"]) for p in row] for row in case["p"]]),
        "tail": np.array([[tail_of(case, (a, b)) for b in range(size)] for a in range(size)]),
        "cutoff_squared": cutoffs**2,
    }


def neighbours(fractional: np.ndarray, cell: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs nearer than ``reach``, both ways, over the images of a tilted box."""
    n, d = fractional.shape
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    margin = reach / heights
    images, owners = [], []
    for shift in itertools.product((-1, 0, 1), repeat=d):
        moved = fractional + shift
        near = np.all((moved > -margin) & (moved < 1 + margin), axis=1)
        images.append(moved[near])
        owners.append(np.flatnonzero(near))
    images, owners = np.concatenate(images) @ cell, np.concatenate(owners)
    tree, everywhere = cKDTree(fractional @ cell), cKDTree(images)
    lists = tree.query_ball_tree(everywhere, reach)
    i = np.repeat(np.arange(n), [len(one) for one in lists])
    j = owners[np.concatenate([np.asarray(one, np.int64) for one in lists])]
    other = i != j
    return i[other], j[other]


def by_numpy(case: dict, state: dict, positions: np.ndarray) -> tuple[np.ndarray, float]:
    """Return forces and energy by a plain sum over pairs."""
    i, j, cell = state["i"], state["j"], state["cell"]
    apart = positions[j] - positions[i]
    for axis in range(case["d"] - 1, -1, -1):
        turns = np.floor(apart[:, axis] / cell[axis, axis] + 0.5)
        apart -= turns[:, None] * cell[axis]
    r = np.linalg.norm(apart, axis=1)
    a, b = state["groups"][i], state["groups"][j]
    mixing = case.get("mixing")
    sigma = state["sigma"][a, b] if mixing is None else mixing(state["diameters"][i], state["diameters"][j])
    x = r / sigma
    inside = x < case["cutoff"]
    i, a, b, x, r, apart, sigma = (one[inside] for one in (i, a, b, x, r, apart, sigma))
    u, du = FORMULAS[case["form"].name](x, state["p"][a, b].T)
    t = state["tail"][a, b]
    u += t[:, 0] + t[:, 1] * x + t[:, 2] * x**2 + t[:, 3] * x**4
    du += t[:, 1] + 2 * t[:, 2] * x + 4 * t[:, 3] * x**3
    pull = (du / sigma / r)[:, None] * apart
    forces = np.stack([np.bincount(i, pull[:, axis], state["n"]) for axis in range(case["d"])], axis=1)
    return forces, 0.5 * float(u.sum())


def arrays_of(state: dict, kind: str) -> tuple[np.ndarray, ...]:
    """Return what HOOMD-blue would give: vectors of four components, of which three are seen."""
    four = np.zeros((state["n"], 4), dtype=kind)
    d = state["cell"].shape[0]
    four[:, :d] = (state["fractional"] - 0.5) @ state["cell"]
    near = state["j"].astype(np.uint32)
    return four, state["tags"], state["head"], state["count"], near


def constants_of(state: dict) -> tuple[np.ndarray, ...]:
    """Return the arrays that never change."""
    names = ("cell", "groups", "diameters", "inverse_sigma", "numbers", "cutoff_squared")
    return tuple(np.ascontiguousarray(state[name]) for name in names)


def on_cpu(case: dict, pair, state: dict, kind: str, repeats: int) -> tuple[np.ndarray, float, float]:
    """Run the same body in parallel on the CPU; return forces, energy and seconds."""
    import numba

    body = pair.pair_body(case["truncated"], case["d"], case.get("mixing"), "cpu")

    @numba.njit(parallel=True)
    def every(positions, tags, head, count, near, c0, c1, c2, c3, c4, c5, forces, energies):
        for i in numba.prange(count.shape[0]):
            body(i, positions, tags, head, count, near, c0, c1, c2, c3, c4, c5, forces, energies)

    four, *lists = arrays_of(state, kind)
    out = np.zeros_like(four)
    arguments = (four[:, :3], *lists, *constants_of(state), out[:, :3], out[:, 3])
    every(*arguments)
    seconds = best(lambda: every(*arguments), lambda: None, repeats)
    return out[:, : case["d"]].astype(float), float(out[:, 3].sum(dtype=float)), seconds


def on_gpu(case: dict, pair, cuda, state: dict, kind: str, repeats: int) -> tuple[np.ndarray, float, float]:
    """Run the kernel; return forces, energy and seconds."""
    kernel = pair.cuda_pair_kernel(case["truncated"], case["d"], case.get("mixing"))
    four, *lists = arrays_of(state, kind)
    positions, out = cuda.to_device(four), cuda.to_device(np.zeros_like(four))
    fixed = [cuda.to_device(array) for array in (*lists, *constants_of(state))]
    # The simulator makes a Python thread of every CUDA thread: not more than needed.
    blocks, threads = (1, state["n"]) if SIMULATED else ((state["n"] + BLOCK - 1) // BLOCK, BLOCK)

    def launch():
        kernel[blocks, threads](positions[:, :3], *fixed, out[:, :3], out[:, 3])

    launch()
    cuda.synchronize()
    seconds = best(launch, cuda.synchronize, repeats)
    got = out.copy_to_host()
    return got[:, : case["d"]].astype(float), float(got[:, 3].sum(dtype=float)), seconds


def best(action, finish, repeats: int) -> float:
    """Return the median time of a call after two that warm up."""
    times = []
    for k in range(repeats + 2 if repeats else 0):
        begun = time.perf_counter()
        action()
        finish()
        if k >= 2:
            times.append(time.perf_counter() - begun)
    return float(np.median(times)) if times else float("nan")


def compare(case: dict, pair, cuda, n: int, kind: str, repeats: int, with_cpu: bool) -> dict:
    """Measure one kernel with one type of arrays."""
    state = system(case, n, np.random.default_rng(1))
    found = {"n": state["n"], "pairs": len(state["j"]) // 2}
    gpu, gpu_energy, gpu_seconds = on_gpu(case, pair, cuda, state, kind, repeats)
    if with_cpu:
        cpu, cpu_energy, cpu_seconds = on_cpu(case, pair, state, kind, min(repeats, 5))
        found |= {
            "force_difference_cpu": float(np.abs(gpu - cpu).max() / np.abs(cpu).max()),
            "energy_difference_cpu": abs(gpu_energy - cpu_energy) / abs(cpu_energy),
        }
        if repeats:
            found |= {"cpu_seconds": cpu_seconds, "gpu_seconds": gpu_seconds, "ratio": cpu_seconds / gpu_seconds}
    positions = arrays_of(state, kind)[0][:, : case["d"]].astype(float)
    exact, exact_energy = by_numpy(case, state, positions)
    found["force_difference_numpy"] = float(np.abs(gpu - exact).max() / np.abs(exact).max())
    found["energy_difference_numpy"] = abs(gpu_energy - exact_energy) / abs(exact_energy)
    worst = max(value for name, value in found.items() if "difference" in name)
    return found | {"agree": bool(worst <= TOLERANCE[kind])}


def arguments(words=None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-N", "--particles", type=int, help="of each system [default: 32768; under the simulator 216]")
    parser.add_argument("--repeats", type=int, help="timed launches [default: 20; under the simulator none]")
    parser.add_argument("--cpu", action="store_true", help="compare with the CPU's kernel under the simulator too")
    parser.add_argument("--only", default="", help="kernels whose name has this text")
    parser.add_argument("-o", "--output", help="JSON file; without it, the JSON is printed last")
    return parser.parse_args(words)


def device(cuda) -> str | None:
    """Return the name of the GPU, None after saying why there is none."""
    if SIMULATED:
        return "numba's CUDA simulator"
    try:
        if not cuda.is_available():
            raise RuntimeError(str(cuda.cuda_error() or "no driver or no device"))
        name = cuda.get_current_device().name
        cuda.to_device(np.zeros(4)).copy_to_host()
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        print(
            f"No GPU can be used here ({said.rstrip('.')}): install the driver and numba-cuda, or set "
            "NUMBA_ENABLE_CUDASIM=1 to try the kernels in numba's simulator.",
            file=sys.stderr,
        )
        return None
    return name.decode() if isinstance(name, bytes) else str(name)


def main(words=None) -> int:
    """Run every kernel; return the exit code."""
    options = arguments(words)
    n = options.particles or (216 if SIMULATED else 32768)
    repeats = (0 if SIMULATED else 20) if options.repeats is None else options.repeats
    warnings.filterwarnings("ignore", module="numba.*")
    try:
        import numba
        from numba import cuda
    except Exception as error:
        print(f"numba with CUDA cannot be imported ({error}): install numba and numba-cuda.", file=sys.stderr)
        return 2
    name = device(cuda)
    if name is None:
        return 2
    begun = time.perf_counter()
    sys.meta_path.insert(0, Here)
    forms = importlib.import_module("pelplug.potentials.forms")
    truncations = importlib.import_module("pelplug.potentials.truncations")
    pair = importlib.import_module("pelplug.engines.hoomd.cuda_pair")
    report = {
        "device": name,
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": np.__version__,
        "cpu_threads": numba.config.NUMBA_NUM_THREADS,
        "kernels": {},
    }
    print(f"{name}, numba {numba.__version__}; forces as shares of the largest, {n} particles or a few more")
    for label, case in cases(forms, truncations).items():
        if options.only not in label:
            continue
        for kind in TOLERANCE:
            try:
                found = compare(case, pair, cuda, n, kind, repeats, options.cpu or not SIMULATED)
            except Exception as error:
                traceback.print_exc()
                found = {"agree": False, "error": f"{type(error).__name__}: {error}"}
            report["kernels"][f"{label}, {kind}"] = found
            print(f"{label:34} {kind:8} {sentence(found)}", flush=True)
    report["seconds"] = time.perf_counter() - begun
    report["agree"] = bool(report["kernels"]) and all(found["agree"] for found in report["kernels"].values())
    text = json.dumps(report, indent=1)
    if options.output:
        pathlib.Path(options.output).write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0 if report["agree"] else 1


def sentence(found: dict) -> str:
    """Return one kernel's line."""
    if "error" in found:
        return f"FAILED: {found['error']}"
    words = [f"numpy {found['force_difference_numpy']:.1e}"]
    if "force_difference_cpu" in found:
        words.append(f"CPU {found['force_difference_cpu']:.1e}")
    if "ratio" in found:
        words.append(f"{1e3 * found['cpu_seconds']:.3g} ms on the CPU, {1e3 * found['gpu_seconds']:.3g} ms on the GPU")
        words.append(f"ratio {found['ratio']:.3g}")
    return ("agree: " if found["agree"] else "DIFFER: ") + ", ".join(words)


if __name__ == "__main__":
    sys.exit(main())
