"""``omero user`` and ``omero group`` against the reference server: messages, lists, statuses, and no secrets shown."""

from __future__ import annotations

import csv
import io
import re
import secrets
from pathlib import Path

import pytest

from omeroadmin.schema.privileges import Privilege
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero
from tests.support.terminal import on_terminal

PASSWORD = "a user's password"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def omero(live_server: LiveServer, home: Path) -> Omero:  # noqa: F811 - the fixture's name
    """Root's command line, logged in."""
    made = command_line(live_server, home)
    (home / "new").write_text(f"{PASSWORD}\n")
    made.ok("login", "root@localhost", "--password-file", "password")
    return made


def fresh(what: str) -> str:
    return f"{what}-{secrets.token_hex(4)}"


def add_group(omero: Omero, *arguments: str) -> tuple[str, str]:
    """A new group: name and id."""
    name = fresh("lab")
    found = re.fullmatch(
        rf"Added group {name} \(id=(\d+)\) with permissions (\S+)\n", omero.ok("group", "add", name, *arguments)
    )
    assert found
    return name, found[1]


def add_user(omero: Omero, *arguments: str) -> tuple[str, str]:
    """A new user: name and id."""
    name = fresh("user")
    done = omero.ok("user", "add", name, "John", "Smith", *arguments, "--userpassword-file", "new")
    found = re.fullmatch(rf"Added user {name} \(id=(\d+)\) with password\n", done)
    assert found, done
    return name, found[1]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def as_user(omero: Omero, name: str, tmp_path: Path) -> Omero:
    """A command line of another user."""
    return Omero(tmp_path, extra={**omero.extra, "OMERO_PASSWORD": PASSWORD, "OMERO_USERDIR": str(tmp_path / name)})


@pytest.mark.parametrize(
    ("options", "permissions"),
    [
        ((), "rw----"),
        (("--perms", "rwr---"), "rwr---"),
        (("--perms=rwrw--",), "rwrw--"),
        (("--type", "private"), "rw----"),
        (("--type=read-annotate",), "rwra--"),
    ],
)
def test_group_add(omero: Omero, options: tuple[str, ...], permissions: str) -> None:
    name, number = add_group(omero, *options)
    [row] = rows(omero.ok("group", "info", name, "--style", "csv"))
    assert row == {
        "id": number, "name": name, "perms": permissions, "ldap": "False", "# of owners": "0", "# of members": "0",
    }  # fmt: skip
    done = omero.run("group", "add", name)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"omero: Group exists: {name} (id={number})\n")
    assert omero.ok("group", "add", name, "--ignore-existing") == f"Group exists: {name} (id={number})\n"


def test_user_add_as_the_manual_has_it(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    group, group_id = add_group(omero)
    other, other_id = add_group(omero)
    name, number = add_user(
        omero, other, "--group-name", group, "-m", "Jay", "-e", "john@example.org", "-i", "Institute"
    )
    [row] = rows(omero.ok("user", "info", "--user-name", name, "--style", "csv"))
    assert row == {
        "id": number, "login": name, "first name": "John", "last name": "Smith", "email": "john@example.org",
        "active": "Yes", "ldap": "False", "admin": "", "member of": f"{other_id},{group_id}", "owner of": "",
    }  # fmt: skip
    [document] = omero.json("user", "info", number, "--style", "json")["users"]
    assert (document["middle_name"], document["institution"]) == ("Jay", "Institute")
    live_server.tls().login(name, PASSWORD)
    done = omero.run("user", "add", name, "John", "Smith", group, "--userpassword-file", "new")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"omero: User exists: {name} (id={number})\n")
    again = omero.ok("user", "add", name, "John", "Smith", group, "--ignore-existing")
    assert again == f"User exists: {name} (id={number})\n"


def test_user_add_asks_for_the_password_on_a_terminal(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    import sys

    group, _ = add_group(omero)
    name = fresh("user")
    command = [sys.executable, "-m", "omeroadmin", "user", "add", name, "John", "Smith", group]
    with on_terminal(command, omero.environment) as terminal:
        terminal.expect(f"password for your new user ({name}): ")
        terminal.type(f"{PASSWORD}\n")
        terminal.expect(f"password for your new user ({name}): ")
        terminal.type(f"{PASSWORD}\n")
        terminal.expect(f"Added user {name}")
        assert terminal.end() == 0
    live_server.tls().login(name, PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["user", "add", "x", "A", "B"], 2, "No input group is specified"),
        (
            ["user", "add", "x", "A", "B", "no-such-group", "--userpassword-file", "new"],
            5,
            "Unknown group: no-such-group",
        ),
        (["user", "add", "x", "A", "B", "--group-id", "four"], 2, "there is no terminal to ask at"),
        (["user", "add", "x", "A", "B", "--group-id", "4x", "-P", "y"], 2, "Not a valid group ID: 4x"),
        (["user", "add", "x", "A", "B", "2", "-P", "y"], 5, "the user guest is in the group guest"),
        (["user", "add", "x", "A", "B", "1", "-P", "y"], 5, "a user needs a group to work in"),
        (["user", "add", "x", "A", "B", "0", "--no-password"], 5, "the server requires a password"),
        (["user", "add", "x", "A", "B", "0", "--no-password", "-P", "y"], 2, "exclude each other"),
        (["user", "add", "x", "A", "B", "0", "--privileges", "Dance", "-P", "y"], 5, "privilege"),
        (["user", "add", "x", "A", "B", "0", "--userpassword-file", "gone", "-P", "y"], 2, "exclude each other"),
        (["user", "info", "nobody"], 5, "Unknown user: nobody"),
        (["user", "info", "--user-id", "root"], 2, "Not a valid user ID: root"),
        (["user", "list", "--sort-by-id", "--sort-by-login"], 2, "sorted by one column"),
        (["user", "list", "--count", "--long"], 2, "exclude each other"),
        (["user", "joingroup"], 2, "No input group is specified"),
        (["user", "joingroup", "user", "--id", "0", "--name", "root"], 2, "exclude each other"),
        (["user", "leavegroup", "system", "--name", "root"], 5, "root can't leave"),
        (["user", "privileges", "guest", "--only", "Sudo"], 3, "guest is no administrator"),
        (["user", "privileges", "root", "--restrict", "Dance"], 2, "there is no privilege Dance"),
        (["user", "privileges", "root", "--restrict", "Sudo"], 5, "root can't be restricted"),
        (["group", "add", "x", "--perms", "rwrwrw!"], 5, "permissions"),
        (["group", "add", "x", "--perms", "rw----", "--type", "private"], 2, "exclude each other"),
        (["group", "add", "x", "--type", "public"], 2, "Invalid value for '--type'"),
        (["group", "perms", "--perms", "rw----"], 2, "No input group is specified"),
        (["group", "perms", "--name", "user", "--perms", "rw----"], 5, "can't be changed"),
        (["group", "adduser", "root"], 2, "No input group is specified"),
        (["group", "adduser", "--name", "user"], 2, "No input user is specified"),
        (["group", "copyusers", "user", "no-such-group"], 5, "Unknown group: no-such-group"),
        (["group", "listusers", "user", "system"], 2, "Too many group arguments"),
    ],
)
def test_what_is_refused_is_said_in_a_line(omero: Omero, arguments: list[str], status: int, message: str) -> None:
    done = omero.run(*arguments)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
    assert (done.returncode, done.stdout, len(lines)) == (status, "", 1), done
    assert message in lines[0]


def test_lists_have_omeros_columns(omero: Omero) -> None:
    group, group_id = add_group(omero)
    name, number = add_user(omero, group)
    omero.ok("group", "adduser", name, "--name", group, "--as-owner")
    header = omero.ok("user", "list").splitlines()[0]
    assert [cell.strip() for cell in header.split("|")] == [
        "id", "login", "first name", "last name", "email", "active", "ldap", "admin", "member of", "owner of",
    ]  # fmt: skip
    plain = omero.ok("user", "list", "--style", "plain", "--count")
    assert f"{number},{name},John,Smith,,Yes,False,,,1" in plain.splitlines()
    logins = [row["login"] for row in rows(omero.ok("user", "list", "--style", "csv", "--sort-by-login"))]
    assert logins == sorted(logins)
    assert {"root", "guest", name} <= set(logins)
    groups = rows(omero.ok("group", "list", "--style", "csv", "--long", "--sort-by-name"))
    assert [row["name"] for row in groups] == sorted(row["name"] for row in groups)
    assert {row["owner ids"] for row in groups if row["id"] == group_id} == {number}
    document = omero.json("group", "list", "--style", "json")
    assert document["schema"] == "omeroadmin/groups/1"
    assert [row["name"] for row in rows(omero.ok("user", "listgroups", name, "--style", "csv"))] == ["user", group]
    assert omero.ok("group", "listgroups", name) == omero.ok("user", "listgroups", name)
    assert [row["login"] for row in rows(omero.ok("group", "listusers", group, "--style", "csv"))] == [name]
    assert rows(omero.ok("user", "info", "--style", "csv"))[0]["login"] == "root"
    assert rows(omero.ok("group", "info", "--style", "csv"))[0]["name"] == "system"


def test_members_and_owners_come_and_go(omero: Omero) -> None:
    (first, first_id), (second, second_id) = add_group(omero), add_group(omero)
    (ada, ada_id), (bob, bob_id) = add_user(omero, first), add_user(omero, first)
    assert omero.ok("user", "joingroup", second, "--name", ada) == f"Added {ada_id} to group {second_id}\n"
    assert omero.ok("group", "adduser", ada, bob, "--name", second) == (
        f"{ada_id} is already in group {second_id}\nAdded {bob_id} to group {second_id}\n"
    )
    assert omero.ok("group", "adduser", "--user-id", ada_id, "--id", second_id, "--as-owner") == (
        f"Added {ada_id} to the owner list of group {second_id}\n"
    )
    assert omero.ok("user", "joingroup", second, "--id", ada_id, "--as-owner") == (
        f"{ada_id} is already owner of group {second_id}\n"
    )
    assert omero.ok("user", "leavegroup", second, "--name", ada, "--as-owner") == (
        f"Removed {ada_id} from the owner list of group {second_id}\n"
    )
    assert omero.ok("group", "removeuser", ada, "--name", second, "--as-owner") == (
        f"{ada_id} is not owner of group {second_id}\n"
    )
    assert omero.ok("group", "removeuser", ada, bob, "--name", second) == (
        f"Removed {ada_id} from group {second_id}\nRemoved {bob_id} from group {second_id}\n"
    )
    assert omero.ok("user", "leavegroup", second, "--name", ada) == f"{ada_id} is not in group {second_id}\n"
    done = omero.run("user", "leavegroup", first, "--name", ada)
    assert done.returncode == 5
    assert "without a group to work in" in done.stderr
    assert first_id in omero.ok("group", "info", first)


def test_users_of_a_group_are_copied(omero: Omero) -> None:
    (first, _), (second, second_id) = add_group(omero), add_group(omero)
    (ada, ada_id), (_, bob_id) = add_user(omero, first), add_user(omero, first)
    omero.ok("group", "adduser", ada, "--name", first, "--as-owner")
    assert omero.ok("group", "copyusers", first, second, "--as-owner") == (
        f"Added {ada_id} to the owner list of group {second_id}\nOwners of {first} copied to {second}\n"
    )
    assert omero.ok("group", "copyusers", first, second) == (
        f"{ada_id} is already in group {second_id}\nAdded {bob_id} to group {second_id}\n"
        f"Users of {first} copied to {second}\n"
    )


def test_a_name_that_is_anothers_id_is_asked_about(omero: Omero) -> None:
    _, number = add_group(omero)
    omero.ok("group", "add", number)
    done = omero.run("group", "info", number)
    assert done.returncode == 2
    assert done.stderr.startswith(f"omero: Ambiguous group identifier: {number}\n")
    assert omero.ok("group", "info", "--group-id", number) != omero.ok("group", "info", "--group-name", number)


def test_deactivated_users_are_out_until_they_join_again(omero: Omero, tmp_path: Path) -> None:
    name, number = add_user(omero, add_group(omero)[0])
    user = as_user(omero, name, tmp_path)
    user.ok("login", f"{name}@localhost")
    assert omero.ok("user", "leavegroup", "user", f"--name={name}") == f"Removed {number} from group 1\n"
    done = user.run("user", "info")
    assert done.returncode == 3, done
    assert user.run("login", f"{name}@localhost").returncode == 3
    assert omero.ok("user", "joingroup", "user", f"--name={name}") == f"Added {number} to group 1\n"
    user.ok("login", f"{name}@localhost")


def test_passwords_are_changed_with_ones_own(omero: Omero, home: Path, tmp_path: Path) -> None:
    name, number = add_user(omero, add_group(omero)[0])
    (home / "newer").write_text("something newer")
    user = as_user(omero, name, tmp_path)
    user.ok("login", f"{name}@localhost")
    arguments = ("user", "password", "--userpassword-file", str(home / "newer"))
    assert user.ok(*arguments) == f"Changed password for {name} (id={number})\n"
    done = user.run(*arguments)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        3,
        "omero: the password of your own user is wrong; nothing was changed",
    )
    done = omero.run(
        "user", "password", name, "--userpassword-file", "new", "--password-file", "-", input_text="wrong\n"
    )
    assert done.returncode == 3
    done = omero.run(
        "user", "password", name, "--userpassword-file", "new", "--password-file", "-", input_text=ROOT_PASSWORD
    )
    assert (done.returncode, done.stdout) == (0, f"Changed password for {name} (id={number})\n")
    user.ok("login", "-C", f"{name}@localhost")
    plain = omero.run("user", "password", name, "-P", "x", "-w", "y", "-k", key_of(omero), "-s", "tcp://localhost")
    assert plain.returncode == 3
    assert "a password is sent with TLS only" in plain.stderr


def key_of(omero: Omero) -> str:
    store = omero.home / "omero" / "sessions"
    return next(path.name for path in store.rglob("*") if re.fullmatch("[0-9a-f-]{36}", path.name))


def test_addresses_are_listed_for_mails(omero: Omero) -> None:
    group = add_group(omero)[0]
    add_user(omero, group, "-e", "zoe@example.org")
    name, _ = add_user(omero, group, "-e", "gone@example.org")
    omero.ok("user", "leavegroup", "user", "--name", name)
    done = omero.run("user", "email")
    assert done.returncode == 0
    assert "zoe@example.org" in done.stdout.strip().split(", ")
    assert "gone@example.org" not in done.stdout
    assert done.stderr.startswith("Missing email addresses:\n")
    lines = omero.run("user", "email", "--names", "--one", "--ignore", "--all")
    assert '"John Smith" <gone@example.org>' in lines.stdout.splitlines()
    assert lines.stderr == ""


def test_permissions_of_a_group(omero: Omero) -> None:
    name, number = add_group(omero, "--type", "read-annotate")
    of_group = f"for group {name} (id={number})"
    assert omero.ok("group", "perms", "--perms=rwrw--", "--name", name) == f"Changed permissions {of_group} to rwrw--\n"
    assert omero.ok("group", "perms", "--perms", "rwrw--", "--id", number) == (
        f"Permissions {of_group} already rwrw--\n"
    )
    planned = omero.ok("group", "perms", "--type", "private", "--id", number, "--dry-run")
    assert planned == f"Group {name} (id={number}): rwrw-- -> rw----\n"
    assert rows(omero.ok("group", "info", number, "--style", "csv"))[0]["perms"] == "rwrw--"


def test_links_are_removed_only_when_somebody_agrees(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    name, number = add_group(omero, "--type", "read-write")
    (_, ada), (_, bob) = add_user(omero, name), add_user(omero, name)
    details = "permissions, owner_id, group_id, creation_id, update_id"
    live_server.sql(
        f"INSERT INTO image (id, name, series, {details}) VALUES (-{number}, 'cell', 0, -8, {ada}, {number}, 0, 0)"
    )
    live_server.sql(
        f"INSERT INTO annotation (id, discriminator, {details})"
        f" VALUES (-{number}, '/basic/text/tag/', -8, {bob}, {number}, 0, 0)"
    )
    live_server.sql(
        f"INSERT INTO imageannotationlink (id, parent, child, {details})"
        f" VALUES (-{number}, -{number}, -{number}, -8, {bob}, {number}, 0, 0)"
    )
    plan = f"Group {name} (id={number}): rwrw-- -> rwr---\n  1 ImageAnnotationLink is removed\n"
    arguments = ("group", "perms", "--type", "read-only", "--id", number)
    assert omero.ok(*arguments, "--dry-run") == plan
    done = omero.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(plan)
    assert omero.ok(*arguments, "--yes") == (
        f"Changed permissions for group {name} (id={number}) to rwr---\n  1 ImageAnnotationLink is removed\n"
    )


def test_restricted_administrators(omero: Omero, tmp_path: Path) -> None:
    group = add_group(omero)[0]
    name, _ = add_user(omero, group, "--admin", "--privileges", "ModifyUser,Sudo")

    def granted() -> set[str]:
        listed = rows(omero.ok("user", "privileges", name, "--style", "csv"))
        assert [row["privilege"] for row in listed] == list(Privilege)
        return {row["privilege"] for row in listed if row["granted"]}

    assert granted() == {"ModifyUser", "Sudo"}
    omero.ok("user", "privileges", name, "--clear", "modifygroup", "--restrict", "Sudo")
    assert granted() == {"ModifyGroup", "ModifyUser"}
    admin = as_user(omero, name, tmp_path)
    admin.ok("login", f"{name}@localhost")
    assert admin.ok("group", "add", fresh("lab")).startswith("Added group")
    done = admin.run("user", "privileges", name, "--clear", "Sudo")
    assert done.returncode == 5
    assert "you lack the privilege Sudo yourself" in done.stderr
    done = admin.run("user", "add", "x", "A", "B", group, "-P", "y")
    assert done.returncode == 5
    assert "ModifyGroupMembership" in done.stderr
    omero.ok("user", "privileges", name, "--only", "")
    assert granted() == set()


def test_ordinary_users_look_but_dont_change(omero: Omero, tmp_path: Path) -> None:
    group = add_group(omero)[0]
    name, _ = add_user(omero, group)
    user = as_user(omero, name, tmp_path)
    user.ok("login", f"{name}@localhost")
    assert name in user.ok("user", "list")
    for arguments in (
        ("user", "add", "x", "A", "B", group, "-P", "y"),
        ("group", "add", "x"),
        ("user", "joingroup", "system"),
        ("group", "adduser", "root", "--name", group),
        ("user", "password", "root", "-P", "y"),
    ):
        done = user.run(*arguments)
        assert (done.returncode, done.stdout) == (5, ""), done
        assert "you may not" in done.stderr
