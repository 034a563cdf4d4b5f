-- Users for the benchmark of the dashboards: a third of those who are in the events, in ten countries.
insert into users (id, fio, country)
select
    number * 3 + 1 as id,
    concat('User ', toString(id)) as fio,
    ['DE', 'FR', 'IT', 'ES', 'PL', 'US', 'GB', 'SE', 'NL', 'CZ'][number % 10 + 1] as country
from numbers({users:UInt64})
