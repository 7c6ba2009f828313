--
-- Tables with OMERO's names for tables and columns.
--
-- Times are UTC. Permissions are a bit mask of OMERO's kind: for user, group and world four bits each
-- (unused, read 4, write 2, annotate 1), and all higher bits set:
--   rw---- -120    rwr--- -56    rwra-- -40    rwrw-- -8    rwr-r- -52 (rows that everybody may read)
--

-- Columns of every row that belongs to somebody. Tables take them with LIKE; this table is dropped below.
CREATE TABLE _details (
    permissions bigint NOT NULL,
    version integer,
    creation_id bigint NOT NULL,
    external_id bigint UNIQUE,
    group_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    update_id bigint NOT NULL
);

--
-- Users, sessions, events
--

CREATE TABLE externalinfo (
    id bigint PRIMARY KEY,
    entityid bigint NOT NULL,
    entitytype varchar(255) NOT NULL,
    lsid varchar(255),
    uuid varchar(255),
    permissions bigint NOT NULL,
    creation_id bigint NOT NULL,
    group_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE experimenter (
    id bigint PRIMARY KEY,
    omename varchar(255) NOT NULL UNIQUE,
    firstname varchar(255) NOT NULL,
    middlename varchar(255),
    lastname varchar(255) NOT NULL,
    email varchar(255),
    institution varchar(255),
    ldap boolean NOT NULL DEFAULT false,
    permissions bigint NOT NULL,
    version integer,
    external_id bigint UNIQUE
);

CREATE TABLE experimenter_config (
    experimenter_id bigint NOT NULL REFERENCES experimenter,
    name text NOT NULL,
    value text NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (experimenter_id, index)
);

CREATE TABLE experimentergroup (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    description text,
    ldap boolean NOT NULL DEFAULT false,
    permissions bigint NOT NULL,
    version integer,
    external_id bigint UNIQUE
);

CREATE TABLE experimentergroup_config (
    experimentergroup_id bigint NOT NULL REFERENCES experimentergroup,
    name text NOT NULL,
    value text NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (experimentergroup_id, index)
);

CREATE TABLE groupexperimentermap (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES experimentergroup,
    child bigint NOT NULL REFERENCES experimenter,
    child_index integer NOT NULL,
    owner boolean NOT NULL,
    permissions bigint NOT NULL,
    version integer,
    external_id bigint UNIQUE,
    UNIQUE (parent, child)
);

CREATE TABLE password (
    experimenter_id bigint PRIMARY KEY REFERENCES experimenter,
    hash varchar(255),
    dn text,
    changed timestamp without time zone
);

CREATE TABLE adminprivilege (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE node (
    id bigint PRIMARY KEY,
    uuid varchar(255) NOT NULL UNIQUE,
    conn text NOT NULL,
    up timestamp without time zone NOT NULL,
    down timestamp without time zone,
    scale integer,
    permissions bigint NOT NULL,
    version integer,
    external_id bigint UNIQUE
);

CREATE TABLE session (
    id bigint PRIMARY KEY,
    uuid varchar(255) NOT NULL UNIQUE,
    node bigint NOT NULL REFERENCES node,
    owner bigint NOT NULL REFERENCES experimenter,
    sudoer bigint REFERENCES experimenter,
    started timestamp without time zone NOT NULL,
    closed timestamp without time zone,
    timetoidle bigint NOT NULL,
    timetolive bigint NOT NULL,
    useragent varchar(255),
    userip varchar(255),
    defaulteventtype varchar(255) NOT NULL,
    message text,
    permissions bigint NOT NULL,
    version integer,
    external_id bigint UNIQUE
);

CREATE TABLE eventtype (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE event (
    id bigint PRIMARY KEY,
    time timestamp without time zone NOT NULL,
    status varchar(255),
    type bigint NOT NULL REFERENCES eventtype,
    experimenter bigint NOT NULL REFERENCES experimenter,
    experimentergroup bigint NOT NULL REFERENCES experimentergroup,
    session bigint NOT NULL REFERENCES session,
    containingevent bigint REFERENCES event,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE eventlog (
    id bigint PRIMARY KEY,
    action varchar(255) NOT NULL,
    entitytype varchar(255) NOT NULL,
    entityid bigint NOT NULL,
    event bigint NOT NULL REFERENCES event,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

--
-- Files
--

CREATE TABLE checksumalgorithm (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE originalfile (
    id bigint PRIMARY KEY,
    path text NOT NULL,
    name varchar(255) NOT NULL,
    repo varchar(36),
    hash varchar(255),
    hasher bigint REFERENCES checksumalgorithm,
    size bigint,
    mimetype varchar(255) DEFAULT 'application/octet-stream',
    atime timestamp without time zone,
    ctime timestamp without time zone,
    mtime timestamp without time zone,
    params text[2][],
    LIKE _details
);

CREATE TABLE fileset (
    id bigint PRIMARY KEY,
    templateprefix text NOT NULL,
    LIKE _details
);

CREATE TABLE filesetentry (
    id bigint PRIMARY KEY,
    fileset bigint NOT NULL REFERENCES fileset,
    fileset_index integer NOT NULL,
    originalfile bigint NOT NULL REFERENCES originalfile,
    clientpath text NOT NULL,
    LIKE _details,
    UNIQUE (fileset, fileset_index)
);

--
-- Jobs
--

CREATE TABLE jobstatus (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE job (
    id bigint PRIMARY KEY,
    type varchar(255) NOT NULL,
    status bigint NOT NULL REFERENCES jobstatus,
    username varchar(255) NOT NULL,
    groupname varchar(255) NOT NULL,
    submitted timestamp without time zone NOT NULL,
    scheduledfor timestamp without time zone NOT NULL,
    started timestamp without time zone,
    finished timestamp without time zone,
    message text NOT NULL,
    LIKE _details
);

CREATE TABLE uploadjob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE uploadjob_versioninfo (
    uploadjob_id bigint NOT NULL REFERENCES uploadjob,
    name text NOT NULL,
    value text NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (uploadjob_id, index)
);
CREATE TABLE metadataimportjob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE metadataimportjob_versioninfo (
    metadataimportjob_id bigint NOT NULL REFERENCES metadataimportjob,
    name text NOT NULL,
    value text NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (metadataimportjob_id, index)
);
CREATE TABLE pixeldatajob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE thumbnailgenerationjob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE integritycheckjob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE indexingjob (job_id bigint PRIMARY KEY REFERENCES job);
CREATE TABLE importjob (
    job_id bigint PRIMARY KEY REFERENCES job,
    imagename varchar(255) NOT NULL,
    imagedescription varchar(255) NOT NULL
);
CREATE TABLE parsejob (job_id bigint PRIMARY KEY REFERENCES job, params bytea);
CREATE TABLE scriptjob (job_id bigint PRIMARY KEY REFERENCES job, description varchar(255));

CREATE TABLE filesetjoblink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES fileset,
    parent_index integer NOT NULL,
    child bigint NOT NULL REFERENCES job,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE joboriginalfilelink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES job,
    child bigint NOT NULL REFERENCES originalfile,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

--
-- Images
--

CREATE TABLE format (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE image (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    acquisitiondate timestamp without time zone,
    archived boolean,
    partial boolean,
    series nonnegative_int NOT NULL,
    fileset bigint REFERENCES fileset,
    format bigint REFERENCES format,
    LIKE _details
);

CREATE TABLE pixelstype (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    bitsize positive_int,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE dimensionorder (
    id bigint PRIMARY KEY,
    value varchar(255) NOT NULL UNIQUE,
    permissions bigint NOT NULL,
    external_id bigint UNIQUE
);

CREATE TABLE pixels (
    id bigint PRIMARY KEY,
    image bigint NOT NULL REFERENCES image,
    image_index integer NOT NULL,
    sizex positive_int NOT NULL,
    sizey positive_int NOT NULL,
    sizez positive_int NOT NULL,
    sizec positive_int NOT NULL,
    sizet positive_int NOT NULL,
    pixelstype bigint NOT NULL REFERENCES pixelstype,
    dimensionorder bigint NOT NULL REFERENCES dimensionorder,
    significantbits positive_int,
    physicalsizex positive_float,
    physicalsizexunit unitslength,
    physicalsizey positive_float,
    physicalsizeyunit unitslength,
    physicalsizez positive_float,
    physicalsizezunit unitslength,
    timeincrement double precision,
    timeincrementunit unitstime,
    waveincrement integer,
    wavestart integer,
    methodology varchar(255),
    relatedto bigint REFERENCES pixels,
    sha1 varchar(255) NOT NULL,
    path text,
    name text,
    repo varchar(36),
    params text[2][],
    LIKE _details,
    UNIQUE (image, image_index),
    CONSTRAINT physicalsizex_unitpair CHECK ((physicalsizex IS NULL) = (physicalsizexunit IS NULL)),
    CONSTRAINT physicalsizey_unitpair CHECK ((physicalsizey IS NULL) = (physicalsizeyunit IS NULL)),
    CONSTRAINT physicalsizez_unitpair CHECK ((physicalsizez IS NULL) = (physicalsizezunit IS NULL)),
    CONSTRAINT timeincrement_unitpair CHECK ((timeincrement IS NULL) = (timeincrementunit IS NULL))
);

CREATE TABLE statsinfo (
    id bigint PRIMARY KEY,
    globalmin double precision NOT NULL,
    globalmax double precision NOT NULL,
    LIKE _details
);

CREATE TABLE logicalchannel (
    id bigint PRIMARY KEY,
    name varchar(255),
    fluor varchar(255),
    emissionwave positive_float,
    emissionwaveunit unitslength,
    excitationwave positive_float,
    excitationwaveunit unitslength,
    ndfilter percent_fraction,
    pinholesize double precision,
    pinholesizeunit unitslength,
    pockelcellsetting integer,
    samplesperpixel positive_int,
    LIKE _details,
    CONSTRAINT emissionwave_unitpair CHECK ((emissionwave IS NULL) = (emissionwaveunit IS NULL)),
    CONSTRAINT excitationwave_unitpair CHECK ((excitationwave IS NULL) = (excitationwaveunit IS NULL)),
    CONSTRAINT pinholesize_unitpair CHECK ((pinholesize IS NULL) = (pinholesizeunit IS NULL))
);

CREATE TABLE channel (
    id bigint PRIMARY KEY,
    pixels bigint NOT NULL REFERENCES pixels,
    pixels_index integer NOT NULL,
    logicalchannel bigint NOT NULL REFERENCES logicalchannel,
    statsinfo bigint REFERENCES statsinfo,
    red integer,
    green integer,
    blue integer,
    alpha integer,
    lookuptable varchar(255),
    LIKE _details,
    UNIQUE (pixels, pixels_index)
);

CREATE TABLE pixelsoriginalfilemap (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES originalfile,
    child bigint NOT NULL REFERENCES pixels,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE thumbnail (
    id bigint PRIMARY KEY,
    pixels bigint NOT NULL REFERENCES pixels,
    sizex integer NOT NULL,
    sizey integer NOT NULL,
    mimetype varchar(255) NOT NULL,
    ref varchar(255),
    LIKE _details
);

--
-- Containers and annotations
--

CREATE TABLE project (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    LIKE _details
);

CREATE TABLE dataset (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    LIKE _details
);

CREATE TABLE screen (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    type varchar(255),
    protocolidentifier varchar(255),
    protocoldescription varchar(255),
    reagentsetidentifier varchar(255),
    reagentsetdescription varchar(255),
    LIKE _details
);

CREATE TABLE plate (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    status varchar(255),
    externalidentifier varchar(255),
    "rows" integer,
    columns integer,
    LIKE _details
);

CREATE TABLE roi (
    id bigint PRIMARY KEY,
    name varchar(255),
    description text,
    image bigint REFERENCES image,
    source bigint REFERENCES originalfile,
    LIKE _details
);

CREATE TABLE projectdatasetlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES project,
    child bigint NOT NULL REFERENCES dataset,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE datasetimagelink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES dataset,
    child bigint NOT NULL REFERENCES image,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE screenplatelink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES screen,
    child bigint NOT NULL REFERENCES plate,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE annotation (
    id bigint PRIMARY KEY,
    discriminator varchar(31) NOT NULL,
    name varchar(255),
    ns varchar(255),
    description text,
    textvalue text,
    termvalue text,
    boolvalue boolean,
    doublevalue double precision,
    longvalue bigint,
    timevalue timestamp without time zone,
    file bigint REFERENCES originalfile,
    LIKE _details
);

CREATE TABLE annotation_mapvalue (
    annotation_id bigint NOT NULL REFERENCES annotation,
    name text NOT NULL,
    value text NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (annotation_id, index)
);

CREATE TABLE imageannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES image,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE datasetannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES dataset,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE projectannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES project,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE filesetannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES fileset,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE originalfileannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES originalfile,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE screenannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES screen,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE plateannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES plate,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE roiannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES roi,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

CREATE TABLE annotationannotationlink (
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES annotation,
    child bigint NOT NULL REFERENCES annotation,
    LIKE _details,
    UNIQUE (parent, child, owner_id)
);

DROP TABLE _details;

--
-- The server's own bookkeeping
--

CREATE TABLE configuration (
    name varchar(255) PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE dbpatch (
    id bigint PRIMARY KEY,
    currentversion varchar(255) NOT NULL,
    currentpatch integer NOT NULL,
    previousversion varchar(255) NOT NULL,
    previouspatch integer NOT NULL,
    finished timestamp without time zone,
    message varchar(255),
    permissions bigint NOT NULL DEFAULT -52,
    external_id bigint UNIQUE
);

CREATE TABLE _fs_deletelog (
    event_id bigint NOT NULL,
    file_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    group_id bigint NOT NULL,
    path text NOT NULL,
    name varchar(255) NOT NULL,
    repo varchar(36) NOT NULL,
    params text[2][]
);

CREATE TABLE _reindexing_required (
    event_id bigint NOT NULL REFERENCES event,
    entity_type text NOT NULL,
    entity_id bigint NOT NULL
);

CREATE TABLE _roles (
    root_user_id bigint NOT NULL REFERENCES experimenter,
    guest_user_id bigint NOT NULL REFERENCES experimenter,
    system_group_id bigint NOT NULL REFERENCES experimentergroup,
    user_group_id bigint NOT NULL REFERENCES experimentergroup,
    guest_group_id bigint NOT NULL REFERENCES experimentergroup,
    root_user_name varchar(255) NOT NULL,
    guest_user_name varchar(255) NOT NULL,
    system_group_name varchar(255) NOT NULL,
    user_group_name varchar(255) NOT NULL,
    guest_group_name varchar(255) NOT NULL
);
CREATE UNIQUE INDEX _roles_one_row ON _roles ((true));

-- Whoever owns, made and last changed a row exists. These references run in circles, so they come last.
DO $$
DECLARE
    item record;
    targets CONSTANT jsonb := '{"owner_id": "experimenter", "group_id": "experimentergroup",
                                "creation_id": "event", "update_id": "event", "external_id": "externalinfo"}';
BEGIN
    FOR item IN
        SELECT t.table_name, c.column_name, targets ->> c.column_name AS target
          FROM information_schema.tables t
          JOIN information_schema.columns c USING (table_schema, table_name)
         WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
           AND t.table_name NOT LIKE '\_%' AND jsonb_exists(targets, c.column_name)
         ORDER BY t.table_name, c.column_name
    LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I',
            item.table_name, 'fk' || item.table_name || '_' || item.column_name || '_' || item.target,
            item.column_name, item.target);
        IF item.column_name = 'external_id' THEN
            EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I (external_id)',
                item.table_name || '_external_id_key', item.table_name);
        END IF;
    END LOOP;
END;
$$;
