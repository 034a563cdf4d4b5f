"""What the benchmark of the panel's pages reports."""

from benchmarks.panel_pages import ADDRESSES, EMPTIEST, sample_of
from control_panel.pages import all_pages


def test_a_round_reports_its_slowest_page_beside_the_emptiest() -> None:
    sample = sample_of({"/": 1.2, EMPTIEST: 0.6, "/events": 0.9})

    assert (sample.about, sample.figure, sample.baseline) == ("/", 1.2, 0.6)
    assert sample.details == {"median of all pages s": 0.9}
    assert sample.parts["/events"] == {"s": 0.9}


def test_every_address_is_one_of_a_page() -> None:
    paths = {"/" if page.info.is_start else f"/{page.info.path}" for page in all_pages()}

    assert {address.partition("?")[0] for address in ADDRESSES} <= paths
