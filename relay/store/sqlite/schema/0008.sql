-- What people call the system of a connection. Of those from before, its id is all that is known.

ALTER TABLE connections ADD COLUMN system_name TEXT NOT NULL DEFAULT '';
UPDATE connections SET system_name = system;
