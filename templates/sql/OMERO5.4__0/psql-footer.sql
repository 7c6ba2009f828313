--
-- Ids: a sequence for each table, handed out by ome_nextval.
--

CREATE SEQUENCE _lock_seq;
CREATE TABLE _lock_ids (
    id integer PRIMARY KEY DEFAULT nextval('_lock_seq'),
    name varchar(255) NOT NULL UNIQUE
);
ALTER SEQUENCE _lock_seq OWNED BY _lock_ids.id;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.table_name FROM information_schema.tables t JOIN information_schema.columns c
         USING (table_schema, table_name)
         WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
           AND t.table_name NOT LIKE '\_%%' AND c.column_name = 'id'
         ORDER BY t.table_name
    LOOP
        EXECUTE format('CREATE SEQUENCE %%I', 'seq_' || item.table_name);
        INSERT INTO _lock_ids (name) VALUES ('seq_' || item.table_name);
    END LOOP;
END;
$$;

-- The last of so many consecutive ids. The lock keeps others out of the run; it is held for the call only.
CREATE FUNCTION ome_nextval(seq varchar, increment integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lock_id integer;
    last_id bigint;
BEGIN
    SELECT id INTO STRICT lock_id FROM _lock_ids WHERE name = seq;
    PERFORM pg_advisory_lock(1, lock_id);
    BEGIN
        PERFORM nextval(seq) FROM generate_series(1, increment);
        last_id := currval(seq);
    EXCEPTION WHEN OTHERS THEN
        PERFORM pg_advisory_unlock(1, lock_id);
        RAISE;
    END;
    PERFORM pg_advisory_unlock(1, lock_id);
    RETURN last_id;
END;
$$;

CREATE FUNCTION ome_nextval(seq varchar) RETURNS bigint LANGUAGE sql AS $$
    SELECT ome_nextval(seq, 1);
$$;

-- Upgrade scripts don't give the rows that they add an id.
ALTER TABLE dbpatch ALTER id SET DEFAULT ome_nextval('seq_dbpatch');

--
-- What must stay as it is
--

CREATE FUNCTION _keep_names() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    roles _roles%%ROWTYPE;
BEGIN
    SELECT * INTO roles FROM _roles;
    IF TG_TABLE_NAME = 'experimenter' THEN
        IF OLD.id IN (roles.root_user_id, roles.guest_user_id) AND OLD.omename <> NEW.omename THEN
            RAISE EXCEPTION 'user %% cannot be renamed', OLD.omename;
        END IF;
    ELSIF OLD.id IN (roles.system_group_id, roles.user_group_id, roles.guest_group_id) AND OLD.name <> NEW.name THEN
        RAISE EXCEPTION 'group %% cannot be renamed', OLD.name;
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER _keep_names BEFORE UPDATE ON experimenter FOR EACH ROW EXECUTE PROCEDURE _keep_names();
CREATE TRIGGER _keep_names BEFORE UPDATE ON experimentergroup FOR EACH ROW EXECUTE PROCEDURE _keep_names();

CREATE FUNCTION _keep_directories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.mimetype IN ('Directory', 'Repository') AND NEW.mimetype IS DISTINCT FROM OLD.mimetype THEN
            RAISE EXCEPTION 'the mimetype of the %% originalfile %% cannot be changed', OLD.mimetype, OLD.id;
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.mimetype = 'Directory' AND EXISTS (
        SELECT 1 FROM originalfile WHERE repo = OLD.repo AND path = OLD.path || OLD.name || '/'
    ) THEN
        RAISE EXCEPTION 'the directory %% (originalfile %%) is not empty', OLD.path || OLD.name, OLD.id;
    END IF;
    RETURN OLD;
END;
$$;

CREATE TRIGGER _keep_directories BEFORE UPDATE OR DELETE ON originalfile
    FOR EACH ROW EXECUTE PROCEDURE _keep_directories();

CREATE FUNCTION dbpatch_versions_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.currentversion <> NEW.previousversion OR NEW.currentpatch <> NEW.previouspatch) AND EXISTS (
        SELECT 1 FROM dbpatch
         WHERE currentversion = NEW.currentversion AND currentpatch = NEW.currentpatch AND id <> NEW.id
    ) THEN
        RAISE EXCEPTION 'upgrades cannot be repeated';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER dbpatch_versions_trigger BEFORE INSERT OR UPDATE ON dbpatch
    FOR EACH ROW EXECUTE PROCEDURE dbpatch_versions_check();

--
-- Indexes
--

CREATE INDEX i_eventlog_event ON eventlog (event);
CREATE INDEX i_eventlog_entitytype_id ON eventlog (entitytype, id);
CREATE INDEX i_eventlog_entityid ON eventlog (entityid);
CREATE INDEX i_event_session ON event (session);
CREATE INDEX i_event_experimenter ON event (experimenter);
CREATE INDEX i_event_experimentergroup ON event (experimentergroup);
CREATE INDEX i_event_containingevent ON event (containingevent);
CREATE INDEX i_session_owner ON session (owner);
CREATE INDEX i_session_node ON session (node);
CREATE INDEX i_session_open ON session (id) WHERE closed IS NULL;
CREATE INDEX node_down ON node (down);
CREATE INDEX i_groupexperimentermap_child ON groupexperimentermap (child);

CREATE UNIQUE INDEX originalfile_repo_path_index ON originalfile (repo, path, name) WHERE repo IS NOT NULL;
CREATE INDEX i_originalfile_owner ON originalfile (owner_id);
CREATE INDEX i_originalfile_group ON originalfile (group_id);
CREATE INDEX i_originalfile_mimetype ON originalfile (mimetype);
CREATE INDEX i_originalfile_hash ON originalfile (hash);
CREATE INDEX i_filesetentry_originalfile ON filesetentry (originalfile);
CREATE INDEX i_filesetjoblink_child ON filesetjoblink (child);
CREATE INDEX i_joboriginalfilelink_child ON joboriginalfilelink (child);
CREATE INDEX i_job_status ON job (status, id);

CREATE INDEX i_image_fileset ON image (fileset);
CREATE INDEX i_image_name ON image (name);
CREATE INDEX i_image_owner ON image (owner_id);
CREATE INDEX i_image_group ON image (group_id);
CREATE INDEX i_fileset_owner ON fileset (owner_id);
CREATE INDEX i_fileset_group ON fileset (group_id);
CREATE INDEX i_channel_logicalchannel ON channel (logicalchannel);
CREATE INDEX i_channel_statsinfo ON channel (statsinfo);
CREATE INDEX i_pixelsoriginalfilemap_child ON pixelsoriginalfilemap (child);
CREATE INDEX i_thumbnail_pixels ON thumbnail (pixels, owner_id);
CREATE INDEX pixels_repo_index ON pixels (repo) WHERE repo IS NOT NULL;

CREATE INDEX i_projectdatasetlink_child ON projectdatasetlink (child);
CREATE INDEX i_datasetimagelink_child ON datasetimagelink (child);
CREATE INDEX i_annotation_discriminator_ns ON annotation (discriminator, ns);
CREATE INDEX i_annotation_file ON annotation (file);
CREATE INDEX i_imageannotationlink_child ON imageannotationlink (child);
CREATE INDEX i_datasetannotationlink_child ON datasetannotationlink (child);
CREATE INDEX i_projectannotationlink_child ON projectannotationlink (child);
CREATE INDEX i_filesetannotationlink_child ON filesetannotationlink (child);
CREATE INDEX i_originalfileannotationlink_child ON originalfileannotationlink (child);
CREATE INDEX i_screenplatelink_child ON screenplatelink (child);
CREATE INDEX i_screenannotationlink_child ON screenannotationlink (child);
CREATE INDEX i_plateannotationlink_child ON plateannotationlink (child);
CREATE INDEX i_roiannotationlink_child ON roiannotationlink (child);
CREATE INDEX i_annotationannotationlink_child ON annotationannotationlink (child);
CREATE INDEX i_roi_image ON roi (image);
CREATE INDEX i_roi_source ON roi (source);
CREATE INDEX i_pixels_relatedto ON pixels (relatedto);

CREATE INDEX _fs_deletelog_event ON _fs_deletelog (event_id);
CREATE INDEX _fs_deletelog_file ON _fs_deletelog (file_id);
CREATE INDEX _fs_deletelog_path ON _fs_deletelog (path);
CREATE INDEX _reindexing_required_row_index ON _reindexing_required (event_id, entity_type, entity_id);

--
-- First rows. Ids that OMERO fixes are 0, 1, 2; sequences go on behind them.
--

INSERT INTO dbpatch (id, currentversion, currentpatch, previousversion, previouspatch, message)
     VALUES (ome_nextval('seq_dbpatch'), '@DBVERSION@', @DBPATCH@, '@DBVERSION@', @DBPATCH@, 'Initializing.');

INSERT INTO experimenter (id, permissions, version, omename, firstname, lastname)
     VALUES (0, -52, 0, 'root', 'root', 'root'),
            (ome_nextval('seq_experimenter'), -52, 0, 'guest', 'Guest', 'Account');

INSERT INTO experimentergroup (id, permissions, version, name)
     VALUES (0, -52, 0, 'system'),
            (ome_nextval('seq_experimentergroup'), -52, 0, 'user'),
            (ome_nextval('seq_experimentergroup'), -120, 0, 'guest');

INSERT INTO _roles VALUES (0, 1, 0, 1, 2, 'root', 'guest', 'system', 'user', 'guest');

INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)
     VALUES (0, -52, 0, 0, 0, 0, true),
            (ome_nextval('seq_groupexperimentermap'), -52, 0, 1, 0, 1, false),
            (ome_nextval('seq_groupexperimentermap'), -52, 0, 2, 1, 0, false);

INSERT INTO password (experimenter_id, hash, changed) VALUES (0, '@ROOTPASS@', clock_timestamp());
INSERT INTO password (experimenter_id, hash, changed) VALUES (1, '', clock_timestamp());

INSERT INTO eventtype (id, permissions, value)
     SELECT CASE position WHEN 1 THEN 0 ELSE ome_nextval('seq_eventtype') END, -52, value
       FROM unnest(ARRAY['Bootstrap', 'Import', 'Internal', 'Shoola', 'User', 'Test', 'Processing', 'FullText',
                         'Sessions', 'PixelData']) WITH ORDINALITY AS names (value, position)
      ORDER BY position;

-- What happened before there was a server: node, session and event 0.
INSERT INTO node (id, permissions, version, uuid, conn, up, down)
     VALUES (0, -52, 0, '000000000000000000000000000000000000', 'unknown', clock_timestamp(), clock_timestamp());
INSERT INTO session (id, permissions, version, uuid, node, owner, started, closed, timetoidle, timetolive,
                     defaulteventtype)
     VALUES (0, -52, 0, '000000000000000000000000000000000000', 0, 0, clock_timestamp(), clock_timestamp(), 0, 0,
             'BOOTSTRAP');
INSERT INTO event (id, permissions, time, status, type, experimenter, experimentergroup, session)
     VALUES (0, -52, clock_timestamp(), 'BOOTSTRAP', 0, 0, 0, 0);

INSERT INTO checksumalgorithm (id, permissions, value)
     SELECT ome_nextval('seq_checksumalgorithm'), -52, value
       FROM unnest(ARRAY['Adler-32', 'CRC-32', 'File-Size-64', 'MD5-128', 'Murmur3-32', 'Murmur3-128', 'SHA1-160'])
            AS names (value);

INSERT INTO jobstatus (id, permissions, value)
     SELECT ome_nextval('seq_jobstatus'), -52, value
       FROM unnest(ARRAY['Submitted', 'Resubmitted', 'Queued', 'Requeued', 'Running', 'Error', 'Waiting', 'Finished',
                         'Cancelled']) AS names (value);

INSERT INTO pixelstype (id, permissions, value, bitsize)
     SELECT ome_nextval('seq_pixelstype'), -52, value, bitsize
       FROM (VALUES ('bit', 1), ('int8', 8), ('int16', 16), ('int32', 32), ('uint8', 8), ('uint16', 16),
                    ('uint32', 32), ('float', 32), ('double', 64), ('complex', 64), ('double-complex', 128))
            AS types (value, bitsize);

INSERT INTO dimensionorder (id, permissions, value)
     SELECT ome_nextval('seq_dimensionorder'), -52, value
       FROM unnest(ARRAY['XYZCT', 'XYZTC', 'XYCTZ', 'XYCZT', 'XYTCZ', 'XYTZC']) AS names (value);

INSERT INTO format (id, permissions, value)
     SELECT ome_nextval('seq_format'), -52, value
       FROM unnest(ARRAY['OMETiff', 'Tiff', 'JPEG', 'APNG', 'Fake', 'Unknown']) AS names (value);

INSERT INTO adminprivilege (id, permissions, value)
     SELECT ome_nextval('seq_adminprivilege'), -52, value
       FROM unnest(ARRAY['Chgrp', 'Chown', 'DeleteFile', 'DeleteManagedRepo', 'DeleteOwned', 'DeleteScriptRepo',
                         'ModifyGroup', 'ModifyGroupMembership', 'ModifyUser', 'ReadSession', 'Sudo', 'WriteFile',
                         'WriteManagedRepo', 'WriteOwned', 'WriteScriptRepo']) AS names (value);

-- The identity of this database: repository markers on disk carry it too.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 130000 THEN
        INSERT INTO configuration (name, value) VALUES ('omero.db.uuid', gen_random_uuid()::text);
    ELSE
        INSERT INTO configuration (name, value)
             VALUES ('omero.db.uuid', md5(random()::text || clock_timestamp()::text || pg_backend_pid())::uuid::text);
    END IF;
END;
$$;

UPDATE dbpatch SET message = 'Database ready.', finished = clock_timestamp()
 WHERE currentversion = '@DBVERSION@' AND currentpatch = @DBPATCH@
   AND previousversion = '@DBVERSION@' AND previouspatch = @DBPATCH@;

COMMIT;
