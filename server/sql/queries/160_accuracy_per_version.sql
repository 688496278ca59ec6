-- How many labels were right, by model and version
SELECT concat_ws(' ', model_name, model_version) AS model, round(avg(is_correct::INTEGER), 4) AS accuracy,
       count(*) AS judged, min(predicted_at) AS first, max(predicted_at) AS last
FROM judged
WHERE is_correct IS NOT NULL
GROUP BY model
ORDER BY last DESC
