"""Messages to real brokers: amqtt, and mosquitto where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.feed.delivery import DeliveryError, DeliveryOptions, open_delivery
from tests.realtime.feed.delivery.making_receivers import (
    BROKERS,
    Proxy,
    Subscriber,
    line,
    numbers,
    running_broker,
    wait_for,
)


@pytest.fixture(scope="module", params=BROKERS)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    with running_broker(request.param, tmp_path_factory.mktemp("broker")) as port:
        yield port


@pytest.fixture
def subscriber(broker: int, request: pytest.FixtureRequest) -> Iterator[Subscriber]:
    subscriber = Subscriber(broker, f"{topic_of(request)}/#")
    yield subscriber
    subscriber.close()


def topic_of(request: pytest.FixtureRequest) -> str:
    """A topic of the test's own: the broker keeps the last status."""
    return f"home/{request.node.originalname}"


def test_mqtt_events_have_topics_and_a_status(
    broker: int, subscriber: Subscriber, options: DeliveryOptions, request: pytest.FixtureRequest
) -> None:
    out = f"mqtt://127.0.0.1:{broker}/{topic_of(request)}"
    delivery = open_delivery(out, source_key="source", waits=False, options=options)
    delivery.put(line(0))
    delivery.put(line(1, event="best_shot"))
    assert delivery.finish(20) == 0
    delivery.close()
    wait_for(lambda: len(subscriber.received) == 4)
    assert numbers(subscriber.texts("face")) == [0]
    assert numbers(subscriber.texts("best_shot")) == [1]
    assert subscriber.texts("status") == ["online", "offline"]


def test_mqtt_connection_broken_keeps_all_and_the_order(
    broker: int, subscriber: Subscriber, options: DeliveryOptions, request: pytest.FixtureRequest
) -> None:
    proxy, count = Proxy(broker), 900
    out = f"mqtt://127.0.0.1:{proxy.port}/{topic_of(request)}"
    delivery = open_delivery(out, source_key="source", waits=True, options=options)
    for number in range(count):
        delivery.put(line(number, track=number % 3))
        if number in (300, 600):
            wait_for(lambda number=number: len(subscriber.texts("face")) > number - 200)
            proxy.cut()
            wait_for(lambda: subscriber.texts("status")[-1] == "offline")  # the last will
            proxy.mend()
    assert delivery.finish(20) == 0
    delivery.close()
    proxy.cut()
    wait_for(lambda: len(set(subscriber.texts("face"))) == count)
    assert numbers(list(dict.fromkeys(subscriber.texts("face")))) == list(range(count))
    assert subscriber.texts("status").count("online") == 3


@pytest.mark.parametrize("name", BROKERS)
def test_mqtt_refused_ends_a_file_feed_alone(
    name: str, tmp_path: Path, options: DeliveryOptions
) -> None:
    told: list[str] = []
    with running_broker(name, tmp_path, lets_in=False) as port:
        out = f"mqtt://127.0.0.1:{port}"
        delivery = open_delivery(out, source_key="file", waits=True, options=options)
        with pytest.raises(DeliveryError, match=r"refuses the lines \(not authorized\)"):
            delivery.finish(20)
        delivery.close()
        live = open_delivery(
            out, source_key="live", waits=False, options=options, notify=told.append
        )
        wait_for(lambda: told)
        live.put(line(0))
        assert live.finish(0.1) == 1
        live.close()
    assert "away (not authorized)" in told[0]
