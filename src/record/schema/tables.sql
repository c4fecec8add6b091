-- The tables of a new ledger, as the steps beside this file lead older ones to them. A test holds the two to the same.
CREATE TABLE call (
  key          BLOB PRIMARY KEY,  -- BLAKE3 of everything that shapes the answer
  task         TEXT NOT NULL,     -- summarise, translate, digest
  endpoint     TEXT NOT NULL,     -- its name when the call was made
  dialect      TEXT NOT NULL,
  model        TEXT,
  reply        TEXT NOT NULL,     -- JSON
  tokens_in    INTEGER,
  tokens_out   INTEGER,
  characters   INTEGER NOT NULL,  -- of the user's text in the request
  cost         REAL,              -- NULL: the price is unknown
  milliseconds INTEGER NOT NULL,
  made_at      TEXT NOT NULL,     -- UTC
  run          INTEGER NOT NULL DEFAULT 0 -- the run that made it; 0: before version 2
) STRICT, WITHOUT ROWID;
CREATE INDEX call_spent ON call (made_at, endpoint, cost);
CREATE TABLE row (
  source TEXT PRIMARY KEY,
  fingerprint BLOB,               -- of the article and the settings it was made with; NULL: it failed
  run INTEGER NOT NULL,           -- the last run that found it
  id TEXT NOT NULL, title_fr TEXT NOT NULL, title_en TEXT NOT NULL, summary_fr TEXT NOT NULL, summary_en TEXT NOT NULL,
  language TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, flags TEXT NOT NULL, error TEXT NOT NULL,
  words INTEGER NOT NULL, summary_endpoint TEXT NOT NULL, translation_endpoint TEXT NOT NULL, cost REAL, processed_at TEXT NOT NULL,
  text_fr TEXT NOT NULL DEFAULT '', -- the whole article, where the config keeps it
  text_en TEXT NOT NULL DEFAULT '',
  author TEXT NOT NULL DEFAULT '',
  section TEXT NOT NULL DEFAULT '',
  copy_of TEXT NOT NULL DEFAULT '', -- the source whose article this one repeats
  findings TEXT NOT NULL DEFAULT '', -- JSON: what the checks found
  signature BLOB NOT NULL DEFAULT x'', -- what copies of it are known by
  calls BLOB NOT NULL DEFAULT x'', -- the keys of the calls that made it, 32 bytes each
  file INTEGER,                   -- the file it was read from; NULL: that is not known, or not so any more
  listed INTEGER NOT NULL DEFAULT 0 -- 1: it is in the table
) STRICT;
CREATE INDEX row_listed ON row (source) WHERE listed = 1;
CREATE INDEX row_file ON row (file);
CREATE INDEX row_fingerprint ON row (fingerprint);
CREATE INDEX row_flags ON row (flags) WHERE listed = 1 AND flags <> '';
CREATE INDEX row_failed ON row (status, source, error) WHERE listed = 1 AND status IN ('failed', 'skipped');
CREATE TABLE run (
  number INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, exit INTEGER,
  version TEXT NOT NULL DEFAULT '',
  process INTEGER NOT NULL DEFAULT 0,
  found INTEGER,
  done INTEGER,
  earlier INTEGER,                -- of these, made by an earlier run
  skipped INTEGER,
  failed INTEGER,
  pending INTEGER,
  flagged INTEGER,
  calls INTEGER,
  paid INTEGER,                   -- answers of services that are not free
  repeated INTEGER,
  maybe_billed INTEGER,
  remembered INTEGER,
  cost REAL,
  seconds REAL,
  estimated INTEGER               -- of the paid answers, those without a count of what they used up
) STRICT;
CREATE TABLE file (               -- what stood in the input; an unchanged file is not opened again
  folder   BLOB NOT NULL,         -- its path, relative to the config's folder where it lies below it
  name     BLOB NOT NULL,
  number   INTEGER NOT NULL UNIQUE,
  size     INTEGER NOT NULL DEFAULT 0,
  modified INTEGER NOT NULL DEFAULT 0, -- nanoseconds since 1970
  inode    INTEGER NOT NULL DEFAULT 0,
  settings INTEGER NOT NULL DEFAULT 0, -- hash of the settings that shaped its rows; 0: it has to be read again
  listed   INTEGER NOT NULL,      -- 1: its rows are in the table
  run      INTEGER NOT NULL,      -- the last run that opened it
  done     INTEGER NOT NULL DEFAULT 0, -- its rows, by status
  skipped  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE output (             -- the files that were written from the rows as they are
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL, made_with INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE intent (             -- a call that is about to be sent; goes when its answer is kept, or when it surely cost nothing
  run        INTEGER NOT NULL,
  key        BLOB NOT NULL,
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters INTEGER NOT NULL,
  cost       REAL,                -- as estimated; NULL: the price is unknown
  made_at    TEXT NOT NULL,
  outcome    TEXT NOT NULL DEFAULT '', -- empty: in flight; 'lost': no answer came; 'unusable': one that was none; 'killed': with its run
  attempts   INTEGER NOT NULL DEFAULT 1, -- requests of this call that may have been billed; cost is that of one
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
