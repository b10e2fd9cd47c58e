"""Sorting with many machines: Ray Data schedules, the stages and the journal are those of one machine."""
