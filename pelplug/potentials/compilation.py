"""Compiling families of kernels that differ in what their factory closes over, so that numba may cache them on disk."""

from __future__ import annotations

import hashlib
import inspect
import re

from numba.extending import register_jitable

from pelplug.kernels import compile_kernel

__all__ = ["Family", "inlined"]


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
