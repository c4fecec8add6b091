ALTER TABLE row ADD COLUMN text_fr TEXT NOT NULL DEFAULT '';   -- the whole article, where the config keeps it
ALTER TABLE row ADD COLUMN text_en TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN section TEXT NOT NULL DEFAULT '';
ALTER TABLE row ADD COLUMN copy_of TEXT NOT NULL DEFAULT '';   -- the source whose article this one repeats
ALTER TABLE row ADD COLUMN findings TEXT NOT NULL DEFAULT '';  -- JSON: what the checks found
ALTER TABLE row ADD COLUMN calls BLOB NOT NULL DEFAULT x'';    -- the keys of the calls that made it, 32 bytes each
ALTER TABLE call ADD COLUMN run INTEGER NOT NULL DEFAULT 0;    -- the run that made it; 0: before version 2
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
