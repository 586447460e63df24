-- as it is
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL;
-- [N'1]

-- first page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL
) q ORDER BY q."modified", q."po_id" LIMIT 501;
-- [N'1]

-- next page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL
) q WHERE q."modified" >= $2 AND (q."modified" > $3 OR (q."modified" = $4 AND q."po_id" > $5)) ORDER BY q."modified", q."po_id" LIMIT 501;
-- [N'1 2026-03-29 02:30:00.5 +0000 UTC 2026-03-29 02:30:00.5 +0000 UTC 2026-03-29 02:30:00.5 +0000 UTC 7]

-- three keys
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL
) q WHERE q."a" >= $2 AND (q."a" > $3 OR (q."a" = $4 AND (q."b" > $5 OR (q."b" = $6 AND q."c" > $7)))) ORDER BY q."a", q."b", q."c" LIMIT 2;
-- [N'1 1 1 1 x x true]

-- one key
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL
) q WHERE q."po_id" > $2 ORDER BY q."po_id" LIMIT 2;
-- [N'1 7]

-- filters
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = $1 OR $1 IS NULL
) q WHERE (q."status" IN ($2, $3) OR q."status" IS NULL) AND q."modified" > $4 AND q."modified" <= $5 AND (q."vendor" IS NULL) AND (1 = 0);
-- [N'1 1 2 2026-03-29 02:30:00.5 +0000 UTC 2026-03-29 02:30:01 +0000 UTC]

