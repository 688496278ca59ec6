-- Mean and spread of the answered value, hour by hour
SELECT date_trunc('hour', predicted_at) AS hour, avg(value) AS mean, stddev(value) AS sd,
       count(*) AS predictions
FROM predictions
GROUP BY hour
ORDER BY hour
