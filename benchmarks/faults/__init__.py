"""Harnesses that break things on purpose and count what was lost; docs/reliability.md has their figures."""
