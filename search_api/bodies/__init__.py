"""What requests carry and answers hold, a module for each resource."""
