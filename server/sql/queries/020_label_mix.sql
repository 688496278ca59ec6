-- Labels and their shares
SELECT label, count(*) AS predictions, round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM predictions
GROUP BY label
ORDER BY predictions DESC
