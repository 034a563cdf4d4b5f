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
        "An expectation on rows refuses the events that break it, or stores them with a warning; one on "
        "batches only tells that something is odd."
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
        "Events that were stored without an optional value, since it could not be used; last 30 days."
    )
    if not found:
        layout.empty("There were none.")
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
