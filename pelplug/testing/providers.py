"""The checks of a provider: what it declares, and what it refuses; its potentials have checks of their own."""

from __future__ import annotations

import re
import unittest

from pelplug.errors import InputError
from pelplug.testing.analyses import unfit_values
from pelplug.testing.checks import check, require

__all__ = []


@check("provider")
def check_provider_declared(cls, kit):
    """Name, summary, what it takes and what is missing are words for lists."""
    require(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cls.name), f"{cls.name!r} is not lower-case words and hyphens")
    require(cls.summary.strip() and "\n" not in cls.summary, "its summary is not one line")
    require(cls.takes.strip(), "it does not say what stands after the colon")
    require((cls.__doc__ or "").strip(), "it has no docstring")
    require(isinstance(cls.missing(), str), f"missing() is {cls.missing()!r}, no sentence and not empty")


@check("provider")
def check_provider_refuses_files(cls, kit):
    """A file that is not there, and one that is nothing of its kind, are refused by an InputError."""
    if cls.missing():
        raise unittest.SkipTest(f"it cannot be used here: {cls.missing()}")
    noise = kit.folder / "noise.in"
    noise.write_bytes(b"\x00\xff no file of anything \x80\n" * 20)
    for file, what in ((str(kit.folder / "is-not-there.in"), "a file that is not there"), (str(noise), "noise")):
        try:
            cls(**kit.parameters).potential(file)
        except InputError as error:
            require(str(error).strip(), f"{what} is refused without a sentence")
        except Exception as error:
            raise AssertionError(f"{what} ends in {type(error).__name__} ({error}), not in an InputError") from error
        else:
            raise AssertionError(f"of {what} it makes a potential")


@check("provider", "model")
def check_refuses_options(cls, kit):
    """A parameter that is unknown, of another type or out of range is refused by an InputError."""
    for name, value in [
        ("no_such_parameter", 1),
        *((name, value) for name, spec in cls.parameter_specs().items() for value in unfit_values(spec)),
    ]:
        try:
            cls(**{**kit.parameters, name: value})
        except InputError:
            continue
        raise AssertionError(f"{name} = {value!r} is not refused: pass **base on to super().__init__, which checks it")
