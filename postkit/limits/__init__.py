"""What networks allow: limits as dated data, counters, entities."""
