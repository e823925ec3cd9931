"""Reading and writing campaigns, their members, events and decisions."""
