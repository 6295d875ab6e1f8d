"""Sphinx configuration."""

import pathlib
import sys

import pelplug

sys.path.insert(0, str(pathlib.Path(__file__).parent))

project = "pelplug"
author = "The pelplug developers"
copyright = "2026, the pelplug developers"
release = version = pelplug.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "rendering",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # else "path" of a parameter would point to whichever class has an attribute path
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "pelplug"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
