-- Purpose: the migrations that are applied. One row per migration. Input: schema_migrations.
select
    name,
    argMin(checksum, applied_at) as checksum
from schema_migrations
group by name
order by name
