"""How the documentation is built: ``tox run -e docs``, or ``nox -s docs-live`` while writing."""

from importlib import metadata

project = "nubetis"
author = "the nubetis developers"
copyright = f"2026, {author}"
release = version = metadata.version("nubetis")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"nubetis {release}"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
napoleon_numpy_docstring = False
