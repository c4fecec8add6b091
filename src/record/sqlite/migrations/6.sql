-- Batches: calls that a service answers within a day, and the calls in them.
CREATE TABLE batch (
  number       INTEGER PRIMARY KEY,
  state        TEXT NOT NULL,
  run          INTEGER NOT NULL,
  endpoint     TEXT NOT NULL,
  url          TEXT NOT NULL,
  tag          TEXT NOT NULL,
  file         TEXT,
  id           TEXT,
  lines        INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  tokens       INTEGER NOT NULL,
  cost         REAL,
  made_at      TEXT NOT NULL,
  sent_at      TEXT,
  cancelled_at TEXT,
  ended_at     TEXT,
  expires_at   TEXT,
  said         TEXT NOT NULL DEFAULT '',
  completed    INTEGER,
  failed       INTEGER,
  total        INTEGER
) STRICT;
CREATE TABLE line (
  key        BLOB PRIMARY KEY,
  batch      INTEGER,
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters INTEGER NOT NULL,
  request    TEXT NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  longer     INTEGER NOT NULL DEFAULT 0,
  code       TEXT NOT NULL DEFAULT '',
  message    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX line_batch ON line (batch);
CREATE TABLE ledger (id TEXT NOT NULL) STRICT;
INSERT INTO ledger VALUES (lower(hex(randomblob(4))));
