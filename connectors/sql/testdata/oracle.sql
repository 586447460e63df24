-- as it is
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL;
-- [N'1 N'1]

-- first page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL
) q ORDER BY q."MODIFIED", q."PO_ID" FETCH FIRST 501 ROWS ONLY;
-- [N'1 N'1]

-- next page
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL
) q WHERE q."MODIFIED" >= :3 AND (q."MODIFIED" > :4 OR (q."MODIFIED" = :5 AND q."PO_ID" > :6)) ORDER BY q."MODIFIED", q."PO_ID" FETCH FIRST 501 ROWS ONLY;
-- [N'1 N'1 {500000000 63910348200 <nil>} {500000000 63910348200 <nil>} {500000000 63910348200 <nil>} 7]

-- three keys
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL
) q WHERE q."A" >= :3 AND (q."A" > :4 OR (q."A" = :5 AND (q."B" > :6 OR (q."B" = :7 AND q."C" > :8)))) ORDER BY q."A", q."B", q."C" FETCH FIRST 2 ROWS ONLY;
-- [N'1 N'1 1 1 1 x x 1]

-- one key
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL
) q WHERE q."PO_ID" > :3 ORDER BY q."PO_ID" FETCH FIRST 2 ROWS ONLY;
-- [N'1 N'1 7]

-- filters
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = :1 OR :2 IS NULL
) q WHERE (q."STATUS" IN (:3, :4) OR q."STATUS" IS NULL) AND q."MODIFIED" > :5 AND q."MODIFIED" <= CAST(:6 AS DATE) AND (q."VENDOR" IS NULL) AND (1 = 0);
-- [N'1 N'1 1 2 {500000000 63910348200 <nil>} {0 63910348201 <nil>}]

