-- Times are Unix seconds. Texts that people wrote are plain text, never HTML.

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY,
    ident TEXT NOT NULL UNIQUE,             -- what customers type as "ID"
    name TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE codes (                        -- verification codes; the code itself is stored nowhere
    id INTEGER PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisations,
    hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE INDEX codes_of ON codes (organisation) WHERE ended IS NULL;

CREATE TABLE installations (
    id INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    serial TEXT NOT NULL,
    customer TEXT NOT NULL,
    organisation INTEGER REFERENCES organisations,
    created INTEGER NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0,  -- the signer knows it
    draft TEXT,                             -- terms of the first licence, from an import
    installed INTEGER NOT NULL DEFAULT 0,   -- sequences as the agent told them
    waiting INTEGER NOT NULL DEFAULT 0,
    digest BLOB,
    keys_version INTEGER NOT NULL DEFAULT 0,
    product_version TEXT NOT NULL DEFAULT '',
    agent_version TEXT NOT NULL DEFAULT '',
    last_seen INTEGER,
    newest INTEGER NOT NULL DEFAULT 0,      -- the newest licence's sequence and time, kept with the licence
    issued INTEGER,
    UNIQUE (product, serial)
) STRICT;
CREATE INDEX installations_by_customer ON installations (customer COLLATE NOCASE, id);
CREATE INDEX installations_of ON installations (organisation, customer COLLATE NOCASE, id);
CREATE INDEX installations_late ON installations (issued) WHERE installed < newest;
CREATE INDEX installations_unregistered ON installations (id) WHERE registered = 0;

CREATE TABLE agent_keys (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    installation INTEGER NOT NULL REFERENCES installations,
    public BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'pending', 'declined', 'superseded', 'revoked', 'ended')),
    asked INTEGER NOT NULL,
    decided INTEGER,
    decided_by TEXT,
    instances TEXT NOT NULL DEFAULT '[]',   -- the last runs of the agent
    cloned INTEGER,
    chain TEXT,                             -- the journal's head
    head_n INTEGER,
    head_hash TEXT,
    history TEXT,                           -- what is wrong with the journal, or null
    UNIQUE (key, installation)
) STRICT;
CREATE INDEX agent_keys_of ON agent_keys (installation, state);
CREATE INDEX agent_keys_pending ON agent_keys (asked) WHERE state = 'pending';

CREATE TABLE licences (
    installation INTEGER NOT NULL REFERENCES installations,
    sequence INTEGER NOT NULL,
    file BLOB NOT NULL,
    digest BLOB NOT NULL,                   -- SHA-256 of the file
    recorded INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('issued', 'adopted', 'recovered')),
    actor TEXT NOT NULL,
    PRIMARY KEY (installation, sequence)
) STRICT;

CREATE TABLE issues (                       -- what the signer was asked and has not answered yet
    installation INTEGER NOT NULL REFERENCES installations,
    sequence INTEGER NOT NULL,
    payload BLOB NOT NULL,
    request TEXT,
    actor TEXT NOT NULL,
    asked INTEGER NOT NULL,
    PRIMARY KEY (installation)
) STRICT;

CREATE TABLE requests (                     -- a request id of the API names one issue for ever
    request TEXT PRIMARY KEY,
    asked_for BLOB NOT NULL,                -- SHA-256 of what was asked
    installation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    installation INTEGER,                   -- null: for all, or for all of the organisation
    organisation INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('licence', 'keys', 'enrolment', 'probe')),
    probe TEXT
) STRICT;
CREATE INDEX events_for ON events (installation, id);
CREATE INDEX events_for_many ON events (id) WHERE installation IS NULL;

CREATE TABLE journal_lines (
    installation INTEGER NOT NULL,
    chain TEXT NOT NULL,
    n INTEGER NOT NULL,
    line TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (installation, chain, n)
) STRICT;

CREATE TABLE key_lists (
    version INTEGER PRIMARY KEY,
    file BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE nonces (                       -- carried from one run of the server to the next
    key TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (key, nonce)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    display TEXT NOT NULL,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    organisation INTEGER REFERENCES organisations,
    totp BLOB,                              -- sealed; null: none
    totp_step INTEGER NOT NULL DEFAULT 0,   -- the last step whose code was used
    disabled INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    hash BLOB NOT NULL,
    used INTEGER,
    PRIMARY KEY (user, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,                  -- of the cookie
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    complete INTEGER NOT NULL,              -- 0: the second factor is still to come
    totp BLOB,                              -- one that is being set up, sealed
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of ON sessions (user);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    until INTEGER,
    used INTEGER,
    revoked INTEGER
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_about ON audit (subject, id);
