"""Each library that is not for everyone is reached in its own place only, by whatever way one can import."""

import ast
import pathlib

import pytest

import pelplug

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMES = {
    "click": ("pelplug/cli/",),
    "hoomd": ("pelplug/engines/hoomd/",),
    "lammps": ("pelplug/execution/lammps.py",),
    "openmm": ("pelplug/execution/openmm.py",),
    "ase": ("pelplug/potentials/external/", "pelplug/trajectories/readers/ase_files.py"),
    "ProcessPoolExecutor": ("pelplug/execution/processes.py",),  # the one pool of workers
    "ThreadPoolExecutor": ("pelplug/execution/threads.py",),  # and the one of threads
}
# What is measured beside pelplug is used by itself, but LAMMPS does not start by itself.
BESIDE = {"lammps": ("benchmarks/", "examples/")}
ROOMS = {path.parent.name for path in (ROOT / "pelplug").glob("*/__init__.py")} - {"testing"}
SOURCES = [
    path
    for folder in ("pelplug", "benchmarks", "examples", *(str(one) for one in (ROOT / "plugins").glob("*/pelplug_*")))
    for path in sorted((ROOT / folder).rglob("*.py"))
]
_BY_NAME = ("import_module", "__import__", "find_spec", "version", "distribution", "importorskip", "reload")


def reached(tree: ast.AST) -> set[str]:
    """Return the roots of all that a module imports or looks for, and names taken from modules of pools."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {node.module} | {name.name for name in node.names if name.name.endswith("PoolExecutor")}
        elif isinstance(node, ast.Attribute) and node.attr.endswith("PoolExecutor"):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and node.args and _last(node.func) in _BY_NAME:
            found |= _text(node.args[0])
        elif isinstance(node, ast.Subscript) and _last(node.value) == "modules":
            found |= _text(node.slice)
    return {name.partition(".")[0] for name in found}


def _last(node) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _text(node) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def behind(tree: ast.AST) -> set[str]:
    """Return the rooms of pelplug that a module reaches into, by import or by attribute."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pelplug":
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.module == "pelplug":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pelplug."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("pelplug.")}
        elif isinstance(node, ast.Call) and node.args and _last(node.func) in _BY_NAME:
            found |= {text.split(".")[1] for text in _text(node.args[0]) if text.startswith("pelplug.")}
    return found & ROOMS


@pytest.mark.parametrize("library", HOMES, ids=lambda name: f"of {name}")
def test_a_library_is_reached_at_home_only(library):
    elsewhere = [
        name
        for path in SOURCES
        if (name := str(path.relative_to(ROOT))).startswith(("pelplug/", "plugins/", *BESIDE.get(library, ())))
        and not name.startswith(HOMES[library])
        and library in reached(ast.parse(path.read_text()))
    ]
    assert not elsewhere, f"{library} belongs to {' and '.join(HOMES[library])}, and is reached from {elsewhere}"


def test_plugins_reach_into_no_room():
    found = {
        str(path.relative_to(ROOT)): rooms
        for path in SOURCES
        if path.is_relative_to(ROOT / "plugins") and (rooms := behind(ast.parse(path.read_text())))
    }
    assert not found, f"use names of pelplug itself: {found}"


@pytest.mark.parametrize(
    "line",
    [
        "import lammps", "import lammps.mliap as m", "from lammps import lammps", "importlib.import_module('lammps')",
        "__import__('lammps')", "sys.modules['lammps']", "importlib.util.find_spec('lammps')", "version('lammps')",
    ],
)  # fmt: skip
def test_every_way_there_is_found(line):
    assert "lammps" in reached(ast.parse(line))
    assert "lammps" not in reached(ast.parse("pelplug.load_lammps().lammps(); from . import lammps; name = 'lammps'"))


def test_every_way_behind_is_found():
    for line in (
        "pelplug.execution.lammps.load_lammps()",
        "from pelplug import execution",
        "from pelplug.execution.lammps import start_lammps",
        "import pelplug.execution.lammps",
        "importlib.import_module('pelplug.execution.lammps')",
    ):
        assert behind(ast.parse(line)) == {"execution"}, line
    assert not behind(ast.parse("pelplug.load_lammps(); from pelplug.testing import check_analysis"))
    assert len(SOURCES) > 150 and pelplug.__name__ == "pelplug"
