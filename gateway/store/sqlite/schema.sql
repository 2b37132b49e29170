-- The record of one or more organisations (tenant = OIN) in portable SQL: only
-- BLOB is called BYTEA elsewhere. Times are milliseconds since 1970. No table
-- has a check constraint: what is wrong is for the auditor to find and to name.
-- Whatever changes here raises schemaVersion.
CREATE TABLE version (
    version BIGINT NOT NULL PRIMARY KEY
);

-- One row per transaction of the log: its entries from index n on, as Pack writes them.
-- A row for each entry costs two to three times the processor
-- (docs/decisions/0015-where-the-record-lives.md).
CREATE TABLE entries (
    tenant  TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    entries BLOB   NOT NULL,
    PRIMARY KEY (tenant, n)
);

-- The signed head of each log.
CREATE TABLE head (
    tenant     TEXT   NOT NULL PRIMARY KEY,
    size       BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL
);

-- The bytes of signed documents and of what opens them. Whether one counts is for the
-- log to tell; no column here is believed, and bytes that are not those the log tells
-- of are found when they are read again.
CREATE TABLE documents (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    body     BLOB NOT NULL,
    openings BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- The newest snapshot of the register after n entries. The entry of that index commits
-- to it, and nothing depends on it: without it a start reads all entries.
CREATE TABLE snapshots (
    tenant TEXT   NOT NULL,
    n      BIGINT NOT NULL,
    body   BLOB   NOT NULL,
    PRIMARY KEY (tenant, n)
);

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
