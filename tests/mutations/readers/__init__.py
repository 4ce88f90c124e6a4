"""What reads input, a file a kind; ``READERS`` of each."""
