-- The record of one or more organisations (tenant = OIN) in portable SQL: only
-- BLOB is called BYTEA elsewhere. Times are milliseconds since 1970. No table
-- has a check constraint: what is wrong is for the auditor to find and to name.
-- Whatever changes here raises schemaVersion.
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

-- Signed documents, from the entry that put them to the one that ended them; since
-- and until are the times of these entries, until is 0 when there is none.
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
    since    BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX documents_by_subject ON documents (tenant, subject, purpose, entered)
    WHERE kind = 'CONSENT';
CREATE INDEX documents_by_parties ON documents (tenant, kind, party_a, party_b, entered);
CREATE INDEX documents_by_kind ON documents (tenant, kind, entered);

-- Idempotency keys, so that a retry is known as one: key and body are HMACs of 32
-- bytes and name nobody. This table is no part of the log: audit verify does not
-- vouch for it, and the log believes no row of it without reading the entry.
CREATE TABLE once (
    tenant  TEXT   NOT NULL,
    key     BLOB   NOT NULL,
    body    BLOB   NOT NULL,
    ref     TEXT   NOT NULL,
    entry   BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE INDEX once_by_expiry ON once (tenant, expires);
