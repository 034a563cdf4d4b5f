"""The end of Mage; the last file of the folder, since it takes the stack down that the others share."""

import psutil

from stack.lifecycle import Stack
from stack.processes import processes_of, wait_for_end


def test_its_children_end_with_it(stack: Stack) -> None:
    server = psutil.Process(stack.supervisor.processes()["mage"].pid)
    children = server.children(recursive=True)
    assert children

    stack.down()

    assert wait_for_end(children, 10) == []
    assert processes_of(stack.paths.data) == []
