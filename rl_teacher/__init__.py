"""RL-Teacher: an agent learns what a person wants from comparisons of short clips."""

__version__ = "0.1.0"
