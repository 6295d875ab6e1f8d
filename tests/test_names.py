"""A name means one thing: no two modules of the program define a class or function of one name."""

import ast
import collections
import pathlib

import pelplug

# The command of a function and the function; a hook and its implementations.
TWICE_ON_PURPOSE = ("pelplug_",)
COMMANDS = pathlib.Path(pelplug.__file__).parent / "cli"


def definitions():
    root = pathlib.Path(pelplug.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if path.parent != COMMANDS:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    yield node, path.relative_to(root).as_posix()


def test_a_public_name_is_defined_once():
    homes = collections.defaultdict(list)
    for node, path in definitions():
        if not node.name.startswith("_") and not node.name.startswith(TWICE_ON_PURPOSE):
            homes[node.name].append(path)
    assert {name: paths for name, paths in homes.items() if len(set(paths)) > 1} == {}


def test_a_class_has_a_name_of_its_own():
    homes = collections.defaultdict(list)
    for node, path in definitions():
        if isinstance(node, ast.ClassDef):
            homes[node.name].append(path)
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}
