"""Agents that learn to please a RewardFn. They never import reward, teachers, queries or feedback."""
