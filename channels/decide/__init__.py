"""Decisions as pure functions over plain values: no model, no query, no clock."""
