"""What reads given files, by kind."""
