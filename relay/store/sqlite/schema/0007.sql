-- How often all sign-ins to the dashboard with a key were ended: a sign-in holds while this is what it was then.

ALTER TABLE keys ADD COLUMN sign_outs INTEGER NOT NULL DEFAULT 0;
