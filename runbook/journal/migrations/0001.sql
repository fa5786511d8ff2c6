CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `side` is neither hashed nor exported: it holds what must be kept but not shown, such as signed URLs.
CREATE TABLE entry (
    seq   INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    node  TEXT,
    state TEXT,
    data  TEXT NOT NULL,
    hash  TEXT NOT NULL,
    side  TEXT
) STRICT;

CREATE INDEX entry_of_node ON entry (node, seq) WHERE node IS NOT NULL;

CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN
    SELECT RAISE(ABORT, 'entries are never altered');
END;

CREATE TRIGGER entry_remains BEFORE DELETE ON entry BEGIN
    SELECT RAISE(ABORT, 'entries are never removed');
END;

-- Who drove, in order. The largest epoch may append; nobody else.
CREATE TABLE driver (
    epoch    INTEGER PRIMARY KEY,
    host     TEXT NOT NULL,
    pid      INTEGER NOT NULL,
    account  TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    reason   TEXT NOT NULL
) STRICT;

-- The fold at some entry, so that a long journal opens at once. Derived: it may be dropped at any time.
CREATE TABLE snapshot (
    seq  INTEGER PRIMARY KEY,
    form TEXT NOT NULL,
    hash TEXT NOT NULL,
    view TEXT NOT NULL
) STRICT;
