--
-- Database of an OMERO server, made %(TIME)s
-- by %(SCRIPT)s from %(DIR)s.
--
-- Load it once into an empty database with the encoding UTF8, as the role that the server uses:
--
--   psql -h HOST -U USER --set ON_ERROR_STOP=1 -f SCRIPT DATABASE
--
-- It is one transaction: it loads whole or not at all.
--

BEGIN;

SET LOCAL client_encoding = 'UTF8';
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

DO $$
BEGIN
    IF current_setting('server_version_num')::integer < 90300 THEN
        RAISE EXCEPTION 'PostgreSQL %% is too old: OMERO needs 9.3 or newer', current_setting('server_version');
    END IF;
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database has the encoding %%: OMERO needs UTF8', current_setting('server_encoding');
    END IF;
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'dbpatch') THEN
        RAISE EXCEPTION 'the database %% already holds an OMERO schema', current_database();
    END IF;
END;
$$;

CREATE DOMAIN nonnegative_int AS integer CHECK (VALUE >= 0);
CREATE DOMAIN nonnegative_float AS double precision CHECK (VALUE >= 0);
CREATE DOMAIN positive_int AS integer CHECK (VALUE > 0);
CREATE DOMAIN positive_float AS double precision CHECK (VALUE > 0);
CREATE DOMAIN percent_fraction AS double precision CHECK (VALUE BETWEEN 0 AND 1);

CREATE TYPE unitslength AS ENUM (
    'Ym', 'Zm', 'Em', 'Pm', 'Tm', 'Gm', 'Mm', 'km', 'hm', 'dam', 'm', 'dm', 'cm', 'mm', 'µm', 'nm', 'pm', 'fm',
    'am', 'zm', 'ym', 'Å', 'thou', 'li', 'in', 'ft', 'yd', 'mi', 'ua', 'ly', 'pc', 'pt', 'pixel', 'reference frame'
);
CREATE TYPE unitstime AS ENUM (
    'Ys', 'Zs', 'Es', 'Ps', 'Ts', 'Gs', 'Ms', 'ks', 'hs', 'das', 's', 'ds', 'cs', 'ms', 'µs', 'ns', 'ps', 'fs',
    'as', 'zs', 'ys', 'min', 'h', 'd'
);
