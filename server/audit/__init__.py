"""The audit log: who did or tried what, in a chain of hashes that nobody can rewrite unseen."""
