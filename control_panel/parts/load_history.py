"""What became of each CSV file, whether it came from this page or from the command line."""

from collections.abc import Mapping
from typing import Final

import streamlit as st

from clickstream.loads.history import Load
from control_panel import layout, text
from control_panel.clients import loads
from control_panel.preview import uploaded_names
from control_panel.reporting import begin_reports
from control_panel.session import is_operator

_LIVE_SECONDS: Final = 5
_EMPTY: Final = (
    "No CSV file has been loaded yet. Drop one above, or run `clickstream load data/sample_events.csv`."
)


@st.fragment(run_every=_LIVE_SECONDS)
def show() -> None:
    """Draw the part."""
    st.subheader("Loaded files", anchor=False)
    found = layout.part(loads.loads().read(), "The loaded files")
    if found is None:
        return
    if not found:
        layout.empty(_EMPTY)
        return
    names = uploaded_names()
    begin_reports(found, names)
    st.dataframe(
        [
            {
                "File": name_of(load, names),
                **({"Report": report_address(load)} if is_operator() else {}),
                "Received (UTC)": text.moment(load.last_received_at).removesuffix(" UTC"),
                "Lines": load.received,
                "Added": load.stored,
                "Duplicates": load.duplicate,
                "With other content": load.other_content if load.duplicate else 0,
                "Refused": load.quarantined,
                "Still open": load.still_open,
                **(_repair(load) if is_operator() else {}),
                "Pending": max(0, load.pending),
                "With warnings": load.warned,
                "Codes": ", ".join(f"{code} {count:,}" for code, count in load.codes),
            }
            for load in found
        ],
        hide_index=True,
        placeholder="–",
        column_config={
            "With other content": st.column_config.NumberColumn(
                format="localized",
                help="Duplicates that differ from the stored event of the same id; the report names the "
                "fields. They are compared once all lines of the file are processed.",
            ),
            "Still open": st.column_config.NumberColumn(
                format="localized",
                help="Refused events that were not replayed, or were replayed and refused again.",
            ),
            "Repair": st.column_config.LinkColumn(display_text="Show lines"),
            "Report": st.column_config.LinkColumn(
                display_text="Download", help="All lines with a problem, as CSV"
            ),
            **{
                name: st.column_config.NumberColumn(format="localized")
                for name in (
                    "Lines",
                    "Added",
                    "Duplicates",
                    "Refused",
                    "Pending",
                )
            },
        },
        alt="Loaded CSV files and what became of them",
    )
    st.caption(
        "Loading the same file again adds nothing, and an interrupted load continues where it stopped. Files "
        "of users are not listed. Files are recognised by the SHA-256 of their content."
    )


def _repair(load: Load) -> dict[str, str | None]:
    return {"Repair": refused_address(load.sha256) if load.still_open else None}


def name_of(load: Load, names: Mapping[str, str]) -> str:
    """What people call a file.

    Args:
        load: The file.
        names: The names of uploaded files, by the hash of their content.
    """
    return names.get(load.sha256, load.name or load.sha256[:12])


def refused_address(sha256: str) -> str:
    """Where the refused lines of a file are shown and repaired."""
    return f"/quality?file={sha256}"


def report_address(load: Load) -> str:
    """Where the report on a file can be downloaded."""
    return f"/files/loads/{load.sha256}/report.csv"
