"""The API and the record: HTTP, the database, the figures."""
