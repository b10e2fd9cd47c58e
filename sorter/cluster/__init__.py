"""Sort with many machines. Ray Data schedules the work. Stages and journal are those of one machine."""
