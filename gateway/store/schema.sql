-- The record of one or more organisations (tenant = OIN) in portable SQL: only
-- BLOB is called BYTEA elsewhere. Times are milliseconds since 1970. No table
-- has a check constraint: what is wrong is for the auditor to find and to name.
CREATE TABLE version (
    version BIGINT NOT NULL PRIMARY KEY
);

-- One row per entry of the log. hashes: those that this record adds to the tree.
CREATE TABLE entries (
    tenant  TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    id      TEXT   NOT NULL,
    leaf    BLOB   NOT NULL,
    opening BLOB   NOT NULL,
    hashes  BLOB   NOT NULL,
    PRIMARY KEY (tenant, n)
);

-- The signed head of each log.
CREATE TABLE head (
    tenant     TEXT   NOT NULL PRIMARY KEY,
    size       BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL
);

-- Signed documents, from the entry that put them to the one that ended them.
CREATE TABLE documents (
    tenant   TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    status   TEXT   NOT NULL,
    body     BLOB   NOT NULL,
    openings BLOB   NOT NULL,
    subject  BLOB   NOT NULL,
    purpose  TEXT   NOT NULL,
    party_a  TEXT   NOT NULL,
    party_b  TEXT   NOT NULL,
    entered  BIGINT NOT NULL,
    ended    BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX documents_by_subject ON documents (tenant, subject, purpose, entered)
    WHERE kind = 'CONSENT';
CREATE INDEX documents_by_parties ON documents (tenant, party_a, party_b, entered)
    WHERE kind = 'AGREEMENT';
