"""The one way by which kernels are compiled: numba, without the interpreter's lock, kept in the user's cache folder.

Families of kernels differ in what their factory closes over: each member is named so that it may be cached on disk.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable

import numba
from numba.core.dispatcher import Dispatcher
from numba.core.registry import CPUDispatcher
from numba.extending import register_jitable

from pelplug.core.entry_points import ANY_FAILURE, installed
from pelplug.execution.kernel_cache import KernelCache

__all__ = ["Family", "inlined", "kernel"]


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


def inlined(function):
    """Let kernels call a plain function, its code becoming part of theirs.

    A function that is not inlined may be optimised twice, by itself and inside its caller, and which copy runs depends
    on whether the kernel was compiled in this process or came from the cache. Where sums may be reordered, the two
    differ in the last digit, and a run that is resumed would not repeat one that was not.
    """
    return register_jitable(forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


class Family:
    """Members of one family of kernels: the same source, specialised by constants and functions.

    numba names compiled code after the function and a number that counts up in each process. Two specialisations
    that were cached by different processes may then carry the same name, and loading both mixes them up. Every
    function of a family is therefore renamed after what it is specialised by.

    Parameters
    ----------
    *functions : callable or None
        Plain functions that the kernels call; their source is part of the name.
    constants : tuple
        What else the kernels are specialised by.
    """

    def __init__(self, *functions, constants: tuple = ()):
        text = repr(constants) + "".join(_identity(function) for function in functions if function is not None)
        self._tag = "_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        # A function defined inside another has no name of its own that would survive the process.
        self._cache = all(function is None or _is_importable(function) for function in functions)

    def kernel(self, **options):
        """Return a decorator that compiles a function, without the interpreter's lock, cached where possible."""

        def decorate(function):
            return compile_kernel(self._rename(function), self._cache, **options)

        return decorate

    def inline(self, function):
        """Let kernels call a plain function."""
        return inlined(self._rename(function))

    def _rename(self, function):
        function.__name__ += self._tag
        function.__qualname__ += self._tag
        return function


def _is_importable(function) -> bool:
    return re.fullmatch(r"[\w.]+", function.__qualname__) is not None and function.__module__ != "__main__"


def _identity(function) -> str:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = function.__code__.co_code.hex() + repr(function.__code__.co_consts)
    return f"{function.__module__}.{function.__qualname__}\n{source}\n"
