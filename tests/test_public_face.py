"""The public face: each name is written once, in pelplug/__init__.pyi, which Python, editors and type checkers read."""

import ast
import importlib
import pathlib
import pickle
import subprocess
import sys
import types

import pytest

import pelplug

STUB = pathlib.Path(pelplug.__file__).with_suffix(".pyi")


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
