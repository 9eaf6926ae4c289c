"""Decisions. Functions of their arguments: no clock, no socket, no file, no log."""
