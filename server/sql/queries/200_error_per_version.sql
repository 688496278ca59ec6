-- How far values were off, by model and version
SELECT concat_ws(' ', model_name, model_version) AS model, avg(abs(error)) AS mae,
       sqrt(avg(error * error)) AS rmse, avg(error) AS bias, count(*) AS judged
FROM judged
WHERE error IS NOT NULL
GROUP BY model
ORDER BY max(predicted_at) DESC
