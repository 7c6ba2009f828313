"""SQL of sessions.

What OMERO keeps of a session in memory alone, several Blitz instances share through ``session.message``:
``group 5; last used 2026-01-31T12:00:00``, both parts optional.
"""

from __future__ import annotations

_LAST_USED = "substring(s.message FROM 'last used ([-0-9]+T[0-9:.]+)$')::timestamp"
_GROUP = "substring(s.message FROM '^group ([0-9]+)')::bigint"
_RESTRICTIONS = """(SELECT array_agg(c.name) FROM experimenter_config c
         WHERE c.experimenter_id = {user} AND c.name LIKE 'AdminPrivilege:%%' AND lower(c.value) <> 'true')"""

ACTOR = f"""
SELECT s.id, s.uuid, s.started, s.timetoidle, s.timetolive, e.id AS user_id, e.omename,
       coalesce(e.institution, '') AS institution, {_LAST_USED} AS last_used,
       (SELECT jsonb_agg(jsonb_build_array(g.id, g.name, g.permissions, m.owner) ORDER BY m.child_index, m.id)
          FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent WHERE m.child = e.id) AS groups,
       (SELECT array_agg(g.id) FROM experimentergroup g WHERE g.permissions & 4 <> 0 AND g.id > 2) AS world_groups,
       {_RESTRICTIONS.format(user="e.id")} AS restrictions,
       (SELECT jsonb_build_array(g.id, g.name, g.permissions, false) FROM experimentergroup g WHERE g.id = {_GROUP})
       AS chosen_group,
       s.sudoer AS sudoer_id, o.omename AS sudoer,
       (SELECT jsonb_agg(jsonb_build_array(m.parent, '', 0, m.owner)) FROM groupexperimentermap m
         WHERE m.child = s.sudoer) AS sudoer_groups,
       CASE WHEN s.sudoer IS NOT NULL THEN {_RESTRICTIONS.format(user="s.sudoer")} END AS sudoer_restrictions
  FROM session s JOIN experimenter e ON e.id = s.owner LEFT JOIN experimenter o ON o.id = s.sudoer
 WHERE s.closed IS NULL AND s.uuid = %(key)s
"""  # noqa: S608 - pieces of this module
LIST = f"""
SELECT s.id, e.omename, o.omename AS sudoer, s.useragent, s.userip, s.started, s.timetoidle,
       {_LAST_USED} AS last_used,
       coalesce(
         (SELECT g.name FROM experimentergroup g WHERE g.id = {_GROUP}),
         (SELECT g.name FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent
           WHERE m.child = e.id ORDER BY (g.id = 1), m.child_index, m.id LIMIT 1)) AS groupname
  FROM session s JOIN experimenter e ON e.id = s.owner LEFT JOIN experimenter o ON o.id = s.sudoer
 WHERE s.closed IS NULL AND s.id > 0 AND (%(everybody)s OR s.owner = %(user_id)s)
 ORDER BY s.id
"""  # noqa: S608 - pieces of this module
INSERT = """
INSERT INTO session (id, permissions, version, uuid, node, owner, sudoer, started, timetoidle, timetolive,
                     useragent, userip, defaulteventtype, message)
VALUES (%(id)s, -120, 0, %(key)s, %(node)s, %(owner)s, %(sudoer)s, %(started)s, %(idle)s, %(live)s,
        %(agent)s, %(ip)s, 'User', %(message)s)
"""
USED = """
UPDATE session s SET message = concat_ws('; ', substring(s.message FROM '^group [0-9]+'), 'last used ' || %s)
 WHERE id = %s AND closed IS NULL
"""
SWITCH = """
UPDATE session SET message = concat_ws('; ', 'group ' || %(group)s::bigint, substring(message FROM 'last used .*$'))
 WHERE id = %(id)s AND closed IS NULL
"""
LIMIT = "UPDATE session SET timetoidle = %(idle)s WHERE id = %(id)s AND closed IS NULL"
CLOSE = "UPDATE session SET closed = timezone('UTC', now()) WHERE id = %(id)s AND closed IS NULL"
CLOSE_OF = """
UPDATE session SET closed = timezone('UTC', now())
 WHERE id = %(id)s AND id > 0 AND closed IS NULL AND (%(everybody)s OR owner = %(user)s OR sudoer = %(user)s)
"""
CLOSE_EXPIRED = f"""
UPDATE session s SET closed = timezone('UTC', now())
 WHERE closed IS NULL AND id > 0 AND NOT id = ANY(%(in_use)s) AND (
       (timetolive > 0 AND started + timetolive * interval '1 millisecond' < timezone('UTC', now()))
    OR (timetoidle > 0 AND (timetoidle + %(grace)s) * interval '1 millisecond' < timezone('UTC', now())
        - greatest(started, {_LAST_USED})))
"""  # noqa: S608 - pieces of this module
PERSON = f"""
SELECT e.omename,
       (SELECT jsonb_agg(jsonb_build_array(g.id, g.name, g.permissions, m.owner) ORDER BY m.child_index, m.id)
          FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent WHERE m.child = e.id) AS groups,
       {_RESTRICTIONS.format(user="e.id")} AS restrictions
  FROM experimenter e WHERE e.id = %(id)s
"""  # noqa: S608 - pieces of this module
GROUP = """
SELECT id, name, permissions FROM experimentergroup WHERE id = %(id)s OR (%(id)s IS NULL AND name = %(name)s)
"""
COUNT = "SELECT count(*) AS number FROM session WHERE closed IS NULL AND id > 0"
