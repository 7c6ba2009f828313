"""Who may have the bytes of a file: ``omero.policy.binary_access``, and the property of the same name that a group has.

Both must allow it; a minus forbids, whatever else is said. Pure: facts in, a word out.
"""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.database import Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, may

PROPERTY = "omero.policy.binary_access"


class DownloadPolicy:
    """The server's policy.

    :param text: value of the property, e.g. ``+read,+write,+image``
    """

    def __init__(self, text: str) -> None:
        self._server = _words(text)

    def allows(self, actor: Actor, row: Row) -> bool:
        """Whether somebody who may see a file may have its bytes.

        :param row: of the file: ``owner_id``, ``group_id``, ``group_permissions``, ``group_policy`` (``None``: none of
            its own) and ``of_image``, whether an image was made from it
        """
        may_write = may(actor, Action.EDIT, Holding(row["owner_id"], row["group_id"], row["group_permissions"]))
        policies = [self._server]
        if row["group_policy"] is not None:
            policies.append(_words(row["group_policy"]))
        return all(
            (not row["of_image"] or _has(words, "image"))
            and (_has(words, "read") or (may_write and _has(words, "write")))
            for words in policies
        )


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _has(words: frozenset[str], right: str) -> bool:
    return f"+{right}" in words and f"-{right}" not in words
