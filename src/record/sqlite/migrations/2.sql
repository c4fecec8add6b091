ALTER TABLE row ADD COLUMN text_fr TEXT NOT NULL DEFAULT '';   -- the whole article, where the config keeps it
ALTER TABLE row ADD COLUMN text_en TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN section TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN copy_of TEXT NOT NULL DEFAULT '';   -- the source whose article this one repeats
ALTER TABLE row ADD COLUMN findings TEXT NOT NULL DEFAULT '';  -- JSON: what the checks found
ALTER TABLE row ADD COLUMN sketch BLOB NOT NULL DEFAULT x'';   -- what copies of it are known by
ALTER TABLE row ADD COLUMN calls BLOB NOT NULL DEFAULT x'';    -- the keys of the calls that made it, 32 bytes each
ALTER TABLE call ADD COLUMN run INTEGER NOT NULL DEFAULT 0;    -- the run that made it; 0: before version 2
ALTER TABLE row ADD COLUMN file INTEGER;                       -- the file it was read from; NULL: that is not known, or not so any more
ALTER TABLE row ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;  -- 1: it is in the table
UPDATE row SET listed = 1 WHERE run >= coalesce((SELECT max(number) FROM run WHERE ended_at IS NOT NULL), 0);
DROP INDEX row_run;
CREATE INDEX row_listed ON row (source) WHERE listed = 1;
CREATE INDEX row_file ON row (file);
CREATE INDEX row_fingerprint ON row (fingerprint);
CREATE INDEX row_flags ON row (flags) WHERE listed = 1 AND flags <> '';
CREATE INDEX row_failed ON row (status, source, error) WHERE listed = 1 AND status IN ('failed', 'skipped');
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
CREATE INDEX call_spent ON call (made_at, endpoint, cost);
CREATE TABLE intent (             -- a call that is about to be sent; goes when its answer is kept, or when it surely cost nothing
  run        INTEGER NOT NULL,
  key        BLOB NOT NULL,
  endpoint   TEXT NOT NULL,
  task       TEXT NOT NULL,
  characters INTEGER NOT NULL,
  cost       REAL,                -- as estimated; NULL: the price is unknown
  made_at    TEXT NOT NULL,
  outcome    TEXT NOT NULL DEFAULT '', -- empty: in flight; 'lost': no answer came; 'unusable': one that was none; 'killed': with its run
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
ALTER TABLE run ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN process INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN found INTEGER;
ALTER TABLE run ADD COLUMN done INTEGER;
ALTER TABLE run ADD COLUMN earlier INTEGER;                    -- of these, made by an earlier run
ALTER TABLE run ADD COLUMN skipped INTEGER;
ALTER TABLE run ADD COLUMN failed INTEGER;
ALTER TABLE run ADD COLUMN pending INTEGER;
ALTER TABLE run ADD COLUMN flagged INTEGER;
ALTER TABLE run ADD COLUMN calls INTEGER;
ALTER TABLE run ADD COLUMN paid INTEGER;                       -- answers of services that are not free
ALTER TABLE run ADD COLUMN repeated INTEGER;
ALTER TABLE run ADD COLUMN maybe_billed INTEGER;
ALTER TABLE run ADD COLUMN remembered INTEGER;
ALTER TABLE run ADD COLUMN cost REAL;
ALTER TABLE run ADD COLUMN seconds REAL;
