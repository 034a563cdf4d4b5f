"""`python -m stack.log_output SERVICE MODULE …`: a module whose output becomes lines of the service's log.

For programs that print, or set up their logs, as soon as they are imported.
"""

import runpy
import sys

from clickstream.logs import capture_output

if __name__ == "__main__":
    service, module, *arguments = sys.argv[1:]
    capture_output(service)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
