"""The same step for several batches at once, on all cores."""

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


def map_batches(step: Callable[[int], Result], batches: int, workers: int) -> Iterator[Result]:
    """Yields a step's result of each batch, in order; a single batch is done here and now.

    Workers are forked, so that they need not import Great Expectations again, which takes seconds.

    Args:
        step: Takes the number of the batch; a function of a module, or a partial of one.
        batches: How many there are.
        workers: How many are done at once.

    Raises:
        BrokenProcessPool: A worker was killed.
    """
    if batches <= 1 or workers <= 1:
        yield from map(partial(_without_garbage_collection, step), range(batches))
        return
    with ProcessPoolExecutor(min(workers, batches), multiprocessing.get_context("fork")) as pool:
        yield from pool.map(partial(_without_garbage_collection, step), range(batches))


def _without_garbage_collection(step: Callable[[int], Result], batch: int) -> Result:
    with paused_garbage_collection():
        return step(batch)


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """A batch makes millions of objects that live to its end; looking for garbage there costs a fifth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
