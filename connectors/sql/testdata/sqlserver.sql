-- as it is
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL;
-- [N'1]

-- first page
SELECT TOP (501) * FROM (
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL
) q ORDER BY q.[modified], q.[po_id];
-- [N'1]

-- next page
SELECT TOP (501) * FROM (
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL
) q WHERE q.[modified] >= @p2 AND (q.[modified] > @p3 OR (q.[modified] = @p4 AND q.[po_id] > @p5)) ORDER BY q.[modified], q.[po_id];
-- [N'1 2026-03-29T02:30:00.500000000 2026-03-29T02:30:00.500000000 2026-03-29T02:30:00.500000000 7]

-- three keys
SELECT TOP (2) * FROM (
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL
) q WHERE q.[a] >= @p2 AND (q.[a] > @p3 OR (q.[a] = @p4 AND (q.[b] > @p5 OR (q.[b] = @p6 AND q.[c] > @p7)))) ORDER BY q.[a], q.[b], q.[c];
-- [N'1 1 1 1 x x true]

-- one key
SELECT TOP (2) * FROM (
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL
) q WHERE q.[po_id] > @p2 ORDER BY q.[po_id];
-- [N'1 7]

-- filters
SELECT * FROM (
SELECT po_id, modified FROM po WHERE site = @p1 OR @p1 IS NULL
) q WHERE (q.[status] IN (@p2, @p3) OR q.[status] IS NULL) AND q.[modified] > @p4 AND q.[modified] <= @p5 AND (q.[vendor] IS NULL) AND (1 = 0);
-- [N'1 1 2 2026-03-29T02:30:00.500000000 2026-03-29T02:30:01]

