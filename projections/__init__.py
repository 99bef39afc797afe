"""The store that owns the DuckDB file, and the projections: one `.sql` file each, in `projections/sql`."""
