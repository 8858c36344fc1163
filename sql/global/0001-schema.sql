-- sql/global/0001-schema.sql - the global database (filled in the next commit).
CREATE TABLE schema_placeholder ();
