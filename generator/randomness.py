"""Chance that repeats itself."""

from random import Random


def make_random(purpose: str, seed: int) -> Random:
    """A generator of its own for each purpose, so that a change to one leaves the others as they are.

    It is seeded by text, which tells -1 from 1 and doesn't depend on the process (Python hashes it by
    SHA-512, not by `hash`).
    """
    return Random(f"{purpose} {seed}")  # noqa: S311 - made-up data, no secrets
