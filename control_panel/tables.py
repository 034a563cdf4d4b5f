"""Small tables of counts that fit a phone: there, each row becomes a block with a line for each count."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from control_panel import text

STYLE: Final = """
  .counts { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  .counts caption { position: absolute; clip-path: inset(50%); }
  .counts th, .counts td { padding: .45rem .75rem; text-align: right; }
  .counts thead th { font-size: .875rem; font-weight: 600; opacity: .82; }
  .counts :is(thead th:first-child, tbody th) { text-align: left; }
  .counts tbody tr { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  @media (max-width: 640px) {
    .counts thead { position: absolute; clip-path: inset(50%); }
    .counts tbody tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 1.5rem; padding: .5rem 0; }
    .counts tbody th { grid-column: 1 / -1; padding: .25rem 0; }
    .counts td { display: flex; justify-content: space-between; padding: .15rem 0; }
    .counts td::before { content: attr(data-name); opacity: .82; }
  }
"""
"""Part of the style of every page."""


def counts(rows: Sequence[Mapping[str, Any]], name: str, columns: Mapping[str, str], *, alt: str) -> None:
    """A table with a row for each thing that is counted.

    Args:
        rows: The counts, and in the column `name` what they are of.
        name: The column that names a row.
        columns: What people call each column, in order, that of `name` included.
        alt: What the table shows, for screen readers.
    """
    counted = [column for column in columns if column != name]
    heads = "".join(f"<th scope='col'>{escape(title)}</th>" for title in columns.values())
    lines = "".join(
        f"<tr><th scope='row'>{escape(str(row[name]))}</th>"
        + "".join(
            f"<td data-name='{escape(columns[column])}'>{text.number(row[column])}</td>" for column in counted
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f"<table class='counts'><caption>{escape(alt)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    )
