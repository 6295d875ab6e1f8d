"""The rooms of pelplug/ as they are: their floors, their arrows, and whom each is for.

A room is an entry of the first level of the package, an arrow an import from one room into another; imports for type
checkers do not count. Floors are those of import-linter's contract in pyproject.toml, arrows are measured by grimp, on
which it stands::

    python docs/rooms.py            # floors, arrows, and what is wrong with them
    python docs/rooms.py --tree     # the tree of docs/architecture.md
"""

from __future__ import annotations

import ast
import collections
import functools
import pathlib
import re
import sys
import tomllib

import grimp

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pelplug"
FACE = "__init__.py"


def rooms() -> dict[str, str]:
    """Return the first line of each room and loose module, by its path inside pelplug/: ``cli/``, ``errors.py``."""
    names = {
        f"{path.name}/": path / "__init__.py" for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))
    }
    names |= {path.name: path for path in PACKAGE.glob("*.py") if path.name != "__main__.py"}
    return {name: _first_line(path) for name, path in sorted(names.items())}


def inner_rooms(room: str) -> dict[str, str]:
    """Return the first line of each folder of modules inside a room: ``hoomd/``."""
    found = (path for path in sorted((PACKAGE / room).iterdir()) if path.is_dir() and any(path.glob("*.py")))
    return {f"{path.name}/": _first_line(path / "__init__.py") for path in found}


def floors() -> list[list[str]]:
    """Return the floors of import-linter's contract, top first, each with the names of its rooms."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(one for one in linter["contracts"] if one["type"] == "layers")
    return [re.findall(r"\w+", layer) for layer in contract["layers"]]


@functools.cache
def arrows() -> dict[tuple[str, str], int]:
    """Return how many modules of one room import from another, by the two names; ``pelplug`` is the public face."""
    graph = grimp.build_graph("pelplug", exclude_type_checking_imports=True, cache_dir=None)
    counted: collections.Counter = collections.Counter()
    for module in graph.modules:
        here = _room(module)
        if here != "__main__":
            there = {_room(name) for name in graph.find_modules_directly_imported_by(module)} - {here}
            counted.update((here, name) for name in there)
    return dict(sorted(counted.items()))


def upward_arrows() -> list[tuple[str, str]]:
    """Return the arrows that lead to the same floor or a higher one, or to the public face."""
    level = {name: depth for depth, floor in enumerate(floors()) for name in floor}
    return [(a, b) for a, b in arrows() if a != "pelplug" and level[a] >= level.get(b, -1)]


def circles() -> list[list[str]]:
    """Return the sets of rooms from each of which the arrows lead to all others of the set."""
    reached: dict[str, set[str]] = {}
    for start in {a for a, _ in arrows()}:
        found, ahead = set(), [start]
        while ahead:
            here = ahead.pop()
            new = {b for a, b in arrows() if a == here} - found
            found |= new
            ahead += new
        reached[start] = found
    together = {frozenset({a, *(b for b in reached[a] if a in reached.get(b, ()))}) for a in reached if a in reached[a]}
    return sorted(map(sorted, together))


def tree() -> str:
    """Return rooms and loose modules as a tree, on the order of the floors, each with its first line."""
    known = rooms()
    order = [FACE, *(name for floor in floors() for room in floor for name in (f"{room}/", f"{room}.py"))]
    entries = [name for name in order if name in known] + [name for name in known if name not in order]
    lines = ["pelplug/"]
    for name in entries:
        lines.append(f"  {name:<19}{known[name]}")
        if name.endswith("/"):
            lines += [f"    {inner:<17}{text}" for inner, text in inner_rooms(name).items()]
    return "\n".join(lines)


def uses(room: str) -> dict[str, int]:
    """Return the rooms that one uses, from the top floor down, with how many of its modules do."""
    return {other: arrows()[room, other] for floor in floors() for other in floor if (room, other) in arrows()}


def report() -> str:
    """Return floors and arrows in words."""
    lines = []
    for number, floor in zip(range(len(floors()), 0, -1), floors(), strict=True):
        for room in floor:
            arrows_down = ", ".join(f"{name} {count}" for name, count in uses(room).items())
            lines.append(f"{number:>3}  {room:<14} -> {arrows_down or 'nothing'}")
    wrong = [f"upwards: {a} -> {b}" for a, b in upward_arrows()] + [f"a circle: {', '.join(c)}" for c in circles()]
    lines.append(f"\n{len(rooms()) - 1} rooms and the public face, {len(arrows())} arrows")
    return "\n".join([*lines, *(wrong or ["none upwards, no circle"])])


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else "pelplug"


def _first_line(path: pathlib.Path) -> str:
    if not path.is_file():
        return ""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


if __name__ == "__main__":
    print(tree() if "--tree" in sys.argv[1:] else report())
    sys.exit(bool(upward_arrows() or circles()))
