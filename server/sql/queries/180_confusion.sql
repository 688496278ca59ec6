-- What was taken for what
SELECT concat(truth, ' taken for ', label) AS pair, count(*) AS predictions, truth, label,
       round(count(*) / sum(count(*)) OVER (PARTITION BY truth), 4) AS share_of_truth
FROM judged
WHERE is_correct IS NOT NULL
GROUP BY truth, label
ORDER BY truth = label, predictions DESC
