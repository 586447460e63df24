-- as it is
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL;
-- [N'1 N'1]

-- first page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL
) q ORDER BY q."modified", q."po_id" LIMIT 501;
-- [N'1 N'1]

-- next page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL
) q WHERE q."modified" >= ? AND (q."modified" > ? OR (q."modified" = ? AND q."po_id" > ?)) ORDER BY q."modified", q."po_id" LIMIT 501;
-- [N'1 N'1 2026-03-29 02:30:00.5 2026-03-29 02:30:00.5 2026-03-29 02:30:00.5 7]

-- three keys
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL
) q WHERE q."a" >= ? AND (q."a" > ? OR (q."a" = ? AND (q."b" > ? OR (q."b" = ? AND q."c" > ?)))) ORDER BY q."a", q."b", q."c" LIMIT 2;
-- [N'1 N'1 1 1 1 x x 1]

-- one key
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL
) q WHERE q."po_id" > ? ORDER BY q."po_id" LIMIT 2;
-- [N'1 N'1 7]

-- filters
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = ? OR ? IS NULL
) q WHERE (q."status" IN (?, ?) OR q."status" IS NULL) AND q."modified" > ? AND q."modified" <= ? AND (q."vendor" IS NULL) AND (1 = 0);
-- [N'1 N'1 1 2 2026-03-29 02:30:00.5 2026-03-29 02:30:01]

