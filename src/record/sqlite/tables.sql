-- The tables of a new ledger. The migrations lead older ledgers to the same tables; a test compares the two.
CREATE TABLE call (               -- a call to an endpoint: claimed before it is sent, answered when its reply is kept
  key          BLOB PRIMARY KEY,  -- BLAKE3 hash of everything that shapes the answer
  state        TEXT NOT NULL,     -- claimed, answered
  run          INTEGER NOT NULL,  -- the run that made it; 0: before version 2
  endpoint     TEXT NOT NULL,     -- its name when the call was made
  task         TEXT NOT NULL,     -- summarise, translate, digest
  characters   INTEGER NOT NULL,  -- of the user's text in the request
  cost         REAL,              -- answered: of the call; claimed: of one attempt, at most; NULL: the price is unknown
  made_at      TEXT NOT NULL,     -- UTC
  attempts     INTEGER NOT NULL DEFAULT 0, -- claimed: attempts that may have been billed
  dialect      TEXT,              -- these are NULL until the call is answered
  model        TEXT,
  reply        TEXT,              -- JSON
  tokens_in    INTEGER,
  tokens_out   INTEGER,
  milliseconds INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX call_spent ON call (made_at, endpoint, cost);
CREATE INDEX call_claimed ON call (run) WHERE state = 'claimed';
CREATE TABLE row (
  source TEXT PRIMARY KEY,
  fingerprint BLOB,               -- of the article and the settings that made it; NULL: it failed
  run INTEGER NOT NULL,           -- the last run that found it
  id TEXT NOT NULL, title_fr TEXT NOT NULL, title_en TEXT NOT NULL, summary_fr TEXT NOT NULL, summary_en TEXT NOT NULL,
  language TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, flags TEXT NOT NULL, error TEXT NOT NULL,
  words INTEGER NOT NULL, summary_endpoint TEXT NOT NULL, translation_endpoint TEXT NOT NULL, cost REAL, processed_at TEXT NOT NULL,
  text_fr TEXT NOT NULL DEFAULT '', -- the whole article, if the config keeps it
  text_en TEXT NOT NULL DEFAULT '',
  author TEXT NOT NULL DEFAULT '',
  section TEXT NOT NULL DEFAULT '',
  copy_of TEXT NOT NULL DEFAULT '', -- the source whose article this one repeats
  findings TEXT NOT NULL DEFAULT '', -- JSON: what the checks found
  signature BLOB NOT NULL DEFAULT x'', -- of its text, to find near-duplicates
  calls BLOB NOT NULL DEFAULT x'', -- the keys of the calls that made it, 32 bytes each
  file INTEGER,                   -- the file it was read from; NULL: unknown, or no longer in a file
  in_table INTEGER NOT NULL DEFAULT 0 -- 1: it is in the table
) STRICT;
CREATE INDEX row_in_table ON row (source) WHERE in_table = 1;
CREATE INDEX row_file ON row (file);
CREATE INDEX row_fingerprint ON row (fingerprint);
CREATE INDEX row_flags ON row (flags) WHERE in_table = 1 AND flags <> '';
CREATE INDEX row_failed ON row (status, source, error) WHERE in_table = 1 AND status IN ('failed', 'skipped');
CREATE TABLE run (
  number INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, exit INTEGER,
  version TEXT NOT NULL DEFAULT '',
  process INTEGER NOT NULL DEFAULT 0,
  found INTEGER,
  done INTEGER,
  earlier INTEGER,                -- of the done ones, made by an earlier run
  skipped INTEGER,
  failed INTEGER,
  pending INTEGER,
  flagged INTEGER,
  requests INTEGER,               -- HTTP requests
  paid INTEGER,                   -- answers of services that are not free
  retried INTEGER,                -- requests that repeated a failed one
  maybe_billed INTEGER,
  cached INTEGER,                 -- replies that the ledger had
  cost REAL,
  seconds REAL,
  estimated INTEGER               -- of the paid answers, those whose usage was not reported
) STRICT;
CREATE TABLE file (               -- a file of the input; an unchanged one is not opened again
  folder   BLOB NOT NULL,         -- its path, relative to the config folder if it is below it
  name     BLOB NOT NULL,
  number   INTEGER NOT NULL UNIQUE,
  size     INTEGER NOT NULL DEFAULT 0,
  modified INTEGER NOT NULL DEFAULT 0, -- nanoseconds since 1970
  inode    INTEGER NOT NULL DEFAULT 0,
  settings_hash INTEGER NOT NULL DEFAULT 0, -- hash of the settings that shaped its rows; 0: the next run reads it again
  in_table INTEGER NOT NULL,      -- 1: its rows are in the table
  run      INTEGER NOT NULL,      -- the last run that opened it
  done     INTEGER NOT NULL DEFAULT 0, -- its rows, by status
  skipped  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE output (             -- the files of the output folder as they were written
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL, settings_hash INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE waste (              -- attempts at a call that may have been billed without a usable answer
  run        INTEGER NOT NULL,
  key        BLOB NOT NULL,
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters INTEGER NOT NULL,
  cost       REAL,                -- of one attempt: as counted, or else at most; NULL: the price is unknown
  made_at    TEXT NOT NULL,
  outcome    TEXT NOT NULL DEFAULT '', -- lost: no answer came; unusable: the answer could not be used; killed: in flight when its run was killed
  attempts   INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE batch (              -- calls that a service answers together within a day, at a lower price
  number       INTEGER PRIMARY KEY,
  state        TEXT NOT NULL,     -- intended: its lines are assigned to it; uploaded: it may have been created; sent: the service has it;
                                  -- collected; dissolved: its lines are free again
  run          INTEGER NOT NULL,  -- the run that made it
  endpoint     TEXT NOT NULL,     -- its name when the batch was made
  url          TEXT NOT NULL,     -- the endpoint's
  tag          TEXT NOT NULL,     -- by which we recognise the batch in the service's list
  file         TEXT,              -- the service's id of the file with its lines
  id           TEXT,              -- the service's id of the batch
  lines        INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,  -- of the file
  tokens       INTEGER NOT NULL,  -- of the prompts, at most
  cost         REAL,              -- at most; NULL: the price is unknown
  made_at      TEXT NOT NULL,     -- UTC
  sent_at      TEXT,
  cancelled_at TEXT,              -- when its cancellation was requested
  ended_at     TEXT,
  expires_at   TEXT,
  said         TEXT NOT NULL DEFAULT '', -- the service's word for its state
  completed    INTEGER,           -- lines, as the service counts them
  failed       INTEGER,
  total        INTEGER
) STRICT;
CREATE TABLE line (               -- a call for a batch
  key        BLOB PRIMARY KEY,    -- as in `call`
  batch      INTEGER,             -- NULL: in none
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters INTEGER NOT NULL,
  request    TEXT NOT NULL,       -- JSON; needed to read the answer
  tries      INTEGER NOT NULL DEFAULT 0, -- batches that gave no usable answer
  longer     INTEGER NOT NULL DEFAULT 0, -- 1: an answer was cut, the next one may be twice as long
  code       TEXT NOT NULL DEFAULT '', -- why the service refused it for good; empty: it did not
  message    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX line_batch ON line (batch);
CREATE TABLE ledger (id TEXT NOT NULL) STRICT; -- the ledger's name in its batches
INSERT INTO ledger VALUES (lower(hex(randomblob(4))));
