"""One style for all figures: what they say in words, panels, legends, maps, several results over each other."""
