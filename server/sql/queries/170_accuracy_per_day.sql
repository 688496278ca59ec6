-- How many labels were right, day by day
SELECT date_trunc('day', predicted_at) AS day, round(avg(is_correct::INTEGER), 4) AS accuracy,
       count(*) AS judged
FROM judged
WHERE is_correct IS NOT NULL
GROUP BY day
ORDER BY day
