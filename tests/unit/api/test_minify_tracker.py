"""The tracker that is served is made from the source that is read."""

from api.minify_tracker import MINIFIED, minified_tracker


def test_the_served_tracker_is_up_to_date() -> None:
    assert MINIFIED.read_text() == minified_tracker(), "tracker.min.js is stale: run make tracker"
