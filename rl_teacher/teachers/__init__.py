"""Who answers: a script that knows the task's reward, or people."""
