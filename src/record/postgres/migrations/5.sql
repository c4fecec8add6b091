-- A long file is a piece that is divided into pieces that are ranges of its articles. Its state is
-- `divided` once it has all of them, and `done` when they are.
ALTER TABLE piece
  ADD most     BIGINT,             -- a long file: how many articles are in a range; NULL: any other piece
  ADD again    BOOLEAN NOT NULL DEFAULT false, -- whether the next run must read the files again
  ADD size     BIGINT,             -- a long file's stamp when it was listed
  ADD modified BIGINT,
  ADD inode    BIGINT,
  ADD settings_hash BIGINT,        -- divided: hash of the settings that shaped its rows; range: the same, or 0 like `file`
  ADD part_of  BIGINT,             -- a range: the piece of its file
  ADD first    BIGINT,             -- how many articles come before it
  ADD articles BIGINT,             -- how many it has; NULL: all up to the end
  ADD byte     BIGINT,             -- where it starts: in the file, or at a member if the file is compressed
  ADD unpacked BIGINT,             -- how many unpacked bytes come before that
  ADD skip     BIGINT,             -- how many unpacked bytes to skip from there
  ADD line     BIGINT,             -- how many lines come before it
  ADD uses     BYTEA,              -- keys that its articles share with earlier ones: hash and number of uses, 8 and 4 bytes each
  ADD done     BIGINT,             -- its rows, by status; NULL until it is done
  ADD skipped  BIGINT,
  ADD failed   BIGINT;
CREATE UNIQUE INDEX piece_range ON piece (part_of, first) WHERE part_of IS NOT NULL;
CREATE INDEX piece_long ON piece (run, names) WHERE most IS NOT NULL;
CREATE INDEX piece_open ON piece (run, number) WHERE state = 'open' AND most IS NULL;
CREATE INDEX piece_open_long ON piece (run, number) WHERE state = 'open' AND most IS NOT NULL;
