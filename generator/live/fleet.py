"""All live generators of a service, which share its account and its connections."""

import threading
import time

import msgspec

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings
from generator.live.account import Account
from generator.live.control import LiveGenerator, NotPossibleError, Status
from generator.live.options import DEFAULT_GENERATOR, MAX_GENERATORS, LiveOptions, check_generator_name
from generator.live.targets import Targets
from generator.live.wire import Parcel


class UnknownGeneratorError(ClickstreamError):
    """There is no generator of this name."""


class NamedStatus(msgspec.Struct):
    """How one generator stands; `status.sources` counts its own events alone.

    Attributes:
        name: The generator.
        status: How it stands.
    """

    name: str
    status: Status


class Fleet:
    """Any number of generators by name; the default one is always there."""

    def __init__(self, settings: Settings, account: Account) -> None:
        self._settings = settings
        self._account = account
        self._lock = threading.Lock()
        self._generators: dict[str, LiveGenerator] = {}
        self._targets = Targets(settings, account, self._count)
        for name in account.generators():
            self._generators[name] = LiveGenerator(name, settings, account, self._targets)

    def generator(self, name: str = DEFAULT_GENERATOR) -> LiveGenerator:
        """The generator of a name.

        Raises:
            UnknownGeneratorError: No generator has this name.
        """
        with self._lock:
            found = self._generators.get(name)
        if found is None:
            raise UnknownGeneratorError(
                f"There is no generator {name[:40]!r}.", hint="GET /generators lists those that there are."
            )
        return found

    def start(self, name: str, options: LiveOptions) -> LiveGenerator:
        """Start a generator, and create it if no generator has this name.

        Raises:
            BadOptionsError: The name can't be used.
            NotPossibleError: It is running already, or there are too many.
        """
        with self._lock:
            if name not in self._generators:
                self._add(check_generator_name(name))
            generator = self._generators[name]
        generator.start(options)
        return generator

    def remove(self, name: str) -> None:
        """Forget a generator that is at rest; what it has sent stays in the totals.

        Raises:
            UnknownGeneratorError: No generator has this name.
            NotPossibleError: It is the default one, or not at rest.
        """
        generator = self.generator(name)
        if name == DEFAULT_GENERATOR:
            raise NotPossibleError("The default generator can't be removed.")
        if not generator.is_at_rest:
            raise NotPossibleError(
                f"The generator {name} is running, or events of it are not acknowledged yet.",
                hint="Stop it first, and wait until all of its events are acknowledged.",
            )
        with self._lock:
            self._generators.pop(name, None)
            self._account.remove_generator(name)

    def statuses(self) -> list[NamedStatus]:
        """How each generator stands, the default one first."""
        with self._lock:
            generators = list(self._generators.values())
        return [NamedStatus(generator.name, generator.status()) for generator in generators]

    def status(self) -> Status:
        """How the default generator stands; `sources` counts what all generators have ever sent."""
        return self.generator().status(of_all=True)

    def close(self) -> None:
        """End with the process: wait a little for acknowledgements; the rest is left in the account."""
        for generator in self._generators.values():
            generator.end()
        deadline = time.monotonic() + self._settings.generator.stop_timeout_seconds
        for sender in self._targets.known.values():
            sender.drain(max(0.0, deadline - time.monotonic()))
        self._targets.close()
        self._account.close()

    def _add(self, name: str) -> None:
        if len(self._generators) >= MAX_GENERATORS:
            raise NotPossibleError(
                f"There are {MAX_GENERATORS} generators already.", hint="Remove one that is not needed."
            )
        self._account.add_generator(name)
        self._generators[name] = LiveGenerator(name, self._settings, self._account, self._targets)

    def _count(self, parcel: Parcel) -> None:
        # Parcels of an earlier process may arrive before the generators are made.
        generator = self._generators.get(parcel.generator)
        if generator is not None:
            generator.meter.add(parcel.tally.events)
