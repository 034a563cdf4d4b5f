"""Pages drawn without a browser."""

from streamlit.testing.v1 import AppTest

from tests.waiting import wait_until


def wait_for(app: AppTest, *texts: str) -> None:
    """Draw the page until its messages hold these texts; a page does not wait for answers that are slow."""

    def holds() -> bool:
        app.run()
        told = " ".join(one.value for one in [*app.error, *app.warning])
        return bool(app.exception) or all(text in told for text in texts)

    wait_until(holds, f"the page says: {', '.join(texts)}")
    assert [one.message for one in app.exception] == []
