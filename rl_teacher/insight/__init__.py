"""What the agent and r̂ have learned, in figures and clips for people."""
