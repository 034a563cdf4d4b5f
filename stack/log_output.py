"""`python -m stack.log_output SERVICE MODULE …`: a module whose output becomes lines of the service's log.

For programs that print, or set up their logs, as soon as they are imported. Python's warnings are left out:
they are for the authors of libraries, and made up most of Mage's log.
"""

import logging
import runpy
import sys

from clickstream.logs import capture_output

if __name__ == "__main__":
    service, module, *arguments = sys.argv[1:]
    capture_output(service)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
