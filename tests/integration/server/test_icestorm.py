"""Events from the database to whoever listens."""

from __future__ import annotations

import json
import threading

from omeroadmin.runtime.kernel.events import Event, Events
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import connect_unix
from tests.support.liveserver import LiveServer


def notify(server: LiveServer, payload: str) -> None:
    """Notify the channel as Blitz does."""
    server.sql("SELECT pg_notify('omero_events', %s)", payload)


def event(number: int) -> str:
    """A notification."""
    return json.dumps({"entity": "Image", "id": number, "action": "INSERT", "eventlog": number})


def test_an_import_is_announced(live_server: LiveServer) -> None:
    import pyvips

    path = live_server.runtime.instance.run_directory / "OMERO.IceStorm.sock"
    with connect_unix(path, timeout=20) as connection, connection.makefile() as stream:
        storm = live_server.runtime.servers[0]
        assert wait_until(lambda: (storm.health() or {})["detail"].get("subscribers", 0) > 0, timeout=5)
        notify(live_server, "not JSON")
        content = bytes(pyvips.Image.black(8, 8).pngsave_buffer())
        image = live_server.tls().login().import_files(("/e.png", content)).document["images"][0]["id"]
        heard = [json.loads(stream.readline()) for _ in range(4)]
    assert {item["entity"] for item in heard} >= {"Fileset", "OriginalFile"}
    assert image > 0
    assert all(item.keys() == {"entity", "id", "action", "eventlog"} for item in heard)


def test_a_subscription_outlives_the_broker(live_server: LiveServer) -> None:
    stop = Stop()
    subscription = Events(live_server.runtime.instance, stop, poll=0.2)
    got: list[Event | None] = []

    thread = threading.Thread(target=lambda: got.extend(subscription))

    def told(number: int) -> bool:
        notify(live_server, event(number))
        return Event("Image", number, "INSERT", number) in got

    thread.start()
    try:
        assert wait_until(lambda: subscription.connected, timeout=5)
        assert wait_until(lambda: told(1), timeout=5)
        storm = live_server.runtime.servers[0]
        storm.kill()
        assert wait_until(lambda: not subscription.connected, timeout=5)
        count = len(got)
        assert wait_until(lambda: len(got) > count, timeout=5)
        assert got[-1] is None
        again = live_server.runtime.start("IceStorm", "OMERO.IceStorm")
        live_server.runtime.servers[0] = again
        assert wait_until(lambda: told(2), timeout=10)
    finally:
        stop.request()
        thread.join(10)
        stop.close()
    assert not thread.is_alive()


def test_a_subscriber_that_does_not_read_is_dropped(live_server: LiveServer) -> None:
    path = live_server.runtime.instance.run_directory / "OMERO.IceStorm.sock"
    with connect_unix(path, timeout=20):
        storm = live_server.runtime.servers[0]
        filler = "x" * 7000

        def dropped() -> bool:
            payload = json.dumps({"entity": filler, "id": 1, "action": "INSERT", "eventlog": 1})
            live_server.sql(
                "SELECT pg_notify('omero_events', replace(%s, 'INSERT', 'INSERT' || n)) FROM generate_series(1, 300) n",
                payload,
            )
            return bool((storm.health() or {"detail": {}})["detail"].get("dropped"))

        assert wait_until(dropped, timeout=20)
