"""Measures the media plane: rates and percentages, which are not tests."""
