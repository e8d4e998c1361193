"""The commands behind every figure in docs/results.md."""
