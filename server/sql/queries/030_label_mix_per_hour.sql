-- Share of one label, hour by hour
SELECT date_trunc('hour', predicted_at) AS hour, round(avg((label = $label)::INTEGER), 4) AS share,
       count(*) AS predictions
FROM predictions
GROUP BY hour
ORDER BY hour
