"""Signs what Mage's editor says to the kernels that run its blocks.

A kernel listens on ports of this machine and runs the code that it is sent. Mage 0.9.80 turns off the
signatures that tell its own messages from others, so every account of the machine could run code as the
stack's user.
"""

import secrets
from typing import Final

from mage_ai.server.kernels import kernel_managers

_KEY_BYTES: Final = 32


def sign_kernel_messages() -> None:
    """Give each kernel a key of its own; to be called before the first one starts."""
    for manager in kernel_managers.values():
        manager.session.key = secrets.token_hex(_KEY_BYTES).encode()
