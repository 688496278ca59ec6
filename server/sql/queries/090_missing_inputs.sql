-- Columns that are empty, and how often
SELECT column_name, round(null_percentage::DOUBLE, 2) AS percent_missing, column_type
FROM (SUMMARIZE predictions)
WHERE null_percentage > 0
ORDER BY percent_missing DESC
