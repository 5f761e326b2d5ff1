-- The parts that an object came in, up to 10,000, apart from what lists read of it.
ALTER TABLE objects ADD COLUMN parts TEXT NOT NULL DEFAULT '';
