"""Fields, modules, records, filters, queries, plans, the journal and the Store contract: pure values."""
