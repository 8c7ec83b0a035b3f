"""Pages, their scripts and their translations; knows nothing of storage, sign-in or media."""
