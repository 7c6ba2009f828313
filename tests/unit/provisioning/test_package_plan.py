"""What becomes of packages, by what is installed."""

from __future__ import annotations

import pytest

from omeroadmin.provisioning.agent import debian_packages
from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.packages import patiently
from omeroadmin.provisioning.agent.running import Done
from tests.support.wishes import planned, planned_words

DEBIAN = """\
nginx\tamd64\tinstalled\tok\t1.22.1-9\thttpd, httpd-cgi, nginx-abi (= 1.22)
libc6\tamd64\tinstalled\tok\t2.36-9\t
redis\tall\tconfig-files\tok\t5:7.0\t
postgresql-15\tamd64\thalf-configured\tok\t15.5\tpostgresql-contrib-15
broken\tamd64\tinstalled\treinstreq\t1\t
"""


def test_debian_knows_packages_by_name_architecture_and_what_they_provide() -> None:
    found = debian_packages._parse(DEBIAN, broken_off=False)
    assert found.versions["nginx"] == found.versions["nginx:amd64"] == found.versions["httpd-cgi"] == "1.22.1-9"
    assert not {"redis", "postgresql-15", "postgresql-contrib-15", "broken", ""} & set(found.versions)
    assert found.unfinished == ["broken", "postgresql-15"]


def test_only_missing_packages_are_installed() -> None:
    facts = {"installed": {"nginx": "1.22"}, "unfinished": []}
    assert planned("package", facts, names=["nginx"]) == []
    assert planned_words("package", facts, names=["nginx", "openssl", "acl"]) == ["install packages openssl, acl"]
    assert planned_words("package", facts, names=["nginx", "openssl"], state="absent") == ["remove package nginx"]
    assert planned("package", facts, names=["openssl"], state="absent") == []


def test_interrupted_run_is_finished_before_anything_else() -> None:
    facts = {"installed": {"nginx": "1.22"}, "unfinished": ["postgresql-15"]}
    assert planned("package", facts, names=["nginx"]) == []
    assert planned("package", facts, names=["postgresql-15"]) == ["repair", "install"]


@pytest.mark.parametrize(
    ("errors", "named"),
    [
        ("E: Unable to locate package zeroc-icegrid\n", "zeroc-icegrid"),
        ("E: Package 'redis' has no installation candidate\nE: Unable to locate package nosuch\n", "nosuch, redis"),
    ],
)
def test_package_that_no_repository_has_is_named(errors: str, named: str) -> None:
    failure = debian_packages._failure(["a"], Done(100, "", errors))
    assert (failure.code, failure.message) == (
        "host-package-unknown", f"no repository of this host has the package {named}",
    )  # fmt: skip


def test_reason_is_the_line_that_says_why() -> None:
    errors = (
        "dpkg: error processing archive x.deb (--unpack):\n cannot copy: No space left on device\n"
        "E: Sub-process /usr/bin/dpkg returned an error code (1)\n"
    )
    failure = debian_packages._failure(["nginx"], Done(100, "", errors))
    assert failure.message == "nginx can't be installed: cannot copy: No space left on device"


def test_lock_is_waited_for_and_given_up_in_one_line() -> None:
    locked = Done(100, "", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt-get)\n")
    with pytest.raises(HostError) as caught:
        patiently(lambda: locked, debian_packages._lock_words, 0)
    assert caught.value.code == "host-packages-locked"
    assert "process 12 (apt-get)" in caught.value.message
    other = Done(100, "", "E: Unable to locate package x\n")
    assert patiently(lambda: other, debian_packages._lock_words, 0) is other
