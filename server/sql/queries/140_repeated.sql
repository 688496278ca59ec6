-- Objects asked for more than once, by the caller's id
SELECT id, count(*) AS times, count(DISTINCT label) AS different_labels,
       min(predicted_at) AS first, max(predicted_at) AS last
FROM predictions
WHERE id IS NOT NULL
GROUP BY id
HAVING count(*) > 1
ORDER BY times DESC
LIMIT 100
