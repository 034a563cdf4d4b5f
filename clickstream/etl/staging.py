"""Files in which the rows of a run lie between its steps, so that memory stays flat.

A file appears whole or not at all. The directory of a run is gone when it is finished; what a killed run
left is removed by the next one.
"""

import shutil
from pathlib import Path

import pyarrow as pa


class Staging:
    """The files of one run.

    Args:
        root: The directory of all runs' directories.
        run_id: The run.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        self._root = root
        self._directory = root / run_id

    @property
    def exists(self) -> bool:
        """Whether the run is still open; False once it was finished, or overtaken by another run."""
        return self._directory.is_dir()

    def create(self) -> None:
        """Makes the directory of this run, and removes those of all others."""
        shutil.rmtree(self._root, ignore_errors=True)
        self._directory.mkdir(parents=True, mode=0o700)

    def remove(self) -> None:
        """Removes the directory of this run."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def write(self, name: str, table: pa.Table) -> None:
        """Writes a table, all of it or nothing."""
        path = self._directory / f"{name}.arrow"
        unfinished = path.with_suffix(".unfinished")
        with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        unfinished.replace(path)

    def read(self, name: str) -> pa.Table:
        """Reads a table as it was written."""
        with pa.memory_map(str(self._directory / f"{name}.arrow")) as file:
            return pa.ipc.open_file(file).read_all()
