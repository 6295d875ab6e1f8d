"""The distributions of third parties below tests/data/thirdparty, laid out as pip does."""

from __future__ import annotations

import pathlib
import shutil

SOURCES = pathlib.Path(__file__).parents[1] / "data" / "thirdparty"


def install(site, **versions):
    """Put plugins into a folder: the module, and a .dist-info folder with metadata and entry points."""
    for plugin, version in versions.items():
        module = f"pelplug_{plugin}"
        if (SOURCES / module).is_dir():
            shutil.copytree(SOURCES / module, site / module)
        else:
            shutil.copy(SOURCES / f"{module}.py", site)
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug-{plugin}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[pelplug]\n{plugin} = {module}\n")
