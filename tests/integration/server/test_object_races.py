"""Many clients at once: each change happens once or is refused, and no link outlives what permitted it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.liveserver import PASSWORD, Answer, Api, LiveServer

READ_WRITE = -8
CLIENTS = 8


def at_once(server: LiveServer, key: str, work: Callable[[Api, int], Answer]) -> list[Answer]:
    """Let clients of one session do something at the same time."""
    apis = [server.local() for _ in range(CLIENTS)]
    for api in apis:
        api.key = key
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(work, apis, range(CLIENTS)))


def outcomes(answers: list[Answer]) -> Counter[str]:
    """How often what was answered."""
    return Counter(str(answer.status) if answer.status < 300 else answer.code for answer in answers)


def new(api: Api, kind: str, **fields: Any) -> str:
    """A new object as ``Type:id``."""
    answer = api.call("POST", f"/objects/{kind}", {"fields": fields})
    assert answer.status == 201, answer
    return f"{kind}:{answer.document['id']}"


def test_one_link_and_one_winner(live_server: LiveServer) -> None:
    api = live_server.local().login(live_server.add_user(), PASSWORD)
    project, dataset = new(api, "Project", name="p"), new(api, "Dataset", name="d")
    link = {"fields": {"parent": project, "child": dataset}}
    made = at_once(live_server, api.key, lambda one, _: one.call("POST", "/objects/ProjectDatasetLink", link))
    assert outcomes(made) == {"201": 1, "link-exists": CLIENTS - 1}
    where = f"/objects/{dataset.replace(':', '/')}"
    changed = at_once(
        live_server,
        api.key,
        lambda one, number: one.call("PATCH", where, {"fields": {"name": f"n{number}"}, "version": 0}),
    )
    assert outcomes(changed) == {"200": 1, "version-conflict": CLIENTS - 1}
    [winner] = [answer.document["fields"]["name"] for answer in changed if answer.status == 200]
    assert api.call("GET", where).document["fields"]["name"] == winner


def test_no_pair_is_lost(live_server: LiveServer) -> None:
    api = live_server.local().login(live_server.add_user(), PASSWORD)
    where = f"/objects/{new(api, 'MapAnnotation').replace(':', '/')}/maps/mapValue"
    set_at_once = at_once(
        live_server, api.key, lambda one, number: one.call("PATCH", where, {"key": f"k{number}", "value": "v"})
    )
    assert outcomes(set_at_once) == {"200": CLIENTS}
    pairs = api.call("GET", where).document["pairs"]
    assert sorted(pairs) == [[f"k{number}", "v"] for number in range(CLIENTS)]


def test_links_while_a_group_becomes_private(live_server: LiveServer) -> None:
    generator = random.Random(7)
    root = live_server.local().login()
    for _ in range(6):
        somebody = live_server.add_user(permissions=READ_WRITE)
        [(group,)] = live_server.sql("SELECT id FROM experimentergroup WHERE name = %s", f"group-of-{somebody}")
        owner = live_server.local().login(somebody, PASSWORD)
        other = live_server.local().login(live_server.add_user(group=f"group-of-{somebody}"), PASSWORD)
        dataset = new(owner, "Dataset", name="d")
        tags = [new(other, "TagAnnotation", textValue=f"t{number}") for number in range(CLIENTS)]
        last = generator.randrange(CLIENTS)

        def work(
            api: Api, number: int, last: int = last, group: int = group, dataset: str = dataset, tags: Any = tags
        ) -> Answer:
            if number != last:
                link = {"fields": {"parent": dataset, "child": tags[number]}}
                return api.call("POST", "/objects/DatasetAnnotationLink", link)
            return root.call("PUT", f"/groups/{group}/permissions", {"permissions": "rw----"})

        counted = outcomes(at_once(live_server, other.key, work))
        assert counted["200"] == 1, counted
        assert set(counted) <= {"200", "201", "permission-denied", "not-found"}, counted
        rows = live_server.sql("SELECT id FROM datasetannotationlink WHERE parent = %s", int(dataset[8:]))
        assert rows == []


def test_links_while_their_ends_move(live_server: LiveServer) -> None:
    somebody = live_server.add_user(permissions=READ_WRITE)
    live_server.add_user(permissions=READ_WRITE)
    root = live_server.local().login()
    owner = live_server.local().login(somebody, PASSWORD)
    [(away,)] = live_server.sql("SELECT max(id) FROM experimentergroup")
    for _ in range(4):
        datasets = [new(owner, "Dataset", name=f"d{number}") for number in range(CLIENTS)]
        project = new(owner, "Project", name="p")

        def work(api: Api, number: int, project: str = project, datasets: Any = datasets) -> Answer:
            if number:
                link = {"fields": {"parent": project, "child": datasets[number]}}
                return api.call("POST", "/objects/ProjectDatasetLink", link)
            targets = [{"type": "Project", "ids": project[8:]}]
            return root.call("POST", "/chgrp", {"targets": targets, "group_id": away})

        counted = outcomes(at_once(live_server, owner.key, work))
        assert set(counted) <= {"200", "201", "not-found", "group-mismatch", "permission-denied"}, counted
    astray = live_server.sql(
        "SELECT l.id FROM projectdatasetlink l JOIN project p ON p.id = l.parent JOIN dataset d ON d.id = l.child"
        " WHERE p.group_id <> d.group_id OR l.group_id <> p.group_id"
    )
    assert astray == []
