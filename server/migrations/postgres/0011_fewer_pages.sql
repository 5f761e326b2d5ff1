-- Every write of an object changes this. So few intents are there at a time that those which have run out are
-- found without an index.
DROP INDEX intents_lease;
