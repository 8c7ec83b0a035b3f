"""Recordings as the server keeps them: rows, rules, secrets, retention, storage. No media, no keys."""
