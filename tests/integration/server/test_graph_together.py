"""Deletes and links at the same time: nothing fails unexpectedly, and nothing is left hanging."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.graph import Person, known, person
from tests.support.liveserver import Answer, LiveServer


def twin(someone: Person) -> Person:
    """The same user in a session of its own."""
    return known(someone.server, someone.name)


def test_two_who_delete_the_same(live_server: LiveServer) -> None:
    user = person(live_server)
    pair = (user, twin(user))
    for _ in range(5):
        image = user.image()[0]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda one, target=f"Image:{image}": one.ask("delete", target), pair))
        assert sorted(answer.status for answer in answers) == [200, 404]


def test_links_are_made_while_their_ends_go(live_server: LiveServer) -> None:
    user = person(live_server)
    other = twin(user)

    def link(dataset: int, project: int) -> Answer:
        ends = {"parent": f"Project:{project}", "child": f"Dataset:{dataset}"}
        return other.api.call("POST", "/objects/ProjectDatasetLink", {"fields": ends})

    for _ in range(15):
        project, dataset = user.make("Project"), user.make("Dataset")
        with ThreadPoolExecutor(2) as threads:
            linked = threads.submit(link, dataset, project)
            deleted = threads.submit(user.ask, "delete", f"Dataset:{dataset}")
        assert deleted.result().status == 200
        assert linked.result().status in (201, 404, 409), linked.result()
    assert live_server.sql(
        "SELECT count(*) FROM projectdatasetlink l LEFT JOIN dataset d ON d.id = l.child WHERE d.id IS NULL"
    ) == [(0,)]


def test_links_are_made_while_their_ends_move(live_server: LiveServer) -> None:
    """The worst that may come of it is a link that isn't there."""
    user = person(live_server)
    other, root = twin(user), Person(live_server, "root", 0, 0, live_server.tls().login())
    target = person(live_server).group

    def link(dataset: int, project: int) -> Answer:
        ends = {"parent": f"Project:{project}", "child": f"Dataset:{dataset}"}
        return other.api.call("POST", "/objects/ProjectDatasetLink", {"fields": ends})

    for _ in range(15):
        project, dataset = user.make("Project"), user.make("Dataset")
        with ThreadPoolExecutor(2) as threads:
            linked = threads.submit(link, dataset, project)
            moved = threads.submit(root.ask, "chgrp", f"Dataset:{dataset}", group_id=target)
        assert moved.result().status == 200
        assert linked.result().status in (201, 403, 404, 409), linked.result()
    assert live_server.sql(
        "SELECT count(*) FROM projectdatasetlink l JOIN dataset d ON d.id = l.child JOIN project p ON p.id = l.parent"
        " WHERE d.group_id <> p.group_id OR d.group_id <> l.group_id"
    ) == [(0,)]
