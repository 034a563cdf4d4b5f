"""CSV files that were loaded, and starting and cancelling loads."""

from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.loads.history import Load, read_loads
from control_panel.clients import mage, warehouse
from control_panel.clients.readings import shared

PIPELINE = "load_csv"
_SHOWN = 50


@shared(seconds=2, rest=20)
def loads() -> tuple[Load, ...]:
    """The files that were loaded, the latest first."""
    try:
        return read_loads(warehouse.warehouse(), _SHOWN)
    except ClickHouseError as error:
        raise warehouse.explained(error) from error


def begin_load(path: str) -> int:
    """Ask Mage to load a file; gives the run's id."""
    loads.forget()
    return mage.run_now(PIPELINE, {"path": path})


def cancel_load(run_id: int) -> None:
    """End a load. Its lines arrive in whole chunks, so what was loaded until then counts once."""
    mage.cancel_run(run_id)
    loads.forget()
