"""Great Expectations' results with their trend, and the warnings."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from control_panel import layout, text
from control_panel.clients import quality

_WARNING_DAYS = 30


def show() -> None:
    """Draw the expectations."""
    found = layout.page_part(quality.expectations(), "The expectations")
    if found is None:
        return
    if not found:
        layout.empty("Nothing was validated in the last 30 days. Load a file or start a generator first.")
        return
    broken = [row for row in found if row["unexpected_total"]]
    st.markdown(
        f"**{len(found)}** expectations were checked in the last 30 days; **{len(broken)}** were broken. "
        "An event that breaks an expectation on rows is refused, or stored with a warning; an expectation on "
        "batches only points out that something is unusual."
    )
    st.dataframe(
        [
            {
                "Expectation": row["expectation"].removeprefix("expect_").replace("_", " "),
                "Field": row["field"],
                "On": "rows" if row["scope"] == "row" else "batches",
                "Now": "met" if row["is_met_now"] else "broken",
                "Rows that broke it, run by run": row["trend"],
                "Broken": row["unexpected_total"],
                "Of": row["evaluated_total"],
                "Code": row["code"],
                "Severity": row["severity"],
                "Last checked": text.age(row["last_checked_at"]),
            }
            for row in found
        ],
        hide_index=True,
        column_config={
            "Rows that broke it, run by run": st.column_config.LineChartColumn(width="medium"),
            "Broken": st.column_config.NumberColumn(format="localized"),
            "Of": st.column_config.NumberColumn(format="localized"),
        },
        alt="Expectations with how often they were broken",
    )


def show_warnings() -> None:
    """Draw the optional values that could not be used."""
    today = datetime.now(UTC).date()
    question = quality.warnings(today - timedelta(days=_WARNING_DAYS), today)
    found = layout.page_part(question, "The warnings")
    if found is None:
        return
    st.markdown(
        "Events of the last 30 days that were stored without an optional value, because the value could not "
        "be used."
    )
    if not found:
        layout.empty("No event of the last 30 days had such a value.")
        return
    st.dataframe(
        [
            {
                "Source": row["source"],
                "Field": row["field"],
                "Code": row["code"],
                "Events": row["events_total"],
            }
            for row in found
        ],
        hide_index=True,
        column_config={"Events": st.column_config.NumberColumn(format="localized")},
        alt="Warnings by source and field",
    )
