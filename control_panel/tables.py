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
    .counts, .counts tbody { display: block; }
    .counts thead { display: none; }
    .counts tbody tr { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); }
    .counts tbody tr { column-gap: 1rem; padding: .5rem 0; }
    .counts tbody th { grid-column: 1 / -1; padding: .25rem 0; }
    .counts td { display: flex; justify-content: space-between; gap: .5rem; }
    .counts td { padding: .15rem 0; font-size: .875rem; }
    .counts td::before { content: attr(data-name); opacity: .82; }
  }
"""
"""Part of the style of every page."""


def counts(rows: Sequence[Mapping[str, Any]], name: str, columns: Mapping[str, str], *, alt: str) -> None:
    """Draw a table with a row for each thing that is counted; the arguments are those of `html`."""
    st.html(html(rows, name, columns, alt=alt))


def html(rows: Sequence[Mapping[str, Any]], name: str, columns: Mapping[str, str], *, alt: str) -> str:
    """The table as HTML.

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
    return (
        f"<table class='counts'><caption>{escape(alt)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    )
