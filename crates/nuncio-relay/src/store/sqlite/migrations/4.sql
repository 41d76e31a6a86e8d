CREATE TABLE schedule (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL, -- rises with each step: who read an older one has no say
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
