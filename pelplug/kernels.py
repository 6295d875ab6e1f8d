"""The one way by which kernels are compiled: numba, without the interpreter's lock, kept in the user's cache folder."""

from __future__ import annotations

from collections.abc import Callable

import numba
from numba.core.dispatcher import Dispatcher
from numba.core.registry import CPUDispatcher

from pelplug.core.entry_points import ANY_FAILURE, installed
from pelplug.kernel_cache import KernelCache

__all__ = ["compile_kernel", "kernel"]


def kernel(function: Callable | None = None, **options):
    """Compile a function by numba; what is compiled is kept in the user's cache folder.

    Nothing is written into an installation, and where no folder can be written the kernel is compiled in memory. A
    function defined inside another one is compiled in memory too: its name may stand for several.

    Parameters
    ----------
    function : callable, optional
        Plain Python that numba can compile. Without it, a decorator is returned.
    **options
        Of `numba.njit`; ``nogil=True`` unless said otherwise.

    Returns
    -------
    callable
        The compiled function, or a decorator.

    Examples
    --------
    >>> @pelplug.kernel(fastmath={"reassoc", "contract"})
    ... def total(values):
    ...     result = 0.0
    ...     for value in values:
    ...         result += value
    ...     return result
    """
    if function is None:
        return lambda plain: kernel(plain, **options)
    return compile_kernel(function, _has_own_name(function), **options)


def compile_kernel(function: Callable, cached: bool, **options):
    """Compile a function whose name stands for nothing else, if ``cached``."""
    compiled = numba.njit(**{"nogil": True, **options, "cache": False})(function)
    if cached and isinstance(compiled, Dispatcher):  # NUMBA_DISABLE_JIT leaves the function as it is
        compiled._cache = KernelCache(compiled)
    return compiled


def _has_own_name(function: Callable) -> bool:
    return "<" not in function.__qualname__ and function.__module__ != "__main__"


_numbas_own = CPUDispatcher.enable_caching


def _enable_caching(dispatcher) -> None:
    """Keep ``numba.njit(cache=True)`` of a plugin from writing into its installation; leave all other code alone."""
    function = dispatcher.py_func
    if not _is_plugins(function.__module__):
        _numbas_own(dispatcher)
    elif _has_own_name(function):
        dispatcher._cache = KernelCache(dispatcher)


setattr(CPUDispatcher, "enable_caching", _enable_caching)  # noqa: B010 - a type checker refuses the plain form


def _is_plugins(module: str | None) -> bool:
    package = (module or "").partition(".")[0]
    return package == "pelplug" or package in _plugin_packages()


def _plugin_packages() -> set[str]:
    global _packages
    if _packages is None:
        try:
            _packages = {entry.value.partition(":")[0].partition(".")[0] for entry in installed()[0]}
        except ANY_FAILURE:
            _packages = set()
    return _packages


_packages: set[str] | None = None
