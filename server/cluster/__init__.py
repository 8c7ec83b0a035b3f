"""Several servers with one database: what they tell each other, and the media they share."""
