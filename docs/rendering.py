"""Tables that the pages do not hold themselves: made from the code when the documentation is built.

A page asks for one by a directive, whose name is in `TABLES`::

    ```{arrows}
    ```
"""

from __future__ import annotations

import re

import rooms
from sphinx.util.docutils import SphinxDirective

__all__ = ["TABLES", "expand", "setup"]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def arrows() -> str:
    """Return the arrows between the rooms, as they are measured."""
    return table(
        ["room", "uses"],
        [
            [f"`{room}`", ", ".join(f"{name} {count}" for name, count in rooms.uses(room).items()) or "nothing"]
            for floor in rooms.floors()
            for room in floor
        ],
    )


TABLES = {"arrows": arrows}


def expand(page: str) -> str:
    """Return the text of a page with its tables in place of the directives."""
    pattern = rf"^```{{({'|'.join(TABLES)})}} ?(.*)\n```$"
    return re.sub(pattern, lambda found: TABLES[found[1]](*found[2].split()), page, flags=re.MULTILINE)


class Rendered(SphinxDirective):
    """A table of `TABLES`, by the name of the directive."""

    optional_arguments = 1

    def run(self):
        """Return the nodes of the table."""
        return self.parse_text_to_nodes(TABLES[self.name](*self.arguments))


def setup(app):
    """Register one directive for each table."""
    for name in TABLES:
        app.add_directive(name, Rendered)
    return {"parallel_read_safe": True}
