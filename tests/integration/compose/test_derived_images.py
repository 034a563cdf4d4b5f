"""What the Dockerfiles of Mage and Superset copy is all that their containers import of the project."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT, Settings
from stack.services import MAGE_PYTHON, SUPERSET_PYTHON, service_named

PYTHONS = {"mage": MAGE_PYTHON, "superset": SUPERSET_PYTHON}
SERVICES_OF = {"mage": ("mage", "stream_events"), "superset": ("superset",)}
"""The services that run in each image."""

FILES_OF_OWN_MODULES = """
import importlib, sys
root, *names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
own = {path.split("/")[0] for path in open("own").read().split()}
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] in own and getattr(module, "__file__", None):
        print(module.__file__)
"""


def programs(image: str) -> list[str]:
    """The modules that the image's containers start."""
    found = ["stack.container", "stack.healthy"]
    for name in SERVICES_OF[image]:
        service = service_named(name)
        words = [str(word) for word in (*service.command(Settings()), *(service.set_up or ()))]
        found += [word for word in words if re.fullmatch(r"(stack|dashboards)(\.\w+)*", word)]
    return [f"{name}.server" if name == "dashboards" else name for name in found]


@pytest.mark.parametrize("image", PYTHONS)
def test_the_image_holds_every_module_that_its_programs_import(image: str, tmp_path: Path) -> None:
    dockerfile = (PROJECT_ROOT / "compose" / image / "Dockerfile").read_text()
    for source, target in re.findall(r"^COPY (\w+) (\w+)$", dockerfile, re.MULTILINE):
        ignored = shutil.ignore_patterns("__pycache__", "generated", "node_modules")
        shutil.copytree(PROJECT_ROOT / source, tmp_path / target, ignore=ignored)
    packages = {path.parent.name for path in PROJECT_ROOT.glob("*/__init__.py")}
    (tmp_path / "own").write_text("\n".join(packages))

    done = subprocess.run(
        [PYTHONS[image], "-c", FILES_OF_OWN_MODULES, str(tmp_path), *programs(image)],
        cwd=tmp_path,
        # The environment would find the checkout's packages as well, but after these.
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    files = [line for line in done.stdout.splitlines() if line.startswith("/")]
    assert len(files) > len(programs(image))
    assert [file for file in files if not Path(file).is_relative_to(tmp_path)] == []
