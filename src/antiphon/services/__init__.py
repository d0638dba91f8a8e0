"""Parts that do work and publish what happens."""
