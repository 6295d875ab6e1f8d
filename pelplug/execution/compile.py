"""The one way by which kernels are compiled: one body for the processor and for CUDA, by numba.

Those of the processor run without the interpreter's lock and are kept in the user's cache folder.

Families of kernels differ in what their factory closes over: each member is named so that it may be cached on disk.
"""

from __future__ import annotations

import hashlib
import os
import types
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numba
from numba.core.dispatcher import Dispatcher
from numba.core.registry import CPUDispatcher
from numba.extending import register_jitable

from pelplug.core.entry_points import ANY_FAILURE, installed
from pelplug.execution.kernel_cache import KernelCache, content_of

__all__ = ["Family", "inlined", "kernel", "on_cuda"]

_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def kernel(function: _F, **options: Any) -> _F: ...


@overload
def kernel(function: None = None, **options: Any) -> Callable[[_F], _F]: ...


def kernel(function: Callable | None = None, **options: Any) -> Callable:
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


def compile_kernel(function: Callable, cached: bool, **options: Any) -> Any:
    """Compile a function whose name stands for nothing else, if ``cached``."""
    compiled: Any = numba.njit(**{"nogil": True, **options, "cache": False})(function)
    if cached and isinstance(compiled, Dispatcher):  # NUMBA_DISABLE_JIT leaves the function as it is
        compiled._cache = KernelCache(compiled)
    return compiled


def _has_own_name(function: Callable) -> bool:
    return "<" not in function.__qualname__ and function.__module__ != "__main__"


_numbas_own = CPUDispatcher.enable_caching


def _enable_caching(dispatcher: Any) -> None:
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


def inlined(function: Callable) -> Callable:
    """Let kernels call a plain function, its code becoming part of theirs.

    A function that is not inlined may be optimised twice, by itself and inside its caller, and which copy runs depends
    on whether the kernel was compiled in this process or came from the cache. Where sums may be reordered, the two
    differ in the last digit, and a run that is resumed would not repeat one that was not.

    What the function closes over may be plain functions too: a truncation closes over the form that it is applied to.
    """
    if isinstance(function, Dispatcher):
        return function
    if function not in _inlined:
        ready = _bound(function, inlined)
        _inlined[function] = _inlined[ready] = _register(ready)
    return _inlined[function]


def on_cuda(function: Callable) -> Callable:
    """Let CUDA kernels call a plain function, and what it closes over."""
    if function not in _on_cuda:
        from numba import cuda

        _on_cuda[function] = cuda.jit(device=True)(_bound(function, on_cuda))
    return _on_cuda[function]


_inlined: dict[Callable, Callable] = {}
_on_cuda: dict[Callable, Callable] = {}


def _register(function: Callable) -> Callable:
    return register_jitable(forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def _bound(function: Callable, compiled: Callable) -> Callable:
    """Return the same function over compiled functions, named after its content where its name is not its own."""
    if function.__closure__ is None and _has_own_name(function):
        return function
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    cells = [compiled(value) if isinstance(value, types.FunctionType) else value for value in cells]
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(types.CellType(value) for value in cells) or None,
    )
    copy.__kwdefaults__, copy.__module__, copy.__doc__ = function.__kwdefaults__, function.__module__, function.__doc__
    copy.__qualname__ = f"{function.__qualname__}_{_tag(function)}"
    return copy


def _tag(*described: Any) -> str:
    """Return a text that two things share only if their content is the same, or it is this process's own."""
    text = content_of(described) or repr((os.getpid(), [id(one) for one in described]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Family:
    """Members of one family of kernels: the same source, specialised by constants and functions, for one device.

    numba names compiled code after the function and a number that counts up in each process. Two specialisations
    that were cached by different processes may then carry the same name, and loading both mixes them up. Every
    function of a family is therefore renamed after what it is specialised by.

    Parameters
    ----------
    *functions : callable or None
        Plain functions that the kernels call; their content is part of the name. With one whose content has no name
        that survives the process, kernels are compiled in memory.
    constants : tuple
        What else the kernels are specialised by.
    device : {"cpu", "cuda"}
        For what they are compiled; those of CUDA are kept in memory.
    """

    def __init__(self, *functions: Callable | None, constants: tuple = (), device: str = "cpu"):
        self._cuda = device == "cuda"
        self._suffix = f"_{_tag(constants, *functions)}"
        self._cache = content_of(functions) is not None

    def use(self, function: Callable) -> Callable:
        """Let kernels call a plain function that was not written for them, such as a functional form."""
        return on_cuda(function) if self._cuda else inlined(function)

    def inline(self, function: Callable) -> Callable:
        """Let kernels call a plain function that is part of them."""
        return on_cuda(function) if self._cuda else _register(self._rename(function))

    def kernel(self, **options: Any) -> Callable[[Callable], Any]:
        """Return a decorator that compiles a kernel.

        On the CPU it runs without the interpreter's lock and is cached where possible; ``options`` are those of
        `numba.njit`, or of `numba.cuda.jit`.
        """

        def decorate(function: Callable) -> Any:
            if self._cuda:
                from numba import cuda

                return cuda.jit(**options)(function)
            return compile_kernel(self._rename(function), self._cache, **options)

        return decorate

    def _rename(self, function: Callable) -> Callable:
        function.__name__ += self._suffix
        function.__qualname__ += self._suffix
        return function
