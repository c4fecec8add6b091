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
  made_at      TEXT NOT NULL      -- UTC
) STRICT, WITHOUT ROWID;
CREATE TABLE row (
  source TEXT PRIMARY KEY,
  fingerprint BLOB,               -- of the article and the settings it was made with; NULL: it failed
  run INTEGER NOT NULL,           -- the last run that found it
  id TEXT NOT NULL, title_fr TEXT NOT NULL, title_en TEXT NOT NULL, summary_fr TEXT NOT NULL, summary_en TEXT NOT NULL,
  language TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, flags TEXT NOT NULL, error TEXT NOT NULL,
  words INTEGER NOT NULL, summary_endpoint TEXT NOT NULL, translation_endpoint TEXT NOT NULL, cost REAL, processed_at TEXT NOT NULL
) STRICT;
CREATE INDEX row_run ON row (run, source);
CREATE TABLE run (
  number INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, exit INTEGER
) STRICT;
