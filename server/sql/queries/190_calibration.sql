-- Reliability: what was said and what was so, by class and probability
SELECT class, round(avg(p), 4) AS predicted, round(avg((class = truth)::INTEGER), 4) AS observed,
       count(*) AS predictions
FROM (
    SELECT truth, pair.key AS class, pair.value AS p
    FROM (
        SELECT truth,
               unnest(map_entries(CAST(to_json(probabilities) AS MAP(VARCHAR, DOUBLE)))) AS pair
        FROM judged
        WHERE is_correct IS NOT NULL
    )
)
WHERE p IS NOT NULL
GROUP BY class, least(floor(p * 10), 9)
ORDER BY class, predicted
