CREATE VIEW city AS
SELECT * FROM (VALUES (0, 'Bern'), (1, 'Oslo'), (2, 'Riga')) AS t(id, name);

CREATE VIEW visit AS
SELECT value % 3 AS city_id, value % 100 AS paid FROM generate_series(1, 300000);

SELECT name, count(*) AS visits, sum(paid) AS paid
FROM visit JOIN city ON city_id = id
GROUP BY name ORDER BY name;
