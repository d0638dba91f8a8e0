"""The parts of the benchmark `answering`."""
