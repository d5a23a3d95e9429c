"""The record: tables, sessions, migrations and one module of SQL a noun. The only package that speaks SQL."""
