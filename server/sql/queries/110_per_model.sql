-- Models and versions, with what each has answered
SELECT concat_ws(' ', model_name, model_version) AS model, count(*) AS predictions,
       min(predicted_at) AS first, max(predicted_at) AS last
FROM predictions
GROUP BY model
ORDER BY last DESC
