-- Predictions per hour
SELECT date_trunc('hour', predicted_at) AS hour, count(*) AS predictions
FROM predictions
GROUP BY hour
ORDER BY hour
