-- How far the calls of a delivery are, as JSON; nothing where none were made.
ALTER TABLE delivery ADD COLUMN progress TEXT;
-- The call of a service at which it ended.
ALTER TABLE attempt ADD COLUMN step TEXT;
