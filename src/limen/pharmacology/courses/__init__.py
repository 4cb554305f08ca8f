"""What treatment does over days and weeks: mood, relapse, lasting relief of pain."""
