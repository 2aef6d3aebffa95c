-- The tables of the delivery store, version 1. SQLite and PostgreSQL differ in the words in braces.
CREATE TABLE birdie_store (version INTEGER NOT NULL);

CREATE TABLE birdie_streams (
    account TEXT,
    stream TEXT,
    completed_at TEXT,
    counts TEXT,
    newest_posted_at TEXT,
    PRIMARY KEY (account, stream)
);

CREATE TABLE birdie_records (
    account BIGINT,
    record_type TEXT,
    id TEXT,
    stream TEXT,
    fingerprint {bytes},
    rejected_fingerprint {bytes},
    reason TEXT,
    message TEXT,
    attempts INTEGER,
    first_at TEXT,
    last_at TEXT,
    record {bytes},
    columns {bytes},
    PRIMARY KEY (account, record_type, id)
) {option};

CREATE INDEX birdie_rejected_records ON birdie_records (account) WHERE reason <> '';

INSERT INTO birdie_store VALUES (1)
