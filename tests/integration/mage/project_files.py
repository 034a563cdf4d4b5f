"""The files of the Mage project, as they are now."""

import hashlib

from stack.services import MAGE_PROJECT


def project_files() -> dict[str, str]:
    """The checksum of each file by its place in the project; what Python compiles is left out."""
    return {
        str(path.relative_to(MAGE_PROJECT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in MAGE_PROJECT.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
