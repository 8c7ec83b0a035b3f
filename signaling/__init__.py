"""The domain of Meridian: what a consult is, who may do what, and who sees what."""
