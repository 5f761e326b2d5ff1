-- Whether the client may know a write as done while its intent is still here, because a power cut undid
-- what came after it. 1 or 0.
ALTER TABLE intents ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
