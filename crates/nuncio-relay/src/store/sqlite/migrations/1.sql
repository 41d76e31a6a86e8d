-- Times are milliseconds since 1970.

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival; never given twice, since cursors hold it
    id BLOB NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    key TEXT, -- what makes it the same as another one of its origin
    headers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX event_key ON event (origin, key) WHERE key IS NOT NULL;
CREATE INDEX event_type ON event (type);

CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    disabled_at INTEGER,
    disabled_reason TEXT,
    failing_since INTEGER
) STRICT;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event INTEGER NOT NULL REFERENCES event,
    endpoint INTEGER NOT NULL REFERENCES endpoint,
    state INTEGER NOT NULL, -- 0 waiting, 1 parked, 2 delivered, 3 dead
    due INTEGER, -- while it waits: when it is tried, or taken over from a worker that is not heard of any more
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0, -- rises with each lease, and voids the one before
    order_key TEXT
) STRICT;
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_due ON delivery (endpoint, due, id) WHERE state = 0;
CREATE INDEX delivery_queue ON delivery (endpoint, order_key, id) WHERE state < 2 AND order_key IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (endpoint, id) WHERE state = 3;

CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    excerpt BLOB NOT NULL
) STRICT;
CREATE INDEX attempt_delivery ON attempt (delivery);

CREATE TABLE refused (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX refused_origin ON refused (origin);

CREATE TABLE document (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    from_file INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (revision INTEGER NOT NULL) STRICT;
INSERT INTO settings VALUES (0);
