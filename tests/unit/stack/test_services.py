"""The declarations of services, and the choice among them."""

import dataclasses

import pytest

from clickstream.settings import Settings
from stack.services import SERVICES, UnknownServiceError, chosen_services, local_host, service_named


def with_stack(settings: Settings, **changes: str) -> Settings:
    return settings.model_copy(update={"stack": settings.stack.model_copy(update=changes)})


def test_names_and_ports_belong_to_one_service_each(settings: Settings) -> None:
    assert len({service.name for service in SERVICES}) == len(SERVICES)
    port_settings = [setting for service in SERVICES for setting in service.port_settings()]
    assert len(set(port_settings)) == len(port_settings)
    ports = {service.port(settings) for service in SERVICES} | {
        service.metrics_port(settings) for service in SERVICES
    }
    assert len(ports) == len(port_settings)


def test_dependencies_are_services() -> None:
    names = {service.name for service in SERVICES}

    assert names.issuperset(name for service in SERVICES for name in service.depends_on)


def test_all_services_run_by_default_each_after_its_dependencies(settings: Settings) -> None:
    names = [service.name for service in chosen_services(settings)]

    assert sorted(names) == sorted(service.name for service in SERVICES if service.is_installed())
    for service in SERVICES:
        assert all(names.index(name) < names.index(service.name) for name in service.depends_on)


def test_a_chosen_service_brings_those_that_it_depends_on(settings: Settings) -> None:
    chosen = chosen_services(with_stack(settings, services="mage"))

    assert [service.name for service in chosen] == ["clickhouse", "mage"]


def test_an_unknown_service_is_refused_with_the_known_names(settings: Settings) -> None:
    with pytest.raises(
        UnknownServiceError, match="no service 'oracle'; the services are panel, clickhouse, kafka, "
    ):
        chosen_services(with_stack(settings, services="clickhouse, oracle"))


@pytest.mark.parametrize(
    ("listens_on", "reached_at"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1")]
)
def test_services_on_every_address_are_reached_over_the_loopback(
    settings: Settings, listens_on: str, reached_at: str
) -> None:
    assert local_host(with_stack(settings, host=listens_on)) == reached_at


def test_commands_hold_no_secret(settings: Settings) -> None:
    words = [str(word) for service in SERVICES for word in service.command(settings)]

    assert not [word for word in words if "secret" in word]


def test_mage_on_localhost_does_not_listen_to_the_world(settings: Settings) -> None:
    command = service_named("mage").command(with_stack(settings, host="localhost"))

    assert "localhost" not in command
    assert "127.0.0.1" in command


def test_declarations_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SERVICES[0].name = "other"  # type: ignore[misc]


def test_a_service_without_a_sign_in_listens_to_this_machine_alone(settings: Settings) -> None:
    kafka = service_named("kafka")

    assert kafka.listens_on(with_stack(settings, host="0.0.0.0")) == "127.0.0.1"


def test_a_broker_elsewhere_takes_the_place_of_the_stacks_own(settings: Settings) -> None:
    broker = settings.broker.model_copy(update={"external_servers": "redpanda:9092"})
    elsewhere = settings.model_copy(update={"broker": broker})

    chosen = chosen_services(elsewhere)

    assert "kafka" not in {service.name for service in chosen}
    assert not [service.name for service in chosen if "kafka" in service.depends_on]
    assert elsewhere.broker.bootstrap_servers == "redpanda:9092"


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("localhost", True), ("clickhouse.example.org", False)],
)
def test_a_clickhouse_server_elsewhere_takes_the_place_of_the_gateway(
    settings: Settings, host: str, is_here: bool
) -> None:
    clickhouse = settings.clickhouse.model_copy(update={"host": host})

    chosen = chosen_services(settings.model_copy(update={"clickhouse": clickhouse}))

    assert ("clickhouse" in {service.name for service in chosen}) is is_here
    assert any("clickhouse" in service.depends_on for service in chosen) is is_here
