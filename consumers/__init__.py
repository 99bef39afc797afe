"""What reads the log: the owner's loop and its deciders. A host holds no logic."""
