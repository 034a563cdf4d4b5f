"""Visitors of a small shop: their events, the faults of their clients, and the answer key to both."""
