"""Parts that do work and publish what happens: each knows the hub and its own domain."""
