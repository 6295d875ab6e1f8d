import base64
import hashlib
import importlib.metadata
import os
import sys
import types

import pytest

import pelplug
from pelplug.core import versions
from pelplug.core.versions import code_of

SOURCE = "import pelplug\n\nclass Thing:\n    factor = {}\n"


@pytest.fixture(autouse=True)
def nothing_kept():
    caches = versions.versions, versions.distribution_of, versions._package
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package of one class into a folder; as a wheel, its files are listed with their sums."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(factor=1, version="1.0", wheel=True, listed=None):
        package = tmp_path / "pelplug_thing"
        package.mkdir(exist_ok=True)
        text = SOURCE.format(factor).encode()
        (package / "__init__.py").write_bytes(text)
        for old in tmp_path.glob("*.dist-info"):
            for name in os.listdir(old):
                (old / name).unlink()
            old.rmdir()
        info = tmp_path / f"pelplug_thing-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug-thing\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("[pelplug]\nthing = pelplug_thing\n")
        sums = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
        record = f"pelplug_thing/__init__.py,sha256={listed or sums},{len(text)}\n" if wheel else "elsewhere.pth,,\n"
        (info / "RECORD").write_text(record)
        sys.modules.pop("pelplug_thing", None)
        importlib.invalidate_caches()
        versions._package.cache_clear()
        import pelplug_thing

        return code_of(pelplug_thing.Thing)

    yield install
    sys.modules.pop("pelplug_thing", None)


@pytest.mark.parametrize("wheel", [True, False])
def test_a_package_is_its_version_and_its_content(install, wheel):
    one = install(wheel=wheel)
    assert one["pelplug_thing"].startswith("1.0+") and install(wheel=wheel) == one
    assert install(factor=2, wheel=wheel) != one
    assert install(version="1.1", wheel=wheel) != one


def test_files_of_a_wheel_are_not_read(install):
    """Its list says what they are."""
    assert install(factor=1, listed="A" * 43) == install(factor=2, listed="A" * 43)


def test_pelplug_and_what_computes_are_always_part_of_it(monkeypatch):
    one = code_of()
    assert {"pelplug", "numba", "numpy", "scipy"} <= set(one)
    original = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9" if name == "numba" else original(name))
    versions.versions.cache_clear()
    assert {name for name in one if one[name] != code_of()[name]} == {"numba"}


def test_classes_of_pelplug_add_nothing_and_none_is_left_out():
    model = pelplug.model("kob-andersen")
    assert code_of(model, None, model.potential(model.random_configuration(60, 1))) == code_of()


def test_a_class_that_is_in_no_file_is_what_it_was_compiled_to(monkeypatch):
    def cell(text):
        module = types.ModuleType("cell")
        monkeypatch.setitem(sys.modules, "cell", module)
        exec(text, module.__dict__)
        return code_of(module.Thing)

    text = "class Thing:\n    factor = 1\n    def f(self, x):\n        return [2 * y for y in x]\n"
    one = cell(text)
    assert cell(text) == one and "cell.Thing" in one
    for old, new in (("factor = 1", "factor = 2"), ("2 * y", "3 * y"), ("2 * y", "2 + y"), ("def f", "def g")):
        assert cell(text.replace(old, new)) != one
