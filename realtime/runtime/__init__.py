"""Threads, memory, stage times, reports and the console."""
