-- Share of predictions with a warning, hour by hour
SELECT date_trunc('hour', predicted_at) AS hour, round(avg((len(warnings) > 0)::INTEGER), 4) AS share,
       count(*) AS predictions
FROM predictions
GROUP BY hour
ORDER BY hour
