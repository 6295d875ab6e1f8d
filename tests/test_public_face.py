"""The public face: each name is written once, in pelplug/__init__.pyi, which Python, editors and type checkers read."""

import ast
import dataclasses
import enum
import importlib
import inspect
import pathlib
import pickle
import re
import subprocess
import sys
import tomllib
import types

import pytest

import pelplug

STUB = pathlib.Path(pelplug.__file__).with_suffix(".pyi")
DOCS = STUB.parents[1] / "docs"

sys.path.insert(0, str(DOCS))
import face  # noqa: E402


def written():
    """Return the line of each public name, as the module where it lives and the name there."""
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname, "pelplug" + (f".{node.module}" if node.module else ""), alias.name
        else:
            assert isinstance(node, ast.AnnAssign) and node.target.id == "__version__", ast.unparse(node)


def test_each_name_is_written_once_and_is_public_to_type_checkers():
    names = [name for name, _, _ in written()]
    assert len(names) > 65 and len(names) == len(set(names))
    assert all(name == there for name, _, there in written())
    assert sorted(pelplug.__all__) == sorted([*names, "__version__"])


def test_each_name_is_what_its_own_module_calls_so():
    """A class or function stands under the module that defines it, not under one that passes it on."""
    for name, module, there in written():
        if module == "pelplug":
            assert getattr(pelplug, name) is importlib.import_module(f"pelplug.{there}")
        else:
            assert getattr(pelplug, name) is getattr(importlib.import_module(module), there)
            if isinstance(getattr(pelplug, name), type | types.FunctionType):
                assert getattr(pelplug, name).__module__ == module


def test_completion_and_star_import_offer_the_public_names_and_no_others():
    assert set(dir(pelplug)) == set(pelplug.__all__)
    code = "from pelplug import *; import pelplug; print(*(set(pelplug.__all__) - set(dir())))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert pelplug.__version__.count(".") == 2


def test_an_unknown_name_is_an_attribute_error_with_the_nearest():
    with pytest.raises(AttributeError, match=r"no public name 'Progres' \(did you mean Progress\?\)"):
        pelplug.Progres  # noqa: B018
    with pytest.raises(AttributeError, match=r"no public name 'zzz'$"):
        pelplug.zzz  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Progres'"):
        from pelplug import Progres  # noqa: F401
    assert not hasattr(pelplug, "__no_such_thing__")


def test_modules_behind_the_face_are_imported_by_their_names():
    code = "import pelplug; from pelplug import core; from pelplug.core import units; print(core.units is units)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_public_classes_and_functions_are_pickled_by_their_home():
    for name in pelplug.__all__:
        value = getattr(pelplug, name)
        if isinstance(value, type | types.FunctionType):
            assert pickle.loads(pickle.dumps(value)) is value, name


# --- docs/api.md ------------------------------------------------------------------------------------------------------


def test_every_name_is_in_exactly_one_group():
    parts = face.groups()
    assert [title.split()[:2] for title in parts] == [["for", "users:"], *[["for", "authors"]] * 3]
    names = [name for group in parts.values() for part in group.values() for name in part]
    assert sorted(names) == sorted(pelplug.__all__)


def test_the_page_documents_every_group_and_no_page_documents_more():
    asked = re.findall(r"^```{names} (\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    shown = "".join(face.reference(whom) for whom in asked)
    names = re.findall(r"^\.\. (?:auto)?\w+:: pelplug\.([\w.]+)$", shown, re.MULTILINE)
    assert sorted(names) == sorted([*pelplug.__all__, *(f"testing.{name}" for name in pelplug.testing.__all__)])
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if "{eval-rst}" in page.read_text()]
    assert [page for page in pages if re.search(r"^\.\. auto", (DOCS / page).read_text(), re.MULTILINE)] == []


def described():
    """Return what the pages document: names, and the members of classes, each with its own docstring."""
    for name in sorted(set(pelplug.__all__) - {"__version__"}):
        value = getattr(pelplug, name)
        yield name, value
        if name == "testing":
            yield from ((f"testing.{one}", getattr(value, one)) for one in value.__all__)
        for member in face.members(value) if inspect.isclass(value) else ():
            yield f"{name}.{member}", getattr(value, member)


def test_all_of_it_has_a_docstring():
    found = dict(described())
    assert len(found) > 200
    assert [name for name, value in found.items() if not (inspect.getdoc(value) or "").strip()] == []


def test_the_arguments_of_functions_and_constructors_are_described():
    lacking = []
    for name, value in described():
        made = inspect.isclass(value) and not issubclass(value, BaseException | enum.Enum)
        text = f"{inspect.getdoc(value)}\n{inspect.getdoc(value.__init__) if made else ''}"
        if (made and "made by `" not in text and "__init__" in vars(value)) or (
            inspect.isfunction(value) and "." not in name
        ):
            arguments = inspect.signature(value).parameters.values()
            named = [one.name for one in arguments if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
            lacking += [(name, argument) for argument in named if not re.search(rf"\b{argument}\b", text)]
    assert lacking == []


# --- types ------------------------------------------------------------------------------------------------------------

ROOT = STUB.parents[1]


def test_every_name_is_used_in_what_the_type_checker_reads_as_a_user():
    """.ci/run has a strict mypy read tests/typed, where pelplug is an installed package."""
    used = set()
    for script in (ROOT / "tests" / "typed").glob("*.py"):
        for node in ast.walk(ast.parse(script.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pelplug":
                used.add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module == "pelplug":
                used |= {alias.name for alias in node.names}
    assert sorted(set(pelplug.__all__) - used) == []
    assert (STUB.parent / "py.typed").is_file()


def test_modules_with_public_names_say_all_their_types():
    sections = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    untyped = {module for one in sections if one.get("disallow_untyped_defs") is False for module in one["module"]}
    defined = {module for _, module, _ in written() if module != "pelplug"}
    for name in pelplug.__all__:
        value = getattr(pelplug, name)
        defined |= {base.__module__ for base in value.__mro__} if inspect.isclass(value) else set()
    assert sorted(untyped & defined) == []


def test_a_configuration_takes_any_arrays_to_type_checkers_too():
    """Its constructor is written for them; it must have the fields, in their order, with their defaults."""
    tree = ast.parse(pathlib.Path(inspect.getfile(pelplug.Configuration)).read_text())
    (init,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    fields = [field.name for field in dataclasses.fields(pelplug.Configuration)]
    assert [argument.arg for argument in init.args.args] == ["self", *fields]
    required = [
        field.name for field in dataclasses.fields(pelplug.Configuration) if field.default is dataclasses.MISSING
    ]
    assert len(init.args.defaults) == len(fields) - len(required)
    assert all(ast.literal_eval(default) is None for default in init.args.defaults)
