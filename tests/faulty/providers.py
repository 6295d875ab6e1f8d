"""Providers with one fault each."""

import pathlib

import pelplug
from faulty import Faulty
from faulty.potentials import Bell


class Strengths(pelplug.Provider):
    """Bells of a strength that stands in a file."""

    name, summary, takes = "strengths", "bells of the strength in a file", "FILE.txt"

    def potential(self, file):
        try:
            return Bell(float(pathlib.Path(file).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise pelplug.InputError(f"{file} has no strength: {error}.") from None


class Nameless(Strengths):
    """Its name is two words."""

    name = "two words"


class Fragile(Strengths):
    """What it cannot read ends in the error of Python."""

    def potential(self, file):
        return Bell(float(pathlib.Path(file).read_text(encoding="utf-8")))


GOOD = Strengths
FAULTY = [
    Faulty(Nameless, "check_provider_declared", "lower-case words"),
    Faulty(Fragile, "check_provider_refuses_files", "FileNotFoundError"),
]
