-- Run before an update of a running database (docker's "update" and "bin/db prepare" do); safe to run again.
--
-- 19.0.2.0.0 comes to stand on "sale". Its installation asks for the chart of accounts of every company while ours
-- is not loaded yet, and stops: for that time the companies are said to have none; the update gives it back.
UPDATE res_company
   SET chart_template = NULL
 WHERE chart_template = 'fr_health'
   AND NOT EXISTS (SELECT FROM ir_module_module WHERE name = 'sale' AND state = 'installed');
