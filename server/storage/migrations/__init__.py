"""Steps from an empty database to the tables, in order."""
