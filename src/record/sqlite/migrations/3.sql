ALTER TABLE intent ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1; -- requests of this call that may have been billed; cost is that of one
ALTER TABLE run ADD COLUMN estimated INTEGER;                   -- of the paid answers, those without a count of what they used up
