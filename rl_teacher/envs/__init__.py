"""Where behaviour happens: the nine tasks, any other Gymnasium environment, the learner's copies and the stage."""
