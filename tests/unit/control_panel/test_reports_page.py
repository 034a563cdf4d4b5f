"""The page Reports: what is left of a report when one of its values is chosen."""

from streamlit.testing.v1 import AppTest


def _draw() -> None:
    import pyarrow as pa  # noqa: PLC0415 -- the function is run as a script of its own
    import streamlit as st  # noqa: PLC0415

    from control_panel.pages.reports import _choose  # noqa: PLC0415

    rows = {"field": ["variant", "price", "variant"], "value": ["A", "9", "B"]}
    st.json(_choose(pa.table(rows), "field").to_pylist())


def test_all_fields_are_shown_at_first() -> None:
    app = AppTest.from_function(_draw).run()

    assert app.selectbox[0].options == ["all", "variant", "price"]
    assert app.json[0].value.count('"field"') == 3


def test_the_values_of_one_field_are_shown_alone() -> None:
    app = AppTest.from_function(_draw).run()

    app.selectbox[0].set_value("variant").run()

    assert app.json[0].value.count('"variant"') == 2
    assert '"price"' not in app.json[0].value
