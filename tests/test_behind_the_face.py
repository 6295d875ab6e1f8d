"""Plugins, their tests, the examples and the code on pages use the public face and the kit, and nothing behind them."""

import ast
import itertools
import pathlib
import re
import textwrap

import pytest

import pelplug
from pelplug.models import BUNDLED

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pelplug"
PUBLIC = {*pelplug.__all__, "testing"}
ROOMS = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"} - PUBLIC
BY_NAME = ("getattr", "setattr", "vars")
# Of the public modules: the classes of the bundled models, and what the kit's own face has.
INSIDE = {"models": {cls.__name__ for cls in BUNDLED}, "testing": set(pelplug.testing.__all__)}
# In strings: code that another process runs, names that a mock replaces, import_module.
NAMED = re.compile(rf"\bpelplug\.(?:{'|'.join(sorted(ROOMS))})\b|\bfrom pelplug import (?:{'|'.join(sorted(ROOMS))})\b")


def behind(source):
    """Return what a piece of code uses behind the face: each place as its line and what it names."""
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:  # a part of a program, on a page
        return [(source[: found.start()].count("\n") + 1, found[0]) for found in NAMED.finditer(source)]
    faces = {"pelplug"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            faces |= {alias.asname for alias in node.names if alias.name == "pelplug" and alias.asname}
    return sorted({(node.lineno, name) for node in ast.walk(tree) for name in _used(node, faces)})


def _used(node, faces):
    """Yield the names behind the face that one node of a syntax tree uses."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if not _public(alias.name))
    elif isinstance(node, ast.ImportFrom) and not node.level:
        module = node.module or ""
        if module == "pelplug":
            yield from (f"pelplug.{alias.name}" for alias in node.names if alias.name not in PUBLIC)
        elif module == "pelplug.testing":
            yield from (f"{module}.{alias.name}" for alias in node.names if alias.name not in pelplug.testing.__all__)
        elif not _public(module):
            yield module
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in faces:
        if node.attr not in PUBLIC:
            yield f"pelplug.{node.attr}"
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        for face, (module, names) in itertools.product(faces, INSIDE.items()):
            if ast.unparse(node.value) == f"{face}.{module}" and node.attr not in names:
                yield f"pelplug.{module}.{node.attr}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME:
        whose, *which = node.args or [None]
        if isinstance(whose, ast.Name) and whose.id in faces:
            named = which[0].value if which and isinstance(which[0], ast.Constant) else "whatever"
            if named not in PUBLIC:
                yield f"pelplug.{named}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from NAMED.findall(node.value)


def _public(module):
    first, _, rest = module.partition(".")
    return first != "pelplug" or rest in ("", "testing")


@pytest.mark.parametrize(
    "code, found",
    [
        ("import pelplug.host", ["pelplug.host"]),
        ("import pelplug.core.units as u", ["pelplug.core.units"]),
        ("from pelplug.core.fields import Field", ["pelplug.core.fields"]),
        ("from pelplug import host", ["pelplug.host"]),
        ("if TYPE_CHECKING:\n    from pelplug.models.base import Model", ["pelplug.models.base"]),
        ("import pelplug\npelplug.host.functions.default_registry()", ["pelplug.host"]),
        ("import pelplug as pp\npp.core", ["pelplug.core"]),
        ("getattr(pelplug, 'files')", ["pelplug.files"]),
        ("getattr(pelplug, name)", ["pelplug.whatever"]),
        ("vars(pelplug)['files']", ["pelplug.whatever"]),
        ("pelplug.__dict__", ["pelplug.__dict__"]),
        ("pelplug.models.kob_andersen.KobAndersen", ["pelplug.models.kob_andersen"]),
        ("from pelplug.testing.crystals import crystal", ["pelplug.testing.crystals"]),
        ("from pelplug.testing import kit", ["pelplug.testing.kit"]),
        ("pelplug.testing.kit", ["pelplug.testing.kit"]),
        ("importlib.import_module('pelplug.files.results')", ["pelplug.files"]),
        ("run('import pelplug.host; pelplug.host.plugins()')", ["pelplug.host"]),
        ("run('from pelplug import core')", ["from pelplug import core"]),
        ("def __init__(\n    self, a: pelplug.Param =\npelplug.core.x", ["pelplug.core"]),
        ("    indented = pelplug.core", ["pelplug.core"]),
    ],
)
def test_what_is_behind_the_face_is_found(code, found):
    assert [name for _, name in behind(code)] == found


@pytest.mark.parametrize(
    "code",
    [
        "import pelplug, pelplug.testing",
        "from pelplug.testing import check_analysis",
        "from pelplug import Analysis, testing",
        "pelplug.analyses.Kappa(pelplug.__version__)",
        "getattr(pelplug, 'Analysis')",
        "class Mine(pelplug.models.KobAndersen): pass",
        "from .core import host",
        "host.files = {'pelplug.nc': 'pelplug_analyses', 'a': 'pelplug.Param'}",
    ],
)
def test_what_is_public_is_not(code):
    assert behind(code) == []


def pieces():
    """Yield every piece of code that is, or shows, a plugin or a script of a user: where it stands, and its text."""
    for folder in ("plugins", "examples", "tests/data/thirdparty"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/**/*.md", "plugins/*/*.md", "examples/*/*.md"):
        for page in sorted(ROOT.glob(pattern)):
            for block in re.findall(r"^```py\w*\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
                yield page, block


def test_nothing_behind_the_face_is_used():
    found = {}
    for path, text in pieces():
        for line, name in behind(text):
            found.setdefault(path.relative_to(ROOT).as_posix(), []).append(f"{name} (line {line})")
    assert len(list(pieces())) > 100
    assert found == {}
