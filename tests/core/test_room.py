"""What stands in a room is found without a list."""

import importlib
import sys

import pytest

from pelplug.core import room

FILES = {
    "a_room/__init__.py": "",
    "a_room/base.py": "import abc\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\n",
    "a_room/zeta.py": "from a_room.base import Base\nclass Last(Base):\n    def f(self): ...\nclass First(Last): ...\n",
    "a_room/alpha.py": "from a_room.base import Base\nfrom a_room.zeta import Last\n"
    "class Half(Base): ...\nclass _Shared(Last): ...\nclass One(_Shared): ...\nclass Other: ...\n",
    "a_room/inner/__init__.py": "",
    "a_room/inner/engine.py": "from a_room.base import Base\nclass Inner(Base):\n    def f(self): ...\n",
    "a_room/empty/__init__.py": "",
}


@pytest.fixture
def a_room(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("a_room.base").Base
    for name in [name for name in sys.modules if name.partition(".")[0] == "a_room"]:
        del sys.modules[name]


def test_modules_come_in_the_order_of_their_names(a_room):
    names = [module.__name__ for module in room.modules("a_room")]
    assert names == ["a_room.alpha", "a_room.base", "a_room.empty", "a_room.inner", "a_room.zeta"]


def test_complete_public_classes_are_found_where_they_are_defined(a_room):
    """Neither what is abstract, private or only imported there, nor what is of another kind."""
    assert [cls.__name__ for cls in room.classes("a_room", a_room)] == ["One", "Last", "First"]


def test_folders_without_the_module_hold_none(a_room):
    assert [module.__name__ for module in room.modules("a_room", inside="engine")] == ["a_room.inner.engine"]
    assert [cls.__name__ for cls in room.classes("a_room", a_room, inside="engine")] == ["Inner"]


def test_a_file_that_fails_is_no_missing_file(a_room, tmp_path):
    (tmp_path / "a_room" / "broken.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        room.modules("a_room")
