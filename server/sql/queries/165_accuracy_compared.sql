-- Two versions against each other: accuracy, and its difference with the 95 % interval (Newcombe)
WITH versions AS (
    SELECT concat_ws(' ', model_name, model_version) AS model, count(*) AS n,
           avg(is_correct::INTEGER) AS p, max(predicted_at) AS last
    FROM judged
    WHERE is_correct IS NOT NULL
    GROUP BY model
),
bounded AS (
    SELECT *, 1.96 * 1.96 AS z2,
           (p + z2 / (2 * n)) / (1 + z2 / n) AS middle,
           1.96 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) AS half
    FROM versions
),
wilson AS (
    SELECT model, n, p, last, greatest(0, middle - half) AS low, least(1, middle + half) AS high
    FROM bounded
)
SELECT b.model, a.model AS than, b.n AS judged, round(b.p, 4) AS accuracy, a.n AS judged_before,
       round(a.p, 4) AS accuracy_before, round(b.p - a.p, 4) AS difference,
       round(b.p - a.p - sqrt((b.p - b.low) ** 2 + (a.high - a.p) ** 2), 4) AS low,
       round(b.p - a.p + sqrt((b.high - b.p) ** 2 + (a.p - a.low) ** 2), 4) AS high
FROM wilson b
JOIN wilson a ON a.last < b.last OR (a.last = b.last AND a.model < b.model)
ORDER BY b.last DESC, a.last DESC
