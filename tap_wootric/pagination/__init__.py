"""Decides which page to request next, so that a list that changes meanwhile is read completely."""
