"""Choose how to invert a Hessian, by its size, its sparsity and the memory there is."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from pelplug.errors import InputError, NotAMinimumError
from pelplug.landscape.hessian.dense import DenseFactor
from pelplug.landscape.hessian.dissection import dissect
from pelplug.landscape.hessian.factor import BLOCK, HessianFactor
from pelplug.landscape.hessian.iterative import IterativeFactor, expected_iterations
from pelplug.landscape.hessian.sparse import SparseFactor, grounded_particle

__all__ = ["SOLVERS", "available_memory", "factorise"]

SOLVERS = ("auto", "dense", "sparse", "cg")
# Operations on small fronts run somewhat slower than on one large matrix: sparse has to save this factor to be chosen.
SPARSE_HANDICAP = 1.2
# Products of a sparse matrix and vectors are limited by memory, not arithmetic: this many times slower than BLAS 3.
CG_HANDICAP = 30.0
# Share of the memory free at the start that a factorisation may take.
MEMORY_SHARE = 0.9


def available_memory() -> float:
    """Return how many bytes can still be allocated without swapping, as far as the system tells."""
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 2**33
    try:
        # Linux counts caches it would give back; a plain count of free pages does not.
        for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                pages = int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        limit = pathlib.Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(pathlib.Path("/sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            pages = min(pages, int(limit) - used)
    except (OSError, ValueError):
        pass
    return float(pages)


def factorise(
    hessian: sp.bsr_matrix,
    fractional: np.ndarray,
    heights: np.ndarray,
    *,
    solver: str = "auto",
    sample: int | None = None,
    memory: float | None = None,
    determinant: bool = False,
) -> HessianFactor:
    """Factorise a Hessian off its translations.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        The Hessian, in blocks of (d, d) [energy / length**2].
    fractional : ndarray, shape (N, d)
        Positions in units of the cell vectors; only the order of elimination depends on them.
    heights : ndarray, shape (d,)
        Distance between opposite faces of the cell [length].
    solver : {"auto", "dense", "sparse", "cg"}
        How; ``"auto"`` takes what costs least of what fits in memory.
    sample : int, optional
        About how many right-hand sides will be asked for; None for every interacting pair.
    memory : float, optional
        Bytes that may be used; found out by default.
    determinant : bool
        Whether its determinant will be asked for, which conjugate gradients do not give.

    Returns
    -------
    HessianFactor
        Its ``solver`` says what was chosen.

    Raises
    ------
    InputError
        If the solver is unknown or would not fit in memory.
    NotAMinimumError
        If the Hessian has a negative eigenvalue or a zero mode besides the translations.
    """
    if solver not in SOLVERS:
        raise InputError(f"There is no solver {solver!r}; choose one of {', '.join(SOLVERS)}.")
    n, d = fractional.shape
    if n < 2:
        raise InputError("A Hessian of one particle has only translations; give a state of two or more particles.")
    pattern = sp.csr_array((np.ones(hessian.indices.size, np.int8), hessian.indices, hessian.indptr), shape=(n, n))
    clusters = connected_components(pattern, directed=False, return_labels=False)
    if clusters > 1:
        raise NotAMinimumError(
            f"The particles fall into {clusters} clusters that do not interact, each free to move as a whole; use a "
            "denser state or a longer cutoff."
        )
    memory = MEMORY_SHARE * (available_memory() if memory is None else memory)
    size = float(n * d)
    count = sample or 0
    # Solves go in blocks; six arrays of that many columns are held.
    columns = size * min(count, BLOCK) if sample is not None else size * BLOCK
    need = {"dense": 8.0 * size**2 * 1.02, "cg": 8.0 * (6 * min(2.0**25, columns) + 1.5 * hessian.data.size)}
    cost = {
        "dense": size**3 if sample is None else size**3 / 3 + 4 * size**2 * count,
        "cg": CG_HANDICAP * 2.0 * hessian.data.size * expected_iterations(n, d) * max(count, d),
    }
    tree = None
    if solver in ("auto", "sparse"):
        tree = dissect(pattern, fractional, heights, grounded_particle(hessian))
        kept, path = tree.factor_entries(d), tree.peak_entries(d)
        need["sparse"] = 8.0 * (2 * kept + 2.3 * path if sample is None else kept + 1.5 * path)
        cost["sparse"] = SPARSE_HANDICAP * (tree.flops(d, sample is None) + 4.0 * kept * count)
    if solver == "auto":
        # Conjugate gradients give single responses, never the whole field.
        candidates = ["dense", "sparse"] + (["cg"] if sample is not None and not determinant else [])
        fitting = [name for name in candidates if need[name] <= memory]
        solver = min(fitting or candidates[:2], key=cost.get if fitting else need.get)
    if need[solver] > memory:
        remedy = "choose fewer pairs or solver cg" if sample is not None else "sample instead (pairs=1000, for example)"
        raise InputError(
            f"The {solver} solver needs about {need[solver] / 2**30:.2g} GiB for N = {n}, and {memory / 2**30:.2g} GiB "
            f"can be used; {remedy}."
        )
    if solver == "dense":
        return DenseFactor(hessian, d)
    if solver == "cg":
        return IterativeFactor(hessian, d)
    return SparseFactor(hessian, d, tree, tangent=sample is None)
