"""The HTTP service: takes events in, and serves the tracker and a demo shop that uses it."""
