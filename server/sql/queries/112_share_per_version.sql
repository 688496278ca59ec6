-- The share of each label by model and version, with its 95 % interval (Wilson)
WITH counted AS (
    SELECT label, concat_ws(' ', model_name, model_version) AS model, count(*) AS predictions,
           sum(count(*)) OVER (PARTITION BY model_name, model_version) AS n,
           count(*) / n AS p, 1.96 * 1.96 AS z2
    FROM predictions
    GROUP BY label, model_name, model_version
),
bounded AS (
    SELECT *, (p + z2 / (2 * n)) / (1 + z2 / n) AS middle,
           1.96 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) AS half
    FROM counted
)
SELECT label, model, predictions, round(p, 4) AS share,
       round(greatest(0, middle - half), 4) AS low, round(least(1, middle + half), 4) AS high
FROM bounded
ORDER BY label, model
