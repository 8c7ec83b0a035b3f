"""The HTTP side: one route table, one boundary around every request, pages and the JSON interface."""
